"""Books, offers, frees and keeps places. Each function takes the stamp first, so that they run in turn.

Each change brings all bookings of its event up to date before and after, so no place stays free while
somebody who may have it waits.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, select

from portal.domain.people.units import read_tree
from portal.features.events.booking_queries import (
    BookableEvent,
    EventAudience,
    id_of_event,
    read_event,
    read_events,
    read_units,
)
from portal.features.events.models import (
    OPEN_BOOKINGS,
    Booking,
    BookingChange,
    Event,
    EventVersion,
    PlaceReservation,
)
from portal.features.events.places import (
    KeptPlaces,
    Transition,
    can_take,
    count_kept,
    fills_kept_place,
    plan_transitions,
)
from portal.features.events.queries import is_newest_version
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError, require
from portal.platform.jobs.registry import Arguments, ItemFailures, JobProgress, Task
from portal.platform.wording import plural

SELF, MANAGER, ALLOCATION = "self", "manager", "allocation"  # the ways of a booking
CANCEL_REASONS = {
    "own_wish": "cannot come on that day",
    "duties": "needed on duty",
    "other_date": "will come on another date",
    "other": "another reason",
}
BY_MANAGER = "by_manager"  # a manager cancelled
ENDED = "Places at this event are no longer given: it has begun or is cancelled."
NO_BOOKING = "There is no such booking any more."
NOT_ASKED = (
    "This event is for the people a directive requires to attend. Ask your supervisor if you should attend."
)
_ACTS = {
    **dict.fromkeys(OPEN_BOOKINGS, "booking.made"),
    "offered": "booking.offered",
    "declined": "booking.declined",
    "cancelled": "booking.cancelled",
    "lapsed": "booking.lapsed",
    "left": "booking.left",
}


def book_place(reference: str, person_id: int, *, way: str, by: int, at: datetime) -> Booking:
    """Give somebody a place or put them on the wait list; if the type needs approval, request it.

    Args:
        reference: The event's.
        person_id: The person who would attend.
        way: ``SELF`` or ``MANAGER``. A manager's booking needs no approval.
        by: Who books.
        at: Now.

    Raises:
        ConflictError: The person has a booking of this type already.
    """
    recorded_at = stamp()
    event = _update_event_bookings(id_of_event(reference), at)
    _require_open(event, at)
    audience = EventAudience([event.activity_id], [person_id])
    if not audience.may_attend(person_id, event.activity_id, event.sitting.held_on):
        raise RuleError(NOT_ASKED)
    _refuse_second_booking(person_id, event.activity_id)
    units = read_units([person_id], london_day(at), read_tree())[person_id]
    state = "asked" if way == SELF and event.approval else _state_of_next(event, units)
    if way == MANAGER and state == "booked" and fills_kept_place(event.sitting, event.holders, units):
        way = ALLOCATION
    booking = Booking(
        asked_at=recorded_at,
        event_id=event.id,
        activity_id=event.activity_id,
        person_id=person_id,
        state=state,
        state_at=recorded_at,
        way=way,
        booked_by_id=by,
    )
    db.session.add(booking)
    _record_change(booking, event.reference, "", by, recorded_at)
    return booking


def approve_booking(booking_id: int, *, by: int, at: datetime) -> Booking:
    """Give the person who asked a place, or their turn on the wait list where none is free."""
    booking, event = _open_booking(booking_id, ("asked",), at)
    if booking.person_id == by:
        raise RuleError("Somebody else must approve your own booking.")
    seat = next(seat for seat in event.seats if seat.booking_id == booking.id)
    _change_state(booking, event.reference, _state_of_next(event, seat.units), "approved", by)
    return booking


def decline_booking(booking_id: int, *, by: int, at: datetime) -> Booking:
    """Refuse the person who asked for a place.

    Raises:
        RuleError: The event has begun or is cancelled.
    """
    booking, event = _open_booking(booking_id, ("asked",), at)
    _change_state(booking, event.reference, "declined", "declined", by)
    return booking


def accept_place(booking_id: int, *, by: int, at: datetime) -> Booking:
    """Take a place that was offered; on the day itself, also one that is free to whoever waits."""
    booking, event = _open_booking(booking_id, ("offered", "waiting"), at)
    if booking.state == "waiting":
        seat = next(seat for seat in event.seats if seat.booking_id == booking.id)
        if at < event.sitting.offers_end_at or not can_take(event.sitting, event.holders, seat.units):
            raise RuleError("No place is free for you yet. You stay on the wait list.")
    _change_state(booking, event.reference, "booked", "accepted", by)
    return booking


def cancel_booking(booking_id: int, reason: str, *, by: int, at: datetime) -> Booking:
    """Give back a place, an offer or a wait, and offer the free place to the person who has waited longest.

    Args:
        booking_id: The booking.
        reason: One of ``CANCEL_REASONS``, or ``BY_MANAGER``.
        by: Who cancels.
        at: Now.
    """
    if reason not in (*CANCEL_REASONS, BY_MANAGER):
        raise RuleError("Choose a reason.")
    booking, event = _open_booking(booking_id, OPEN_BOOKINGS, at)
    _change_state(booking, event.reference, "cancelled", reason, by)
    _update_event_bookings(event.id, at)
    return booking


def keep_places(
    reference: str, unit_id: int, places: int, until_on: date, *, by: int, at: datetime
) -> PlaceReservation:
    """Keep places of an event for the people in and under a unit, to the end of a day.

    Kept again for the same unit, the number and the day are replaced.
    """
    stamp()
    event = _update_event_bookings(id_of_event(reference), at)
    _require_open(event, at)
    today = london_day(at)
    if not today <= until_on <= event.sitting.held_on:
        raise RuleError("Enter a day from today to the day of the event.")
    depth = sum(1 for _ in read_tree().states_above(unit_id, today))
    if not depth:
        raise RuleError("Choose a unit that exists today.")
    of_other_units = [row for row in event.sitting.kept if row.unit_id != unit_id]
    kept = [*of_other_units, KeptPlaces(unit_id, places, depth)]
    keepable = event.sitting.places - len(event.holders) - count_kept(of_other_units, event.holders)
    if places < 1 or len(event.holders) + count_kept(kept, event.holders) > event.sitting.places:
        raise RuleError(f"Enter a number from 1: {plural(max(0, keepable), 'place')} can still be kept.")
    reservation = db.session.scalar(
        select(PlaceReservation).where(
            PlaceReservation.event_id == event.id, PlaceReservation.unit_id == unit_id
        )
    )
    if reservation is None:
        reservation = PlaceReservation(event_id=event.id, unit_id=unit_id)
        db.session.add(reservation)
    reservation.places, reservation.until_on, reservation.reserved_by_id = places, until_on, by
    db.session.flush()
    log("places.kept", actor_id=by, event=reference, unit_id=unit_id, places=places)
    _update_event_bookings(event.id, at)  # places that are no longer kept are offered
    return reservation


def stop_keeping_places(reference: str, unit_id: int, *, by: int, at: datetime) -> None:
    """Stop keeping places for a unit, and offer them to the people who have waited longest."""
    stamp()
    event_id = id_of_event(reference)
    of_unit = (PlaceReservation.event_id == event_id, PlaceReservation.unit_id == unit_id)
    reservation = db.session.scalar(select(PlaceReservation).where(*of_unit))
    if reservation is None:
        raise NotFoundError("No places are kept for this unit any more.")
    db.session.delete(reservation)
    db.session.flush()
    log("places.freed", actor_id=by, event=reference, unit_id=unit_id)
    _update_event_bookings(event_id, at)


def update_bookings(event_ids: Collection[int], at: datetime) -> int:
    """Make the changes that the bookings of some events need now; return how many changed.

    Call it in the transaction that moves or cancels an event, or changes its places.
    """
    stamp()
    return sum(_apply_transitions(event, at) for event in read_events(event_ids, at))


def _update_event_bookings(event_id: int, at: datetime) -> BookableEvent:
    event = read_event(event_id, at)
    return read_event(event_id, at) if _apply_transitions(event, at) else event


def _apply_transitions(event: BookableEvent, at: datetime) -> int:
    transitions = plan_transitions(event.sitting, event.seats, at)
    if transitions:
        rows = _fetch_bookings(transition.booking_id for transition in transitions)
        for transition in transitions:
            _apply_transition(rows[transition.booking_id], event.reference, transition)
    return len(transitions)


def _apply_transition(booking: Booking, reference: str, transition: Transition) -> None:
    booking.offered_until = transition.offered_until
    _change_state(booking, reference, transition.state, transition.reason, None)


def _fetch_bookings(booking_ids: Iterable[int]) -> dict[int, Booking]:
    statement = select(Booking).where(Booking.id.in_(list(booking_ids)))
    rows = db.session.scalars(statement.execution_options(populate_existing=True))
    return {booking.id: booking for booking in rows}


def _open_booking(booking_id: int, states: Collection[str], at: datetime) -> tuple[Booking, BookableEvent]:
    """A booking in one of these states, and its event, both up to date."""
    stamp()
    booking = require(_fetch_bookings([booking_id]).get(booking_id), NO_BOOKING)
    event = _update_event_bookings(booking.event_id, at)
    if booking.state not in states:
        raise NotFoundError(NO_BOOKING)
    _require_open(event, at)
    return booking, event


def _require_open(event: BookableEvent, at: datetime) -> None:
    if not event.is_open(at):
        raise RuleError(ENDED)


def _refuse_second_booking(person_id: int, activity_id: int) -> None:
    statement = (
        select(Event.reference)
        .join(Booking, Booking.event_id == Event.id)
        .where(Booking.person_id == person_id, Booking.activity_id == activity_id)
        .where(Booking.sitting == 0, Booking.state.in_(OPEN_BOOKINGS))
    )
    if (reference := db.session.scalar(statement)) is not None:
        raise ConflictError(
            f"There is a booking already, at {reference}. Cancel it first to change the date."
        )


def _state_of_next(event: BookableEvent, units: frozenset[int]) -> str:
    return "booked" if can_take(event.sitting, event.holders, units) else "waiting"


def _change_state(booking: Booking, reference: str, state: str, reason: str, by: int | None) -> None:
    recorded_at = stamp()
    booking.state, booking.state_at = state, recorded_at
    _record_change(booking, reference, reason, by, recorded_at)


def _record_change(
    booking: Booking, reference: str, reason: str, by: int | None, recorded_at: datetime
) -> None:
    db.session.flush()
    change = BookingChange(
        recorded_at=recorded_at, booking_id=booking.id, state=booking.state, reason=reason, by_id=by
    )
    db.session.add(change)
    detail: dict[str, Any] = {"event": reference, "booking": booking.id, "state": booking.state}
    log(_ACTS[booking.state], actor_id=by, subject_id=booking.person_id, **detail)
    db.session.flush()


# The job that ends offers that were not accepted, and offers free places to the wait list.

_NOT_BOOKED = tuple(state for state in OPEN_BOOKINGS if state != "booked")


def list_changing_events(at: datetime) -> list[int]:
    """List the ids of events with a booking that has to change now, in order; few statements for all."""
    starts_later = select(EventVersion.event_id).where(is_newest_version(), EventVersion.starts_at > at)
    has_open = exists().where(Booking.event_id == EventVersion.event_id, Booking.state.in_(OPEN_BOOKINGS))
    with_unbooked = select(Booking.event_id).where(Booking.state.in_(_NOT_BOOKED)).distinct()
    events = sorted({*db.session.scalars(starts_later.where(has_open)), *db.session.scalars(with_unbooked)})
    return [event.id for event in read_events(events, at) if plan_transitions(event.sitting, event.seats, at)]


def bring_bookings_up_to_date(job: JobProgress, arguments: Arguments) -> dict[str, list[str]]:
    """Make the changes that are due, event by event; run again, it goes on with the others."""
    events, changed, failures = list_changing_events(clock.now()), 0, ItemFailures("event")
    for number, event_id in enumerate(events):
        job.report_progress(number, len(events), plural(changed, "booking"))
        with failures.of(event_id), transaction():
            changed += update_bookings([event_id], clock.now())
    return failures.end_job([f"{plural(changed, 'booking')} brought up to date."])


TASKS = (
    Task(
        "bookings",
        "Bookings of events brought up to date",
        bring_bookings_up_to_date,
        due=lambda: bool(list_changing_events(clock.now())),
        rest=timedelta(minutes=5),
    ),
)
