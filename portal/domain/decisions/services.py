"""Makes, grants, refuses and withdraws requests. Granting writes the facts in the same transaction."""

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


def complete_request(change: ChangeRequest) -> ChangeRequest:
    """The change with its defaults: no end, and the usual due date after a deferral."""
    if change.kind not in EXCLUSIONS:
        return change
    change = replace(change, to_on=change.to_on or OPEN_END)
    if change.kind == "deferral" and change.due_on is None and change.to_on and change.directive_id:
        return replace(change, due_on=due_day_after_deferral(change.directive_id, change.to_on))
    return change


def submit_request(change: ChangeRequest, texts: Mapping[str, str], *, by: int, at: datetime) -> UUID:
    """Record a request; the same person making it again while it waits changes nothing.

    Args:
        change: What is requested; the caller has checked that the person who asks may see its person.
        texts: Comment and evidence, kept as notes.
        by: The person who asks.
        at: Now, by the clock.

    Raises:
        FaultyError: It could never be granted.
        WaitingAlreadyError: The same matter is already waiting for a decision.
    """
    stamp()  # before anything is read
    change = complete_request(change)
    refuse_faulty(change, at)
    r, d = DecisionRequest, Decision
    same_matter = [getattr(r, name) == getattr(change, name) for name in _MATTER]
    waiting = select(r, clock_at(r.recorded_at)).outerjoin(d, d.request_id == r.id)
    waiting = waiting.where(*same_matter, d.id.is_(None)).order_by(r.id).limit(1)
    for existing, asked_at in db.session.execute(waiting):
        details = ("reason", *_DATES)
        if existing.asked_by_id == by and all(getattr(existing, n) == getattr(change, n) for n in details):
            return existing.uuid
        raise WaitingAlreadyError(holder_name(existing.asked_by_id), asked_at)
    row = record_request(change, by=by)
    write_notes(r.__tablename__, row.id, {kind: text for kind, text in texts.items() if text})
    return row.uuid


def record_request(change: ChangeRequest, *, by: int, joint_uuid: UUID | None = None) -> DecisionRequest:
    """Write a checked request, and its audit event."""
    columns = {name: getattr(change, name) for name in (*_MATTER, "reason", *_DATES)}
    row = DecisionRequest(recorded_at=stamp(), asked_by_id=by, joint_uuid=joint_uuid, **columns)
    db.session.add(row)
    db.session.flush()
    log(
        "decision.asked",
        actor_id=by,
        subject_id=change.person_id,
        kind=change.kind,
        reason=change.reason,
        request=str(row.uuid),
    )
    return row


def grant_request(viewer: Viewer, uuid: UUID, granted: ChangeRequest, sentence: str, *, at: datetime) -> None:
    """Grant a request, with the dates of ``granted``, and write the facts that follow from it.

    Args:
        viewer: The person who decides.
        uuid: Of the request.
        granted: The requested change, with the dates decided.
        sentence: A note to the person who asked; may be empty.
        at: Now, by the clock.

    Raises:
        PortalError: As in ``_get_decidable_request``, or the change has faults. Nothing is changed.
    """
    stamp()  # before anything is read
    row = _get_decidable_request(viewer, uuid)
    granted = complete_request(granted)
    refuse_faulty(granted, at)
    written = _WRITERS[row.kind](row, granted, viewer.person_id)
    dates = {name: getattr(granted, name) for name in _DATES}
    record_decision(row, "granted", viewer.person_id, sentence, **dates, **written)


def refuse_request(viewer: Viewer, uuid: UUID, sentence: str) -> None:
    """Refuse a request; ``sentence`` says why.

    Raises:
        PortalError: As in ``_get_decidable_request``.
    """
    stamp()  # before anything is read
    record_decision(_get_decidable_request(viewer, uuid), "refused", viewer.person_id, sentence)


def withdraw_request(viewer: Viewer, uuid: UUID) -> None:
    """Withdraw the viewer's own request while it waits.

    Raises:
        NotYoursError: Someone else asked.
        DecidedAlreadyError: It has been answered.
    """
    stamp()  # before anything is read
    row = queries.get_request(viewer, uuid)
    if row.asked_by_id != viewer.person_id:
        raise NotYoursError
    refuse_decided(row)
    record_decision(row, "withdrawn", viewer.person_id, "")


def _get_decidable_request(viewer: Viewer, uuid: UUID) -> RequestRow:
    """The request, if the viewer may decide it.

    Raises:
        NotFoundError: The viewer may not see it.
        DecidedAlreadyError: It has been answered.
        OwnMatterError: It is about the viewer.
        SecondPersonError: The viewer asked for what a second person must decide.
    """
    if Permission.DECISION_MAKE not in viewer.permissions:
        raise ForbiddenError("You may not decide requests.")
    row = queries.get_request(viewer, uuid)
    if not may_see(viewer, row.person_id, Permission.DECISION_MAKE):
        raise ForbiddenError("You may not decide requests about this person.")
    refuse_decided(row)
    if row.person_id == viewer.person_id:
        raise OwnMatterError
    if row.kind in TWO_PERSONS and row.asked_by_id == viewer.person_id:
        raise SecondPersonError
    return row


def refuse_decided(row: RequestRow) -> None:
    """Raise ``DecidedAlreadyError`` if the request has been answered."""
    if row.outcome is not None and row.decided_at is not None:
        raise DecidedAlreadyError(row.outcome, row.decided_by, row.decided_at)


def refuse_faulty(change: ChangeRequest, at: datetime) -> None:
    """Raise ``FaultyError`` if the change can never be granted."""
    faults = list_faults(change, london_day(at))
    if faults:
        raise FaultyError(f"Nothing was changed. {'. '.join(fault.sentence for fault in faults)}.")


def record_decision(
    row: RequestRow, outcome: str, by: int, sentence: str, **values: date | int | None
) -> None:
    """Write the answer to a request with what it decided, its note and its audit event."""
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


def exclusion_decision(row: RequestRow, granted: ChangeRequest, by: int) -> exclusions.ExclusionDecision:
    """The exemption or deferral that granting a request records."""
    exempt = row.kind == "exemption"
    due = None if exempt else granted.due_on
    directive_id: Any = row.directive_id
    from_on: Any = granted.from_on
    to_on = granted.to_on or OPEN_END
    return exclusions.ExclusionDecision(
        row.person_id, directive_id, exempt, row.reason, from_on, to_on, due, by
    )


def _record_exclusion(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    return {"exclusion_id": exclusions.decide_exclusions([exclusion_decision(row, granted, by)])[0]}


def _record_waiver(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    evidence = notes_of(DecisionRequest.__tablename__, [row.id]).get(row.id, {}).get("evidence", "")
    prior_learning: Any = (row.person_id, row.activity_id, granted.from_on)
    record = records.recognise_prior_learning(
        *prior_learning, reason=row.reason, evidence=evidence, decided_by=by
    )
    return {"record_id": record.id}


def _revoke_record(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    revoked: Any = (row.record_id, granted.from_on)
    return {"revocation_id": records.revoke_record(*revoked, reason=row.reason, decided_by=by).id}


def _restore_record(row: RequestRow, _granted: ChangeRequest, by: int) -> dict[str, int]:
    revocation_id: Any = row.revocation_id
    return {"revocation_id": records.restore_record(revocation_id, reason=row.reason, decided_by=by).id}


def _lift_exclusion(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    exclusion_id: Any = row.exclusion_id
    return {"exclusion_id": exclusions.end_exclusion(exclusion_id, granted.to_on, by=by)}


_WRITERS = {
    "exemption": _record_exclusion,
    "deferral": _record_exclusion,
    "waiver": _record_waiver,
    "revocation": _revoke_record,
    "restore": _restore_record,
    "lift": _lift_exclusion,
}
