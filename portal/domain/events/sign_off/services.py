"""Signs off who attended an event: only that makes an attendance record.

A correction is a second person's, and new facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.events.models import AttendanceOutcome, Booking
from portal.domain.events.register.queries import RegisterEvent, get_register_event, read_outcomes
from portal.domain.events.sign_off.reasons import describe_outcome, is_reason_of
from portal.domain.records.queries import list_revocations
from portal.domain.records.services import record_attendance, revoke_record
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, NotFoundError, RuleError


@dataclass(frozen=True, slots=True)
class SignOff:
    """What a facilitator says of one person with a place."""

    booking_id: int
    outcome: str
    reason: str = ""


def sign_off(reference: str, decisions: Iterable[SignOff], *, by: int, at: datetime) -> int:
    """Sign off people at an event. Repeating it changes nothing.

    Who attended gets a record of the event's day, known from now on; others get none. Whoever is signed off
    may book another event of the type. ``by``, the facilitator, cannot sign off themself.

    Returns:
        How many were signed off.

    Raises:
        RuleError: The event has not begun or was cancelled, or an outcome, its reason or a person is wrong.
        ConflictError: Somebody was signed off with another outcome meanwhile.
    """
    recorded_at = stamp()
    event = get_register_event(reference)
    _require_begun(event, at)
    outcomes, written_count = read_outcomes(event.id), 0
    for decision in decisions:
        booking = _find_booking(event, decision.booking_id)
        _check_decision(booking.person_id, decision, by)
        earlier = outcomes.get(booking.person_id)
        if earlier is None:
            outcomes[booking.person_id] = _write_outcome(
                event, booking.person_id, decision, by, at, recorded_at
            )
            booking.sitting = event.id
            written_count += 1
        elif (earlier.outcome, earlier.reason) != (decision.outcome, decision.reason):
            earlier_outcome = describe_outcome(earlier.outcome, earlier.reason)
            raise ConflictError(f"Somebody was signed off meanwhile: {earlier_outcome}. Nothing was changed.")
    db.session.flush()
    return written_count


def correct_outcome(reference: str, decision: SignOff, *, by: int, at: datetime) -> AttendanceOutcome:
    """Correct how a person was signed off, by a second person, as new facts.

    A record that was wrong never counted; where the person attended after all, a new one is made.

    Args:
        reference: Of the event.
        decision: The right outcome.
        by: Neither who signed it off nor the person themself.
        at: Now.

    Raises:
        NotFoundError: The person was not signed off at this event.
        RuleError: ``by`` signed it off, or the outcome or its reason is wrong.
        ConflictError: The person is signed off with this outcome already.
    """
    recorded_at = stamp()
    event = get_register_event(reference)
    booking = _find_booking(event, decision.booking_id)
    earlier = read_outcomes(event.id).get(booking.person_id)
    if earlier is None:
        raise NotFoundError("This person was not signed off at this event.")
    _check_decision(booking.person_id, decision, by)
    if earlier.signed_off_by_id == by:
        raise RuleError("You signed this off. A second person corrects it.")
    if (earlier.outcome, earlier.reason) == (decision.outcome, decision.reason):
        raise ConflictError("This person is already signed off with this outcome.")
    if earlier.record_id is not None and not list_revocations([earlier.record_id]):
        revoke_record(earlier.record_id, event.held_on, reason="recorded_in_error", decided_by=by)
    return _write_outcome(event, booking.person_id, decision, by, at, recorded_at, earlier)


def _write_outcome(
    event: RegisterEvent,
    person_id: int,
    decision: SignOff,
    by: int,
    at: datetime,
    recorded_at: datetime,
    earlier: AttendanceOutcome | None = None,
) -> AttendanceOutcome:
    record_id = None
    if decision.outcome == "attended":
        version = db.session.get_one(EventTypeVersion, event.type_version_id)
        record_id = record_attendance(
            person_id, version, event.held_on, event_reference=event.reference, signed_off_by=by
        ).id
    outcome = AttendanceOutcome(
        recorded_at=recorded_at,
        replaces_id=earlier.id if earlier else None,
        event_id=event.id,
        person_id=person_id,
        outcome=decision.outcome,
        reason=decision.reason,
        signed_off_by_id=by,
        signed_off_on=london_day(at),
        record_id=record_id,
    )
    db.session.add(outcome)
    detail = {"event": event.reference, "outcome": decision.outcome}
    detail |= {"reason": decision.reason} if decision.reason else {}
    if earlier:
        log("attendance.corrected", actor_id=by, subject_id=person_id, **detail)
    else:
        log("attendance.signed_off", actor_id=by, subject_id=person_id, **detail)
    db.session.flush()
    return outcome


def _find_booking(event: RegisterEvent, booking_id: int) -> Booking:
    """The booking of somebody with a place, or of whoever was signed off, whatever became of it since."""
    booking = db.session.scalar(
        select(Booking).where(
            Booking.id == booking_id,
            Booking.event_id == event.id,
            or_(Booking.state == "booked", Booking.sitting == event.id),
        )
    )
    if booking is None:
        raise RuleError("Somebody on this page has no place at this event any more. Open the page again.")
    return booking


def _require_begun(event: RegisterEvent, at: datetime) -> None:
    if event.cancelled:
        raise RuleError("This event was cancelled, so nobody attended it.")
    if at < event.starts_at:
        raise RuleError("This event has not begun. Sign people off when it has.")


def _check_decision(person_id: int, decision: SignOff, by: int) -> None:
    if not is_reason_of(decision.outcome, decision.reason):
        raise RuleError(
            "Choose for each person how they attended, and a reason where they missed some of it."
        )
    if person_id == by:
        raise RuleError("Another facilitator signs you off.")
