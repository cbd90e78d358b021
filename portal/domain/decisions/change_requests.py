"""What is asked for about one person, and what is wrong with it: pure but for reading the facts it names."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.directives.models import Exclusion
from portal.domain.people.as_of import is_known_fact
from portal.domain.records.models import Record, Revocation
from portal.domain.records.queries import list_revocations
from portal.platform.db import OPEN_END, db
from portal.platform.wording import date as say_date

EXCLUSIONS = ("exemption", "deferral")
KINDS = (*EXCLUSIONS, "waiver", "revocation", "lift", "restore")
TWO_PERSONS = ("revocation", "restore")  # who asked may never decide
EARLIEST = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change of the facts about one person, asked for or to be granted.

    ``to_on`` is ``OPEN_END`` of an exemption without end, and None of a lift: it should never have held.
    """

    kind: str
    person_id: int
    reason: str
    directive_id: int | None = None
    activity_id: int | None = None
    record_id: int | None = None
    exclusion_id: int | None = None
    revocation_id: int | None = None
    from_on: date | None = None
    to_on: date | None = None
    due_on: date | None = None


class RequestFault(NamedTuple):
    """What is wrong, beside the field it stands in."""

    field: str
    sentence: str


def list_faults(wish: ChangeRequest, today: date) -> list[RequestFault]:
    """Why the wish cannot be granted as it stands; empty where it can."""
    return list(_CHECKS[wish.kind](wish, today))


def _check_exclusion(wish: ChangeRequest, _today: date) -> list[RequestFault]:
    if wish.directive_id is None:
        return [RequestFault("about", "Select a directive")]
    if wish.from_on is None:
        return [RequestFault("from_on", "Enter the first day")]
    found = (
        [RequestFault("from_on", "The first day must be after 1 January 1970")]
        if wish.from_on < EARLIEST
        else []
    )
    to_on = wish.to_on or OPEN_END
    if to_on < wish.from_on:
        found.append(
            RequestFault("to_on", f"The last day must be on or after the first, {say_date(wish.from_on)}")
        )
    if wish.kind == "deferral":
        found += _check_deferral(wish, to_on)
    return found


def _check_deferral(wish: ChangeRequest, to_on: date) -> list[RequestFault]:
    if to_on == OPEN_END:
        return [RequestFault("to_on", "Enter the last day of the deferral")]
    if wish.due_on is not None and wish.due_on < to_on:
        return [
            RequestFault("due_on", f"The new due date must not be before the last day, {say_date(to_on)}")
        ]
    return []


def _check_waiver(wish: ChangeRequest, today: date) -> list[RequestFault]:
    if wish.activity_id is None:
        return [RequestFault("about", "Select what was learned before")]
    if wish.from_on is None:
        return [RequestFault("from_on", "Enter the date on the evidence")]
    if not EARLIEST <= wish.from_on <= today:
        return [RequestFault("from_on", "The date on the evidence must be in the past")]
    return []


def _check_revocation(wish: ChangeRequest, today: date) -> list[RequestFault]:
    mine = (Record.id == wish.record_id, Record.person_id == wish.person_id)
    record = db.session.scalar(select(Record).where(*mine, is_known_fact(Record)))
    if record is None:
        return [RequestFault("about", "Select a record that holds")]
    if list_revocations([record.id]):
        return [RequestFault("about", "This record is not counted any more already")]
    if wish.from_on is None:
        return [RequestFault("from_on", "Enter the first day on which it is not counted")]
    if not record.achieved_on <= wish.from_on <= today:
        since = say_date(record.achieved_on)
        return [RequestFault("from_on", f"The day must be from {since}, when it was achieved, to today")]
    return []


def _check_lift(wish: ChangeRequest, _today: date) -> list[RequestFault]:
    held = _exclusion_of(wish)
    if held is None:
        return [RequestFault("about", "Select an exemption or a deferral that holds")]
    if wish.to_on is not None and not held.from_on <= wish.to_on < held.to_on:
        end = "" if held.to_on == OPEN_END else f" and before {say_date(held.to_on)}"
        return [RequestFault("to_on", f"The last day must be on or after {say_date(held.from_on)}{end}")]
    return []


def _check_restore(wish: ChangeRequest, _today: date) -> list[RequestFault]:
    r = Revocation
    held = db.session.scalar(select(r).where(r.id == wish.revocation_id, is_known_fact(r)))
    if held is None or db.session.get_one(Record, held.record_id).person_id != wish.person_id:
        return [RequestFault("about", "Select a record that is not counted any more")]
    return []


def _exclusion_of(wish: ChangeRequest) -> Exclusion | None:
    e = Exclusion
    mine = (e.id == wish.exclusion_id, e.person_id == wish.person_id)
    return db.session.scalar(select(e).where(*mine, is_known_fact(e)))


_CHECKS = {
    "exemption": _check_exclusion,
    "deferral": _check_exclusion,
    "waiver": _check_waiver,
    "revocation": _check_revocation,
    "lift": _check_lift,
    "restore": _check_restore,
}
