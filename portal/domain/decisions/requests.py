"""Requests to change the facts about one person, and the checks of what is wrong with them."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.directives.models import Exclusion
from portal.domain.directives.services import REASON_WORDS as EXCLUSION_REASONS
from portal.domain.people.positions import is_known_fact
from portal.domain.records.documents import REASON_WORDS as RECORD_REASONS
from portal.domain.records.models import Record, Revocation
from portal.domain.records.queries import list_revocations
from portal.platform.db import OPEN_END, db
from portal.platform.wording import date as say_date

EXCLUSIONS = ("exemption", "deferral")
KINDS = (*EXCLUSIONS, "waiver", "revocation", "lift", "restore")
TWO_PERSONS = ("revocation", "restore")  # the person who asked may not decide
EARLIEST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change of the facts about one person, as requested or as it will be granted.

    ``to_on`` is ``OPEN_END`` for an exemption without end. For a lift, None means that the exclusion should
    not have been recorded.
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
    """What is wrong, and the field of the form that it concerns."""

    field: str
    sentence: str


def list_faults(change: ChangeRequest, today: date) -> list[RequestFault]:
    """Why the change cannot be granted; empty if it can."""
    return list(_CHECKS[change.kind](change, today))


def _check_exclusion(change: ChangeRequest, _today: date) -> list[RequestFault]:
    if change.directive_id is None:
        return [RequestFault("about", "Select a directive")]
    if change.from_on is None:
        return [RequestFault("from_on", "Enter the first day")]
    faults = (
        [RequestFault("from_on", "The first day must be after 1 January 1970")]
        if change.from_on < EARLIEST_DAY
        else []
    )
    to_on = change.to_on or OPEN_END
    if to_on < change.from_on:
        faults.append(
            RequestFault("to_on", f"The last day must be on or after the first, {say_date(change.from_on)}")
        )
    if change.kind == "deferral":
        faults += _check_deferral(change, to_on)
    return faults


def _check_deferral(change: ChangeRequest, to_on: date) -> list[RequestFault]:
    if to_on == OPEN_END:
        return [RequestFault("to_on", "Enter the last day of the deferral")]
    if change.due_on is not None and change.due_on < to_on:
        return [
            RequestFault("due_on", f"The new due date must not be before the last day, {say_date(to_on)}")
        ]
    return []


def _check_waiver(change: ChangeRequest, today: date) -> list[RequestFault]:
    if change.activity_id is None:
        return [RequestFault("about", "Select what was learned before")]
    if change.from_on is None:
        return [RequestFault("from_on", "Enter the date on the evidence")]
    if not EARLIEST_DAY <= change.from_on <= today:
        return [RequestFault("from_on", "The date on the evidence must be in the past")]
    return []


def _check_revocation(change: ChangeRequest, today: date) -> list[RequestFault]:
    conditions = (Record.id == change.record_id, Record.person_id == change.person_id)
    record = db.session.scalar(select(Record).where(*conditions, is_known_fact(Record)))
    if record is None:
        return [RequestFault("about", "This record has been corrected or removed")]
    if list_revocations([record.id]):
        return [RequestFault("about", "This record has already stopped counting")]
    if change.from_on is None:
        return [RequestFault("from_on", "Enter the first day it does not count")]
    if not record.achieved_on <= change.from_on <= today:
        since = say_date(record.achieved_on)
        return [RequestFault("from_on", f"Enter a day from {since}, the day it was passed, to today")]
    return []


def _check_lift(change: ChangeRequest, _today: date) -> list[RequestFault]:
    exclusion = _find_exclusion(change)
    if exclusion is None:
        return [RequestFault("about", "This exemption or deferral has been changed or removed")]
    if change.to_on is not None and not exclusion.from_on <= change.to_on < exclusion.to_on:
        end = "" if exclusion.to_on == OPEN_END else f" and before {say_date(exclusion.to_on)}"
        return [RequestFault("to_on", f"The last day must be on or after {say_date(exclusion.from_on)}{end}")]
    return []


def _check_restore(change: ChangeRequest, _today: date) -> list[RequestFault]:
    r = Revocation
    revocation = db.session.scalar(select(r).where(r.id == change.revocation_id, is_known_fact(r)))
    if revocation is None or db.session.get_one(Record, revocation.record_id).person_id != change.person_id:
        return [RequestFault("about", "This correction has been changed or removed")]
    return []


def _find_exclusion(change: ChangeRequest) -> Exclusion | None:
    e = Exclusion
    conditions = (e.id == change.exclusion_id, e.person_id == change.person_id)
    return db.session.scalar(select(e).where(*conditions, is_known_fact(e)))


_CHECKS = {
    "exemption": _check_exclusion,
    "deferral": _check_exclusion,
    "waiver": _check_waiver,
    "revocation": _check_revocation,
    "lift": _check_lift,
    "restore": _check_restore,
}


# Labels of requests and decisions.

KIND_WORDS = {
    "exemption": "Exemption",
    "deferral": "Deferral",
    "waiver": "Prior learning",
    "revocation": "Correction of a pass",
    "lift": "End of an exemption or deferral",
    "restore": "Pass to count again",
}
STATE_WORDS = {
    "waiting": "Waiting",
    "granted": "Granted",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
}
REASONS: dict[str, dict[str, str]] = {
    "exemption": EXCLUSION_REASONS,
    "deferral": EXCLUSION_REASONS,
    "lift": {
        "returned_early": "back earlier than expected",
        "role_changed": "the role or post changed",
        "recorded_in_error": "recorded in error",
        "other": "other",
    },
    **RECORD_REASONS,
}


def reason_label(kind: str, key: str) -> str:
    """The label of a reason category."""
    return REASONS[kind].get(key, key.replace("_", " "))


def until_words(last: date | None) -> str:
    """The last day in words."""
    return "with no end date" if last is None or last == OPEN_END else f"until {say_date(last)}"


def short_title(title: str) -> str:
    """The part of a title before its colon."""
    return title.partition(":")[0]


def request_title(kind: str, directive: str, title: str, *, exempt: bool = True) -> str:
    """The title of a request.

    >>> request_title("exemption", "OIC-2026", "")
    'Exemption from OIC-2026'
    """
    return {
        "exemption": f"Exemption from {directive}",
        "deferral": f"Deferral under {directive}",
        "waiver": f"Prior learning for {short_title(title)}",
        "revocation": f"Stop counting {short_title(title)}",
        "lift": f"End of the {'exemption from' if exempt else 'deferral under'} {directive}",
        "restore": f"Count {short_title(title)} again",
    }[kind]
