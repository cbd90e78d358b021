"""Plans, changes and cancels events, and notifies the people concerned."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.events.booking.places import HOLDS_A_PLACE
from portal.domain.events.booking.services import update_bookings
from portal.domain.events.models import (
    OPEN_BOOKINGS,
    Booking,
    BookingChange,
    Event,
    EventFacilitator,
    EventVersion,
)
from portal.domain.events.planning import EventPlan, refuse_faulty_plan
from portal.domain.events.queries import EventDetails, event_details
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, RuleError

EVENT_CANCELLED = "event_cancelled"  # the reason of a booking's end


def plan_events(plans: Sequence[EventPlan], *, by: int, at: datetime) -> list[str]:
    """Plan events of one type, as a series where there are several; return their references.

    Args:
        plans: One for each date.
        by: Who plans them.
        at: Now.

    Raises:
        PlanRefusedError: One of them cannot take place; none is planned.
    """
    recorded_at = stamp()
    series = uuid.uuid4() if len(plans) > 1 else None
    references = []
    for plan in plans:
        refuse_faulty_plan(plan, at=at)
        type_version = db.session.get_one(EventTypeVersion, plan.type_version_id)
        number = 1 + (db.session.scalar(select(func.count(Event.id))) or 0)
        event = Event(
            recorded_at=recorded_at, reference=f"EV-{number:04d}", activity_id=type_version.activity_id
        )
        event.series = series
        db.session.add(event)
        db.session.flush()
        _add_version(event.id, 0, plan, reason="", by=by, recorded_at=recorded_at)
        log("event.planned", actor_id=by, event=event.reference)
        _notify_people("event.facilitator_named", plan.facilitators, event.reference, 0, by)
        references.append(event.reference)
    return references


def change_event(reference: str, plan: EventPlan, *, number: int, reason: str, by: int, at: datetime) -> int:
    """Change an event, and notify the people who have a place or run it if the change concerns them.

    Extra places are offered at once to the people who wait.

    Args:
        reference: The event's.
        plan: The whole new plan; its type is the event's.
        number: The version that the change begins from.
        reason: Why, for the people who attend; it may be empty unless the event is moved.
        by: Who changes it.
        at: Now.

    Returns:
        How many people are notified. Repeat-safe: a plan that changes nothing writes nothing.

    Raises:
        ConflictError: Somebody else changed the event meanwhile.
        RuleError: It has begun, is cancelled, is moved without a reason, or cannot take place so.
    """
    recorded_at = stamp()
    event = _open_event(reference, number, at)
    if plan == plan_of(event):
        return 0
    if is_moved(event, plan) and not reason:
        raise RuleError("Say why the event is moved.")
    refuse_faulty_plan(plan, at=at, event=event)
    _add_version(event.id, event.number + 1, plan, reason=reason, by=by, recorded_at=recorded_at)
    log("event.changed", actor_id=by, event=reference, number=event.number + 1)
    former_ids, new_ids = {person.person_id for person in event.facilitators}, set(plan.facilitators)
    notified = [
        _notify_people("event.facilitator_named", new_ids - former_ids, reference, event.number + 1, by),
        _notify_people("event.facilitator_released", former_ids - new_ids, reference, event.number + 1, by),
    ]
    if is_moved(event, plan) or plan.notes != event.notes:
        readers = _people_with_place(event.id) | (former_ids & new_ids)
        notified.append(_notify_people("event.move_told", readers, reference, event.number + 1, by))
    update_bookings([event.id], at)
    return sum(notified)


def cancel_event(reference: str, *, number: int, reason: str, by: int, at: datetime) -> int:
    """Cancel an event, end all of its bookings and notify their people; return how many are notified.

    Args:
        reference: The event's.
        number: The version that the user saw.
        reason: Why, for the people who had a place.
        by: Who cancels it.
        at: Now.

    Raises:
        ConflictError: Somebody else changed the event meanwhile.
        RuleError: It has begun, or is cancelled already, or no reason is given.
    """
    recorded_at = stamp()
    event = _open_event(reference, number, at)
    if not reason:
        raise RuleError("Say why the event is cancelled.")
    plan = plan_of(event)
    _add_version(event.id, event.number + 1, plan, reason=reason, by=by, recorded_at=recorded_at, ends=True)
    log("event.cancelled", actor_id=by, event=reference)
    readers = {person.person_id for person in event.facilitators}
    of_event = select(Booking).where(Booking.event_id == event.id, Booking.state.in_(OPEN_BOOKINGS))
    for booking in db.session.scalars(of_event):
        booking.state, booking.state_at, booking.offered_until = "cancelled", recorded_at, None
        change = {"booking_id": booking.id, "state": "cancelled", "reason": EVENT_CANCELLED, "by_id": by}
        db.session.add(BookingChange(recorded_at=recorded_at, **change))
        readers.add(booking.person_id)
    return _notify_people("event.cancellation_told", readers, reference, event.number + 1, by)


def plan_of(event: EventDetails) -> EventPlan:
    """The plan that an event's newest version holds."""
    return EventPlan(
        type_version_id=event.type_version_id,
        starts_at=event.starts_at,
        minutes=int((event.ends_at - event.starts_at).total_seconds()) // 60,
        room_id=event.room_id,
        syndicates=event.syndicates,
        places=event.places,
        facilitators=tuple(sorted(person.person_id for person in event.facilitators)),
        notes=event.notes,
    )


def is_moved(event: EventDetails, plan: EventPlan) -> bool:
    """Whether a plan has another time or room than the event."""
    return (event.starts_at, event.ends_at, event.room_id) != (plan.starts_at, plan.ends_at, plan.room_id)


def _open_event(reference: str, number: int, at: datetime) -> EventDetails:
    """The event, if it can still be changed from this version."""
    event = event_details(reference)
    if event.cancelled:
        raise RuleError("This event is cancelled.")
    if event.starts_at <= at:
        raise RuleError("This event has begun, so it cannot be changed.")
    if event.number != number:
        raise ConflictError("Somebody else changed this event after you opened it. Look at it again.")
    return event


def _add_version(
    event_id: int,
    number: int,
    plan: EventPlan,
    *,
    reason: str,
    by: int,
    recorded_at: datetime,
    ends: bool = False,
) -> None:
    version = EventVersion(
        recorded_at=recorded_at,
        event_id=event_id,
        number=number,
        type_version_id=plan.type_version_id,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        held_on=london_day(plan.starts_at),
        room_id=plan.room_id,
        syndicates=plan.syndicates,
        places=plan.places,
        notes=plan.notes,
        cancelled=ends,
        reason=reason,
        changed_by_id=by,
    )
    db.session.add(version)
    db.session.flush()
    for person_id in sorted(set(plan.facilitators)):
        db.session.add(EventFacilitator(event_version_id=version.id, person_id=person_id))
    db.session.flush()


def _people_with_place(event_id: int) -> set[int]:
    """Everybody who has a place at an event, or an offer of one."""
    statement = select(Booking.person_id).where(
        Booking.event_id == event_id, Booking.state.in_(HOLDS_A_PLACE)
    )
    return set(db.session.scalars(statement))


def _notify_people(action: str, readers: Iterable[int], reference: str, number: int, by: int) -> int:
    """Log for each reader that they are notified, which queues a mail; return how many people they are."""
    people = sorted(set(readers))
    for person_id in people:
        log(action, actor_id=by, subject_id=person_id, event=reference, number=number)
    return len(people)
