"""Whenever somebody else saw or took one person's data: looks at their pages, and files that held them."""

import heapq
from collections.abc import Iterator

from sqlalchemy import Select, select

from portal.domain.audit_desk.action_words import ActionGroup, actions_of
from portal.domain.audit_desk.filters import START, Conditions, Place
from portal.platform.audit.models import AuditEvent, FilePeople
from portal.platform.audit.person_sets import holds_person
from portal.platform.db import db

LOOKS = (*actions_of(ActionGroup.LOOKS), "audit.viewed")
FILES = actions_of(ActionGroup.FILES)
_NEWEST_FIRST = (AuditEvent.happened_at.desc(), AuditEvent.id.desc())
_READ = 200  # files at a time


def list_disclosures(person_id: int, place: Place = START, *, limit: int) -> list[AuditEvent]:
    """The acts by which others saw or took the person's data, from a place on, newest first.

    Two statements, and one for each ``limit`` files found: of files only the set of people is read.
    """
    wanted = place.skip + limit
    looks = select(AuditEvent).where(
        AuditEvent.subject_id == person_id,
        AuditEvent.action.in_(LOOKS),
        AuditEvent.actor_id.is_distinct_from(person_id),
        *_from(place),
    )
    statement = looks.order_by(*_NEWEST_FIRST).limit(wanted)
    events = [*db.session.scalars(statement), *_files_with(person_id, place, wanted)]
    newest = heapq.nlargest(wanted, events, key=lambda event: (event.happened_at, event.id))
    return newest[place.skip :]


def _files_with(person_id: int, place: Place, wanted: int) -> list[AuditEvent]:
    """The newest files that held the person and that somebody else made."""
    statement = (
        select(AuditEvent.id, FilePeople.people)
        .join(FilePeople, FilePeople.event_id == AuditEvent.id)
        .where(AuditEvent.actor_id.is_distinct_from(person_id), *_from(place))
        .order_by(*_NEWEST_FIRST)
        .execution_options(yield_per=_READ)
    )
    ids = list(_first_holding(statement, person_id, wanted))
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.id.in_(ids))))


def _first_holding(statement: Select[int, bytes], person_id: int, wanted: int) -> Iterator[int]:
    with db.session.execute(statement) as rows:
        for event_id, people in rows:
            if wanted == 0:
                return
            if holds_person(people, person_id):
                wanted -= 1
                yield event_id


def any_file_undescribed() -> bool:
    """Whether there are files that do not say whom they held: from before the portal recorded it."""
    described = select(FilePeople.event_id).where(FilePeople.event_id == AuditEvent.id).exists()
    undescribed = select(AuditEvent.id).where(AuditEvent.action.in_(FILES), ~described)
    return db.session.scalar(undescribed.limit(1)) is not None


def _from(place: Place) -> Conditions:
    return [] if place is START else [AuditEvent.happened_at <= place.at]
