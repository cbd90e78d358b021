"""Plans an exemption or deferral for several people: whom it is for, what it would change, who is left out.

Each of them has a request and a decision of their own, as if it had been asked for alone. Requests with the
same ``joint_uuid`` are shown as one, with one reason and the same dates.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from portal.domain.decisions.change_requests import ChangeRequest
from portal.domain.decisions.models import Decision
from portal.domain.decisions.preview import (
    CompletionShare,
    add_exclusion,
    completion_share,
    visible_to,
)
from portal.domain.decisions.queries import RequestRow, list_waiting
from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.people.notes import notes_of
from portal.domain.people.queries import Viewer, visible_people
from portal.domain.status.filters import Scope
from portal.domain.status.rules import WHOLE
from portal.domain.status.what_if import StatusWithDueDay, project_what_ifs, statuses_on_day
from portal.platform.db import db
from portal.platform.permissions import Permission
from portal.platform.wording import instant

MOST = 500  # people of one request


class RequestPerson(NamedTuple):
    """A person whom a request may be about."""

    person_id: int
    staff_number: str
    name: str  # as lists show it: surname first


@dataclass(frozen=True, slots=True)
class PersonEffect:
    """One person's status under the whole directive, before and after; None where it does not apply."""

    person: RequestPerson
    before: StatusWithDueDay | None
    after: StatusWithDueDay | None

    @property
    def changes(self) -> bool:
        """Whether the status or the due date changes."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class JointEffects:
    """What a change would do to several people on its first day, or today if that is past."""

    day: date
    people: list[PersonEffect]
    share_before: CompletionShare
    share_after: CompletionShare


@dataclass(frozen=True, slots=True)
class JointPlan:
    """Whom a joint request would be about, and who is left out, with the reason."""

    people: list[RequestPerson]
    left_out: list[tuple[RequestPerson, str]]


def select_candidates(viewer: Viewer, people: Sequence[RequestPerson]) -> list[RequestPerson]:
    """Those about whom the viewer may make requests, in the same order. One statement for each 500."""
    allowed: set[int] = set()
    for batch in split_into_batches(sorted({person.person_id for person in people})):
        allowed |= set(db.session.scalars(visible_people(viewer, Permission.DECISION_ASK, batch)))
    return [person for person in people if person.person_id in allowed]


def plan_joint_request(change: ChangeRequest, people: Sequence[RequestPerson]) -> JointPlan:
    """Leave out the people for whom the same matter waits for a decision already. One statement."""
    waiting = waiting_matters(change, [person.person_id for person in people])
    left_out = [(p, _say_waiting(waiting[p.person_id])) for p in people if p.person_id in waiting]
    return JointPlan([p for p in people if p.person_id not in waiting], left_out)


def waiting_matters(change: ChangeRequest, people: Collection[int]) -> dict[int, RequestRow]:
    """By person, the waiting request for the same exemption or deferral. One statement."""
    return {row.person_id: row for row in list_waiting(change, people)}


def _say_waiting(row: RequestRow) -> str:
    return f"{row.asked_by} asked for this at {instant(row.asked_at)}. It is waiting for a decision."


def decision_notes(rows: Sequence[RequestRow]) -> dict[int, str]:
    """By person, what the person who decided wrote to the one who asked. At most one statement."""
    decided = {row.decision_id: row.person_id for row in rows if row.decision_id is not None}
    notes = notes_of(Decision.__tablename__, list(decided)) if decided else {}
    return {decided[fact_id]: texts.get("comment", "") for fact_id, texts in notes.items()}


def preview_joint_effects(
    change: ChangeRequest, people: Sequence[RequestPerson], viewer: Viewer, *, now: datetime, today: date
) -> JointEffects:
    """How each person's status changes, and the directive's percentage among the people the viewer may see.

    A fixed number of statements, however many the people are.
    """
    day = max(today, change.from_on or today)
    what_ifs = project_what_ifs([p.person_id for p in people], partial(add_exclusion, change), now=now)
    place = (change.directive_id or 0, WHOLE)
    effects = []
    for person in people:
        what_if = what_ifs[person.person_id]
        before, after = (statuses_on_day(side, day).get(place) for side in (what_if.before, what_if.after))
        effects.append(PersonEffect(person, before, after))
    known_on = max((what_if.known_on for what_if in what_ifs.values()), default=now)
    share = completion_share(Scope((place[0],), day, known_on, visible_to(viewer)))
    return JointEffects(day, effects, share, _share_after(share, effects))


def _share_after(share: CompletionShare, effects: Iterable[PersonEffect]) -> CompletionShare:
    for effect in effects:
        if effect.before and effect.after:
            share = share.with_change(effect.before[0], effect.after[0])
    return share
