"""Asking, deciding and withdrawing. A decision writes the facts it grants in the same transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.domain.decisions import queries
from portal.domain.decisions.change_requests import EXCLUSIONS, TWO_PERSONS, ChangeRequest, list_faults
from portal.domain.decisions.errors import (
    DecidedAlreadyError,
    FaultyError,
    NotYoursError,
    OwnMatterError,
    SecondPersonError,
    WaitingAlreadyError,
)
from portal.domain.decisions.models import Decision, DecisionRequest
from portal.domain.decisions.queries import RequestRow
from portal.domain.directives import exclusions
from portal.domain.directives.exclusions import due_day_after_deferral
from portal.domain.people.notes import notes_of, write_notes
from portal.domain.people.queries import Viewer, may_see
from portal.domain.records import services as records
from portal.domain.records.queries import holder_name
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import OPEN_END, clock_at, db, stamp
from portal.platform.errors import ForbiddenError
from portal.platform.permissions import Permission

_MATTER = ("kind", "person_id", "directive_id", "activity_id", "record_id", "exclusion_id", "revocation_id")
_DATES = ("from_on", "to_on", "due_on")


def complete_request(wish: ChangeRequest) -> ChangeRequest:
    """The wish with what is filled in for it: no end, and the due date that follows a deferral."""
    if wish.kind not in EXCLUSIONS:
        return wish
    wish = replace(wish, to_on=wish.to_on or OPEN_END)
    if wish.kind == "deferral" and wish.due_on is None and wish.to_on and wish.directive_id:
        return replace(wish, due_on=due_day_after_deferral(wish.directive_id, wish.to_on))
    return wish


def submit_request(wish: ChangeRequest, texts: Mapping[str, str], *, by: int, at: datetime) -> UUID:
    """Record a request; the same again by the same person, while it waits, is the same request.

    Args:
        wish: What is asked for; the asker may see the person, as the caller has made sure.
        texts: Comment and evidence, as notes beside the request.
        by: Who asks.
        at: Now, by the clock.

    Raises:
        FaultyError: It could never be granted.
        WaitingAlreadyError: Somebody asked for this before, and it waits.
    """
    stamped = stamp()
    wish = complete_request(wish)
    _hold_to_rules(wish, at)
    r, d = DecisionRequest, Decision
    same = [getattr(r, name) == getattr(wish, name) for name in _MATTER]
    waiting = select(r, clock_at(r.recorded_at)).outerjoin(d, d.request_id == r.id)
    waiting = waiting.where(*same, d.id.is_(None)).order_by(r.id).limit(1)
    for open_one, asked_at in db.session.execute(waiting):
        said = ("reason", *_DATES)
        if open_one.asked_by_id == by and all(getattr(open_one, n) == getattr(wish, n) for n in said):
            return open_one.uuid
        raise WaitingAlreadyError(holder_name(open_one.asked_by_id), asked_at)
    columns = {name: getattr(wish, name) for name in (*_MATTER, "reason", *_DATES)}
    row = DecisionRequest(recorded_at=stamped, asked_by_id=by, **columns)
    db.session.add(row)
    db.session.flush()
    write_notes(r.__tablename__, row.id, {kind: text for kind, text in texts.items() if text})
    log(
        "decision.asked",
        actor_id=by,
        subject_id=wish.person_id,
        kind=wish.kind,
        reason=wish.reason,
        request=str(row.uuid),
    )
    return row.uuid


def grant_request(viewer: Viewer, uuid: UUID, granted: ChangeRequest, sentence: str, *, at: datetime) -> None:
    """Grant a request, with the dates of ``granted``, and write the facts that follow from it.

    Args:
        viewer: Who decides.
        uuid: The request's.
        granted: The wish of the request, with the dates decided.
        sentence: A note to who asked; may be empty.
        at: Now, by the clock.

    Raises:
        PortalError: As ``_get_decidable_request`` and ``list_faults`` say; nothing is changed.
    """
    stamp()  # before anything is read
    row = _get_decidable_request(viewer, uuid)
    granted = complete_request(granted)
    _hold_to_rules(granted, at)
    made = _WRITE[row.kind](row, granted, viewer.person_id)
    dates = {name: getattr(granted, name) for name in _DATES}
    _record_decision(row, "granted", viewer.person_id, sentence, **dates, **made)


def refuse_request(viewer: Viewer, uuid: UUID, sentence: str) -> None:
    """Refuse a request, with the reason in a sentence.

    Raises:
        PortalError: As ``_get_decidable_request`` says.
    """
    stamp()  # before anything is read
    _record_decision(_get_decidable_request(viewer, uuid), "refused", viewer.person_id, sentence)


def withdraw_request(viewer: Viewer, uuid: UUID) -> None:
    """Take one's own request back while it waits.

    Raises:
        NotYoursError: Somebody else asked.
        DecidedAlreadyError: It has its answer.
    """
    stamp()  # before anything is read
    row = queries.get_request(viewer, uuid)
    if row.asked_by_id != viewer.person_id:
        raise NotYoursError
    _hold_open(row)
    _record_decision(row, "withdrawn", viewer.person_id, "")


def _get_decidable_request(viewer: Viewer, uuid: UUID) -> RequestRow:
    """The request, where this person may answer it.

    Raises:
        NotFoundError: The viewer may not see it.
        DecidedAlreadyError: It has its answer.
        OwnMatterError: It is about the viewer.
        SecondPersonError: The viewer asked for what a second person must decide.
    """
    if Permission.DECISION_MAKE not in viewer.permissions:
        raise ForbiddenError("You may not decide requests.")
    row = queries.get_request(viewer, uuid)
    if not may_see(viewer, row.person_id, Permission.DECISION_MAKE):
        raise ForbiddenError("You may not decide requests about this person.")
    _hold_open(row)
    if row.person_id == viewer.person_id:
        raise OwnMatterError
    if row.kind in TWO_PERSONS and row.asked_by_id == viewer.person_id:
        raise SecondPersonError
    return row


def _hold_open(row: RequestRow) -> None:
    if row.outcome is not None and row.decided_at is not None:
        raise DecidedAlreadyError(row.outcome, row.decided_by, row.decided_at)


def _hold_to_rules(wish: ChangeRequest, at: datetime) -> None:
    found = list_faults(wish, london_day(at))
    if found:
        raise FaultyError(f"Nothing was changed. {'. '.join(fault.sentence for fault in found)}.")


def _record_decision(
    row: RequestRow, outcome: str, by: int, sentence: str, **values: date | int | None
) -> None:
    decision = Decision(recorded_at=stamp(), request_id=row.id, outcome=outcome, decided_by_id=by, **values)
    db.session.add(decision)
    db.session.flush()
    if sentence:
        write_notes(Decision.__tablename__, decision.id, {"comment": sentence})
    log(
        f"decision.{outcome}",
        actor_id=by,
        subject_id=row.person_id,
        kind=row.kind,
        request=str(row.uuid),
        asked_by=row.asked_by_id,
    )


def _record_exclusion(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    exempt = row.kind == "exemption"
    due = None if exempt else granted.due_on
    directive_id: Any = row.directive_id
    from_on: Any = granted.from_on
    to_on = granted.to_on or OPEN_END
    decided = exclusions.ExclusionDecision(
        row.person_id, directive_id, exempt, row.reason, from_on, to_on, due, by
    )
    return {"exclusion_id": exclusions.decide_exclusion(decided)}


def _record_waiver(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    evidence = notes_of(DecisionRequest.__tablename__, [row.id]).get(row.id, {}).get("evidence", "")
    whose: Any = (row.person_id, row.activity_id, granted.from_on)
    record = records.recognise_prior_learning(*whose, reason=row.reason, evidence=evidence, decided_by=by)
    return {"record_id": record.id}


def _revoke_record(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    which: Any = (row.record_id, granted.from_on)
    return {"revocation_id": records.revoke_record(*which, reason=row.reason, decided_by=by).id}


def _restore_record(row: RequestRow, _granted: ChangeRequest, by: int) -> dict[str, int]:
    which: Any = row.revocation_id
    return {"revocation_id": records.restore_record(which, reason=row.reason, decided_by=by).id}


def _lift_exclusion(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    which: Any = row.exclusion_id
    return {"exclusion_id": exclusions.end_exclusion(which, granted.to_on, by=by)}


_WRITE = {
    "exemption": _record_exclusion,
    "deferral": _record_exclusion,
    "waiver": _record_waiver,
    "revocation": _revoke_record,
    "restore": _restore_record,
    "lift": _lift_exclusion,
}
