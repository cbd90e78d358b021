"""Which acts a reader of the audit trail may see, and whom of them by name.

A reader for the whole force sees every act. One for a unit sees the acts by and on people they may see; the
other person of such an act, and where that one was, stays unnamed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import and_, or_, select

from portal.domain.audit_desk.filters import AuditFilters, Conditions
from portal.domain.people.models import PersonName
from portal.domain.people.queries import Viewer, find_seen_person, visible_people
from portal.domain.people.visibility.authorised_units import units_allowing
from portal.platform.audit.models import AuditEvent
from portal.platform.db import db
from portal.platform.permissions import Permission

ACT = Permission.AUDIT_VIEW
UNSEEN = "Somebody outside your units"
ERASED = "Erased"


@dataclass(frozen=True, slots=True)
class ActPerson:
    """A person of an act, as far as the reader may know them."""

    name: str
    staff_number: str = ""  # empty: no link


@dataclass(frozen=True)
class AuditSight:
    """What one reader may see of the audit trail."""

    viewer: Viewer

    @cached_property
    def is_whole(self) -> bool:
        """Whether they see the whole force."""
        return units_allowing(self.viewer, ACT) is None

    def conditions(self, filters: AuditFilters) -> Conditions:
        """WHERE clauses: only acts that the reader may see, also where filters ask from where they came."""
        if self.is_whole:
            return []
        people = visible_people(self.viewer, ACT)
        by_seen = AuditEvent.actor_id.in_(people)
        if filters.address or filters.request_id or filters.channel:
            # Where somebody out of sight was, or by which way they came, is not to be found out by a filter.
            return [or_(by_seen, and_(AuditEvent.actor_id.is_(None), AuditEvent.subject_id.in_(people)))]
        return [or_(by_seen, AuditEvent.subject_id.in_(people))]

    def find_person(self, staff_number: str) -> int:
        """The id of a person whom the reader may see.

        Raises:
            NotFoundError: Nobody has the number, or the reader may not see that person.
        """
        return find_seen_person(self.viewer, staff_number, ACT)

    def visible_among(self, ids: Collection[int]) -> set[int]:
        """Those of these people whom the reader may see."""
        if self.is_whole or not ids:
            return set(ids)
        return set(db.session.scalars(visible_people(self.viewer, ACT, ids)))

    def name_people(self, ids: Iterable[int | None]) -> dict[int, ActPerson]:
        """The people with these ids by name, or without where the reader may not see them."""
        wanted = {person_id for person_id in ids if person_id is not None}
        visible = self.visible_among(wanted)
        statement = select(
            PersonName.person_id, PersonName.forenames, PersonName.surname, PersonName.staff_number
        ).where(PersonName.person_id.in_(visible))
        names = {
            person_id: ActPerson(f"{forenames} {surname}".strip(), number)
            for person_id, forenames, surname, number in db.session.execute(statement)
        }
        return {
            person_id: names.get(person_id, ActPerson(ERASED if person_id in visible else UNSEEN))
            for person_id in wanted
        }
