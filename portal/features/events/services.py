"""Plans, changes and cancels events, and notifies the people concerned."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.catalogue.publishing import current_event_types
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import live_units
from portal.domain.people.visibility import Viewer, is_granted_to, is_visible
from portal.features.events.booking import update_bookings
from portal.features.events.booking_queries import read_events
from portal.features.events.feature import RUN, VIEW
from portal.features.events.models import (
    OPEN_BOOKINGS,
    AttendanceOutcome,
    Booking,
    BookingChange,
    Event,
    EventFacilitator,
    EventRoom,
    EventVersion,
)
from portal.features.events.places import HOLDS_A_PLACE
from portal.features.events.queries import (
    EventDetails,
    EventFilters,
    EventPerson,
    event_details,
    events_with_ids,
    is_newest_version,
    list_events,
    room_with_id,
)
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db, read, stamp
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.permissions import roles_with
from portal.platform.wording import clock_time, instant, plural
from portal.platform.wording import date as date_words

# Checks the plan of an event, and lists what can be chosen for one.

FARTHEST = timedelta(days=3 * 366)  # ahead: beyond it, the year was mistyped


@dataclass(frozen=True, slots=True)
class EventPlan:
    """When and where an event is planned, and for how many people."""

    type_version_id: int
    starts_at: datetime
    minutes: int
    room_id: int
    syndicates: int
    places: int
    facilitators: tuple[int, ...] = ()
    notes: str = ""

    @property
    def ends_at(self) -> datetime:
        """The end: ``minutes`` after the start, even if the clocks change in between."""
        return self.starts_at + timedelta(minutes=self.minutes)


class PlanRefusedError(RuleError):
    """A plan that cannot take place; ``field`` names the field to change."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


def list_event_types() -> dict[str, EventTypeVersion]:
    """The newest version of each event type, by key."""
    return {version.activity.key: version for version in current_event_types()}


def event_type_with_id(version_id: int) -> EventTypeVersion:
    """The version of an event type with an id."""
    return db.session.get_one(EventTypeVersion, version_id)


def list_possible_facilitators(day: date) -> list[EventPerson]:
    """Everybody whose role lets them run events on ``day``, by name."""
    roles = sorted(roles_with(RUN))
    holders = select(RoleGrant.person_id).where(
        is_granted_to(RoleGrant.person_id, day), RoleGrant.role.in_(roles)
    )
    names = db.session.scalars(
        select(PersonName)
        .where(PersonName.person_id.in_(holders))
        .order_by(PersonName.surname, PersonName.staff_number)
    )
    return [EventPerson(name.person_id, name.staff_number, name.full_name.strip()) for name in names]


def refuse_faulty_plan(plan: EventPlan, *, at: datetime, event: EventDetails | None = None) -> None:
    """Refuse a plan that cannot take place.

    Args:
        plan: The plan.
        at: Now.
        event: The event that it changes; None for a new one.

    Raises:
        PlanRefusedError: The plan is refused; its text says why.
    """
    if plan.starts_at <= at:
        raise PlanRefusedError("day", "This is in the past. Enter a time in the future.")
    if plan.starts_at > at + FARTHEST:
        raise PlanRefusedError("day", "This is more than three years ahead. Check the year.")
    _refuse_wrong_numbers(plan, event_type_with_id(plan.type_version_id))
    if event is not None and plan.places < event.bookings.taken:
        raise PlanRefusedError(
            "places",
            f"{plural(event.bookings.taken, 'place is', 'places are')} taken. Enter at least as many.",
        )
    _refuse_wrong_room(plan, event)
    _refuse_clashes(plan, event)


def _refuse_wrong_numbers(plan: EventPlan, event_type: EventTypeVersion) -> None:
    if not event_type.places_least <= plan.places <= event_type.places_most:
        raise PlanRefusedError(
            "places",
            f"{event_type.title} takes {event_type.places_least} to {event_type.places_most} people at one "
            "event.",
        )
    if plan.places > plan.syndicates * event_type.syndicate_most:
        raise PlanRefusedError(
            "syndicates",
            f"A syndicate has at most {plural(event_type.syndicate_most, 'person', 'people')}: "
            f"{plan.places} places need more syndicates.",
        )
    if plan.places < plan.syndicates * event_type.syndicate_least:
        raise PlanRefusedError(
            "syndicates",
            f"A syndicate has at least {plural(event_type.syndicate_least, 'person', 'people')}: "
            f"{plan.places} places are too few for {plural(plan.syndicates, 'syndicate')}.",
        )


def _refuse_wrong_room(plan: EventPlan, event: EventDetails | None) -> None:
    try:
        room = room_with_id(plan.room_id)
    except NotFoundError as error:
        raise PlanRefusedError("room", "Select a room") from error
    if room.closed and (event is None or event.room_id != room.id):
        raise PlanRefusedError("room", f"{room.name} is closed. Select another room.")
    if room.capacity < plan.places:
        raise PlanRefusedError(
            "places", f"{room.name} has room for {plural(room.capacity, 'person', 'people')}."
        )


def _refuse_clashes(plan: EventPlan, event: EventDetails | None) -> None:
    """Refuse a room or a facilitator that another event has at the same time."""
    allowed_by_id = {
        person.person_id: person for person in list_possible_facilitators(london_day(plan.starts_at))
    }
    kept_ids = {person.person_id for person in event.facilitators} if event else set()
    if refused_ids := set(plan.facilitators) - allowed_by_id.keys() - kept_ids:
        raise PlanRefusedError(
            "facilitators",
            f"{plural(len(refused_ids), 'person', 'people')} may not run events on that day. Select others.",
        )
    for other in events_during(plan.starts_at, plan.ends_at):
        if event is not None and other.id == event.id:
            continue
        when = instant(other.starts_at)
        if other.room_id == plan.room_id:
            raise PlanRefusedError("room", f"{other.room} is taken by {other.reference}, from {when}.")
        for person in other.facilitators:
            if person.person_id in plan.facilitators:
                raise PlanRefusedError(
                    "facilitators", f"{person.name} runs {other.reference} then, from {when}."
                )


def events_during(starts_at: datetime, ends_at: datetime) -> Sequence[EventDetails]:
    """List the events, without cancelled ones, that overlap a span of time."""
    return list_events(EventFilters(begins_before=ends_at, ends_after=starts_at, without_cancelled=True))


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


# A person's own future events: where they have a place, wait for one, or run it, and what changed.

RUNS = "runs"
STATE_WORDS = {
    "asked": "Waits for approval",
    "waiting": "On the wait list",
    "offered": "A place is offered to you",
    "booked": "You have a place",
    "cancelled": "Cancelled",
    RUNS: "You run it",
}
_LATER: Any = aliased(Booking)
# A person's newest booking of each coming event, where it is open or the event was cancelled.
_COMING_BOOKINGS = select(Booking.event_id, Booking.state, Booking.offered_until, Booking.asked_at).where(
    Booking.person_id == bindparam("person_id"),
    Booking.state.in_(OPEN_BOOKINGS)
    | select(BookingChange.id)
    .where(BookingChange.booking_id == Booking.id, BookingChange.reason == EVENT_CANCELLED)
    .exists(),
    select(EventVersion.id)
    .where(EventVersion.event_id == Booking.event_id, EventVersion.ends_at > bindparam("at"))
    .exists(),
    ~select(_LATER.id)
    .where(_LATER.person_id == Booking.person_id, _LATER.event_id == Booking.event_id, _LATER.id > Booking.id)
    .exists(),
)
_COMING_RUN = (
    select(EventVersion.event_id)
    .join(EventFacilitator, EventFacilitator.event_version_id == EventVersion.id)
    .where(
        EventFacilitator.person_id == bindparam("person_id"),
        EventVersion.ends_at > bindparam("at"),
        is_newest_version(),
    )
)
_VERSIONS = (
    select(
        EventVersion.event_id,
        EventVersion.number,
        EventVersion.recorded_at,
        EventVersion.starts_at,
        EventVersion.room_id,
        EventRoom.name,
    )
    .join(EventRoom, EventRoom.id == EventVersion.room_id)
    .where(EventVersion.event_id.in_(bindparam("event_ids", expanding=True)))
    .order_by(EventVersion.event_id, EventVersion.number)
)


@dataclass(frozen=True, slots=True)
class OwnPlace:
    """One person's place at an event, their wait for one, or that they run it."""

    event: EventDetails
    state: str  # of their booking, or ``RUNS``
    offered_until: datetime | None = None
    moved_from: str = ""  # time and room of before, if it was moved since they booked

    @property
    def state_words(self) -> str:
        """The state, as the person reads it."""
        return STATE_WORDS["cancelled" if self.event.cancelled else self.state]


def list_own_places(person_id: int, at: datetime) -> list[OwnPlace]:
    """List the events to come that concern a person, the next first; cancelled ones until their day.

    Args:
        person_id: The person.
        at: Now.
    """
    who = {"person_id": person_id, "at": at}
    bookings = read(_COMING_BOOKINGS, who)
    run = [event_id for (event_id,) in read(_COMING_RUN, who)]
    events = events_with_ids({*run, *(booking.event_id for booking in bookings)})
    event_by_id = {event.id: event for event in events if event.ends_at > at}
    bookings = [booking for booking in bookings if booking.event_id in event_by_id]
    moves = _moves_since(bookings, event_by_id)
    places = [
        OwnPlace(
            event_by_id[booking.event_id],
            booking.state,
            booking.offered_until,
            moves.get(booking.event_id, ""),
        )
        for booking in bookings
    ]
    booked = {booking.event_id for booking in bookings}
    places += [OwnPlace(event_by_id[event_id], RUNS) for event_id in run if event_id not in booked]
    return sorted(places, key=lambda place: (place.event.starts_at, place.event.id))


def find_own_place(person_id: int, event: EventDetails, at: datetime) -> Booking | None:
    """The booking by which a person has a place at an event of today; None on any other day."""
    if event.cancelled or event.held_on != london_day(at):
        return None
    own_booking = (Booking.event_id == event.id, Booking.person_id == person_id, Booking.state == "booked")
    return db.session.scalar(select(Booking).where(*own_booking))


def _moves_since(bookings: Sequence[Any], events: dict[int, EventDetails]) -> dict[int, str]:
    """The time and room of each event when the person booked it, where they have changed since."""
    asked_at = {booking.event_id: booking.asked_at for booking in bookings}
    changed = [event_id for event_id in asked_at if events[event_id].number > 0]
    booked_versions: dict[int, Any] = {}
    for version in read(_VERSIONS, {"event_ids": changed}) if changed else ():
        if version.number == 0 or version.recorded_at <= asked_at[version.event_id]:
            booked_versions[version.event_id] = version
    return {
        event_id: f"{date_words(version.starts_at)}, {clock_time(version.starts_at)}, {version.name}"
        for event_id, version in booked_versions.items()
        if (version.starts_at, version.room_id) != (events[event_id].starts_at, events[event_id].room_id)
    }


# Coming events with their places, and how people with a place at past events attended.

NO_UNIT = "Without a unit"


@dataclass(frozen=True, slots=True)
class ComingEvent:
    """A future event, with its places."""

    activity_id: int
    reference: str
    title: str
    held_on: date
    room: str
    least: int  # people in one syndicate
    most: int
    places: int
    taken: int  # booked or offered
    waiting: int  # asked, or on the wait list
    left: int  # places that anybody can have
    kept: int  # places that only people of some units can have

    @property
    def untaken_places(self) -> int:
        """Places that nobody has."""
        return self.left + self.kept


@dataclass(frozen=True, slots=True)
class UnitOutcomes:
    """How people of one unit with a place attended."""

    unit: str
    booked: int
    attended: int
    part: int
    absent: int

    @property
    def not_signed_off(self) -> int:
        """Number of people who are not signed off yet."""
        return self.booked - self.attended - self.part - self.absent


def list_coming_events(at: datetime) -> list[ComingEvent]:
    """List the events that have not ended and are not cancelled, the next first. Ten statements at most."""
    details = list_events(EventFilters(ends_after=at, without_cancelled=True))
    places = {event.id: event for event in read_events([event.id for event in details], at)}
    return [
        ComingEvent(
            activity_id=event.activity_id,
            reference=event.reference,
            title=event.title,
            held_on=event.held_on,
            room=event.room,
            least=event.syndicate_least,
            most=event.syndicate_most,
            places=event.places,
            taken=event.bookings.taken,
            waiting=event.bookings.asked + event.bookings.waiting,
            left=places[event.id].free,
            kept=places[event.id].kept,
        )
        for event in details
    ]


def list_coming_bookings(activity_ids: Collection[int], today: date) -> Iterator[tuple[int, int, str, date]]:
    """Event type, person, state and day of every open booking of a future event."""
    rows = db.session.execute(
        select(Booking.activity_id, Booking.person_id, Booking.state, EventVersion.held_on)
        .join(EventVersion, EventVersion.event_id == Booking.event_id)
        .where(
            Booking.activity_id.in_(sorted(activity_ids)),
            Booking.state.in_(OPEN_BOOKINGS),
            is_newest_version(),
            EventVersion.cancelled.is_(False),
            EventVersion.held_on >= today,
        )
    )
    yield from ((activity_id, person_id, state, day) for activity_id, person_id, state, day in rows)


def read_outcomes(viewer: Viewer, since: date, today: date) -> list[UnitOutcomes]:
    """Count how people with a place at past events attended, by their unit on that day. Two statements.

    It counts the people the viewer may see, and everybody at events that the viewer runs.

    Args:
        viewer: The viewer.
        since: The first day.
        today: The last day.
    """
    by_unit: dict[int | None, Counter[str]] = defaultdict(Counter)
    for unit_id, result, people in db.session.execute(_select_outcomes(viewer, since, today)):
        by_unit[unit_id][result or "open"] += people
    units = live_units(today)
    outcomes = [
        UnitOutcomes(
            units[unit_id].label if unit_id in units else NO_UNIT,
            sum(counts.values()),
            *(counts[result] for result in ("attended", "part", "absent")),
        )
        for unit_id, counts in by_unit.items()
    ]
    return sorted(outcomes, key=lambda row: (-row.absent, row.unit))


def _select_outcomes(viewer: Viewer, since: date, today: date) -> Any:
    """Unit, outcome or None, and the number of booked people with both."""
    version, post, outcome = EventVersion, Post, AttendanceOutcome
    runs = select(EventFacilitator.event_version_id).where(EventFacilitator.person_id == viewer.person_id)
    is_of_day: Any = and_(
        post.person_id == Booking.person_id,
        post.post_key == "",
        post.valid_from <= version.held_on,
        post.valid_to >= version.held_on,
        is_known_fact(post),
    )
    is_signed_off: Any = and_(
        outcome.event_id == Booking.event_id,
        outcome.person_id == Booking.person_id,
        is_known_fact(outcome),
    )
    return (
        select(post.unit_id, outcome.outcome, func.count())
        .select_from(Booking)
        .join(version, version.event_id == Booking.event_id)
        .outerjoin(post, is_of_day)
        .outerjoin(outcome, is_signed_off)
        .where(
            Booking.state == "booked",
            is_newest_version(),
            version.cancelled.is_(False),
            version.held_on >= since,
            version.held_on <= today,
            or_(is_visible(Booking.person_id, viewer, VIEW), version.id.in_(runs)),
        )
        .group_by(post.unit_id, outcome.outcome)
    )
