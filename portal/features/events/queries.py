"""Reads of dated events: when and where each is, who runs it, and how many places are taken."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import ColumnElement, bindparam, exists, func, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, EventTypeVersion
from portal.domain.people.models import PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.units import UnitTree, read_tree
from portal.domain.people.visibility import is_valid_on
from portal.features.events.models import Booking, Event, EventFacilitator, EventRoom, EventVersion
from portal.features.events.places import HOLDS_A_PLACE
from portal.platform.audit import log
from portal.platform.clock import format_utc
from portal.platform.db import db, read, take_writers_lock
from portal.platform.errors import NotFoundError, RuleError, require
from portal.platform.formats.calendar_files import CalendarMethod, Meeting, write_meeting
from portal.platform.wording import plural

_OF_TYPE = (
    EventTypeVersion.title,
    EventTypeVersion.minutes,
    EventTypeVersion.facilitators,
    EventTypeVersion.syndicate_least,
    EventTypeVersion.syndicate_most,
)
_LATER: Any = aliased(EventVersion)
_BOOKING_COUNTS = (
    select(Booking.event_id, Booking.state, func.count())
    .where(Booking.event_id.in_(bindparam("event_ids", expanding=True)))
    .group_by(Booking.event_id, Booking.state)
)
_FACILITATORS = (
    select(
        EventFacilitator.event_version_id,
        PersonName.person_id,
        PersonName.staff_number,
        PersonName.forenames,
        PersonName.surname,
    )
    .join(PersonName, PersonName.person_id == EventFacilitator.person_id)
    .where(EventFacilitator.event_version_id.in_(bindparam("version_ids", expanding=True)))
    .order_by(PersonName.surname, PersonName.staff_number)
)


@dataclass(frozen=True, slots=True)
class BookingCounts:
    """Number of bookings of one event by state."""

    by_state: dict[str, int] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        """Places that nobody else can have."""
        return sum(self.by_state.get(state, 0) for state in HOLDS_A_PLACE)

    @property
    def booked(self) -> int:
        """People who have a place."""
        return self.by_state.get("booked", 0)

    @property
    def offered(self) -> int:
        """People who have an offer of a place, which is kept for them."""
        return self.by_state.get("offered", 0)

    @property
    def waiting(self) -> int:
        """People on the wait list, without an offer."""
        return self.by_state.get("waiting", 0)

    @property
    def asked(self) -> int:
        """People whose request waits for approval."""
        return self.by_state.get("asked", 0)


@dataclass(frozen=True, slots=True)
class EventPerson:
    """Somebody who runs an event, by name."""

    person_id: int
    staff_number: str
    name: str


@dataclass(frozen=True, slots=True)
class EventDetails:
    """An event as its newest version says."""

    id: int
    reference: str
    activity_id: int
    key: str  # of the event type
    series: UUID | None
    number: int  # of the version, from 0
    version_id: int
    planned_at: datetime  # when the event was first planned
    recorded_at: datetime  # of the version
    type_version_id: int
    title: str
    minutes: int  # by the event type
    facilitators_needed: int
    syndicate_least: int
    syndicate_most: int
    starts_at: datetime
    ends_at: datetime
    held_on: date
    room_id: int
    room: str
    room_unit_id: int | None
    directions: str
    syndicates: int
    places: int
    notes: str
    cancelled: bool
    reason: str
    facilitators: tuple[EventPerson, ...]
    bookings: BookingCounts

    def is_run_by(self, person_id: int) -> bool:
        """Whether this person is one of its facilitators."""
        return any(person.person_id == person_id for person in self.facilitators)


@dataclass(frozen=True, slots=True)
class EventFilters:
    """Which events a list has; what is not set does not restrict it."""

    keys: tuple[str, ...] = ()  # of event types
    begins_after: datetime | None = None
    begins_before: datetime | None = None
    ends_after: datetime | None = None
    room_id: int | None = None
    series: UUID | None = None
    without_cancelled: bool = False


def event_details(reference: str) -> EventDetails:
    """Read the newest version of the event with a reference."""
    events = _read_events(_NEWEST.where(Event.reference == reference))
    if not events:
        raise NotFoundError(f"There is no event {reference}.")
    return events[0]


def list_events(filters: EventFilters = EventFilters()) -> list[EventDetails]:
    """List the events that match the filters, the next first. Three statements, however many events."""
    return _read_events(_NEWEST.where(*_conditions_of(filters)))


def events_with_ids(ids: Collection[int]) -> list[EventDetails]:
    """These events, the next first."""
    return _read_events(_NEWEST.where(Event.id.in_(ids))) if ids else []


@dataclass(frozen=True, slots=True)
class EventChange:
    """One version of an event, and why it differs from the one before."""

    number: int
    recorded_at: datetime
    starts_at: datetime
    room: str
    places: int
    cancelled: bool
    reason: str
    changed_by: str  # empty once the name is erased


def list_versions(event_id: int) -> list[EventChange]:
    """Every version of an event, the first one first."""
    statement = (
        select(EventVersion, EventRoom.name, PersonName.forenames, PersonName.surname)
        .join(EventRoom, EventRoom.id == EventVersion.room_id)
        .outerjoin(PersonName, PersonName.person_id == EventVersion.changed_by_id)
        .where(EventVersion.event_id == event_id)
        .order_by(EventVersion.number)
    )
    return [
        EventChange(
            number=version.number,
            recorded_at=version.recorded_at,
            starts_at=version.starts_at,
            room=room,
            places=version.places,
            cancelled=version.cancelled,
            reason=version.reason,
            changed_by=f"{forenames or ''} {surname or ''}".strip(),
        )
        for version, room, forenames, surname in db.session.execute(statement)
    ]


def count_bookings(event_ids: Collection[int]) -> dict[int, BookingCounts]:
    """How many bookings of each of these events are in which state; one statement."""
    counts: dict[int, dict[str, int]] = {}
    for event_id, state, count in read(_BOOKING_COUNTS, {"event_ids": event_ids}) if event_ids else ():
        counts.setdefault(event_id, {})[state] = count
    return {event_id: BookingCounts(counts.get(event_id, {})) for event_id in event_ids}


_CONDITIONS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "keys": Activity.key.in_,
    "begins_after": lambda at: EventVersion.starts_at >= at,
    "begins_before": lambda at: EventVersion.starts_at < at,
    "ends_after": lambda at: EventVersion.ends_at > at,
    "room_id": lambda room_id: EventVersion.room_id == room_id,
    "series": lambda series: Event.series == series,
    "without_cancelled": lambda _: ~EventVersion.cancelled,
}


def _conditions_of(filters: EventFilters) -> list[ColumnElement[bool]]:
    return [make(value) for name, make in _CONDITIONS.items() if (value := getattr(filters, name))]


def is_newest_version() -> ColumnElement[bool]:
    """WHERE clause: the row of ``EventVersion`` is the newest of its event."""
    return ~exists().where(_LATER.event_id == EventVersion.event_id, _LATER.number > EventVersion.number)


_NEWEST: Any = (
    select(Event, EventVersion, Activity.key, *_OF_TYPE, EventRoom)
    .join(EventVersion, EventVersion.event_id == Event.id)
    .join(Activity, Activity.id == Event.activity_id)
    .join(EventTypeVersion, EventTypeVersion.id == EventVersion.type_version_id)
    .join(EventRoom, EventRoom.id == EventVersion.room_id)
    .where(is_newest_version())
    .order_by(EventVersion.starts_at, Event.id)
)


def _read_events(statement: Any) -> list[EventDetails]:
    rows = db.session.execute(statement).all()
    facilitators = _facilitators_by_version([version.id for _, version, *_ in rows])
    counts = count_bookings([event.id for event, *_ in rows])
    return [
        EventDetails(
            id=event.id,
            reference=event.reference,
            activity_id=event.activity_id,
            key=key,
            series=event.series,
            number=version.number,
            version_id=version.id,
            planned_at=event.recorded_at,
            recorded_at=version.recorded_at,
            type_version_id=version.type_version_id,
            title=title,
            minutes=minutes,
            facilitators_needed=needed,
            syndicate_least=least,
            syndicate_most=most,
            starts_at=version.starts_at,
            ends_at=version.ends_at,
            held_on=version.held_on,
            room_id=room.id,
            room=room.name,
            room_unit_id=room.unit_id,
            directions=room.directions,
            syndicates=version.syndicates,
            places=version.places,
            notes=version.notes,
            cancelled=version.cancelled,
            reason=version.reason,
            facilitators=tuple(facilitators.get(version.id, ())),
            bookings=counts[event.id],
        )
        for event, version, key, title, minutes, needed, least, most, room in rows
    ]


def _facilitators_by_version(version_ids: Sequence[int]) -> dict[int, list[EventPerson]]:
    """The facilitators of each version, by name; one whose name was erased is left out."""
    people: dict[int, list[EventPerson]] = {}
    for row in read(_FACILITATORS, {"version_ids": version_ids}) if version_ids else ():
        person = EventPerson(row.person_id, row.staff_number, f"{row.forenames} {row.surname}".strip())
        people.setdefault(row.event_version_id, []).append(person)
    return people


# Rooms in which events are held: their list, their changes, and which of them are near a unit.

FAR = 1_000  # steps: a room that is near no unit, or not in the same force's tree
NEAR = 1  # steps: within one's own unit, or within the unit above it


@dataclass(frozen=True, slots=True)
class RoomDetails:
    """The details of a room that can be changed."""

    name: str
    unit_id: int | None
    capacity: int
    directions: str
    closed: bool = False


class RoomRefusedError(RuleError):
    """Details of a room that are refused; ``field`` names the field that is wrong."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


def list_rooms(*, with_closed: bool = True) -> Sequence[EventRoom]:
    """Every room, by name."""
    statement = select(EventRoom).order_by(EventRoom.name)
    return db.session.scalars(statement if with_closed else statement.where(~EventRoom.closed)).all()


def room_with_id(room_id: int) -> EventRoom:
    """Find a room."""
    return require(db.session.get(EventRoom, room_id), "There is no such room.")


def save_room(room_id: int | None, details: RoomDetails, *, by: int, at: datetime) -> int:
    """Add a room, or change one; return its id. A closed room keeps the events that are planned there.

    Raises:
        RoomRefusedError: Another room has its name, or a future event has more places than its new capacity.
    """
    take_writers_lock()  # so that people who save a room or plan an event at once see each other's changes
    namesake = db.session.scalar(select(EventRoom).where(EventRoom.name == details.name))
    if namesake is not None and namesake.id != room_id:
        raise RoomRefusedError("name", f"There is already a room called {details.name}. Enter another name.")
    room = EventRoom() if room_id is None else room_with_id(room_id)
    if room_id is not None:
        _refuse_too_few_seats(room_id, details.capacity, at)
    room.name, room.unit_id, room.capacity = details.name, details.unit_id, details.capacity
    room.directions, room.closed = details.directions, details.closed
    db.session.add(room)
    db.session.flush()
    log("event_room.saved", actor_id=by, room=room.name)
    return room.id


def _refuse_too_few_seats(room_id: int, capacity: int, at: datetime) -> None:
    coming = list_events(EventFilters(room_id=room_id, ends_after=at, without_cancelled=True))
    largest = max(coming, key=lambda event: event.places, default=None)
    if largest is not None and largest.places > capacity:
        raise RoomRefusedError(
            "capacity",
            f"{largest.reference} has {plural(largest.places, 'place')} in this room. Change it first.",
        )


def unit_of_person(person_id: int, day: date) -> int | None:
    """The unit of the person's main post on a day; None without one."""
    statement = select(Post.unit_id).where(
        Post.person_id == person_id, is_known_fact(Post), is_valid_on(Post, day)
    )
    return db.session.scalar(statement.order_by(Post.post_key).limit(1))


class Nearness:
    """How near rooms are to one unit, by the tree of units on one day."""

    def __init__(self, unit_id: int | None, day: date, tree: UnitTree | None = None) -> None:
        self.tree, self.day = tree or read_tree(), day
        self._above = self._path_of(unit_id)

    def _path_of(self, unit_id: int | None) -> list[int]:
        return [state.unit_id for state in self.tree.states_above(unit_id, self.day)]

    def steps_to(self, room_unit_id: int | None) -> int:
        """Number of units to go up from the own unit to the first one that contains the room's unit."""
        units = set(self._path_of(room_unit_id))
        return next((steps for steps, unit_id in enumerate(self._above) if unit_id in units), FAR)

    def is_near(self, event: EventDetails) -> bool:
        """Whether an event is held within one's own unit, or within the unit above it."""
        return self.steps_to(event.room_unit_id) <= NEAR

    def sort_near_first(self, events: Iterable[EventDetails]) -> list[EventDetails]:
        """The nearest events first; of those equally near, the next first."""
        return sorted(events, key=lambda event: (self.steps_to(event.room_unit_id), event.starts_at))


# An event as an entry of a calendar, whose later versions replace it there.


def calendar_name_of(event: EventDetails) -> str:
    """The name under which every calendar knows the event, whatever becomes of it: reference and birth."""
    return str(uuid5(NAMESPACE_URL, f"events/{event.reference}/{format_utc(event.planned_at)}"))


def write_event_file(
    event: EventDetails,
    *,
    force: str,
    address: str,
    at: datetime,
    method: CalendarMethod = CalendarMethod.PUBLISH,
    organiser: str = "",
    attendee: str = "",
) -> bytes:
    """Write an event as a calendar file.

    The version's number is the sequence, so that Outlook replaces its entry; an end removes it.

    Args:
        event: The event.
        force: Name of the force.
        address: Of the portal, for links.
        at: Now.
        method: What the calendar is to do; a cancelled event is always removed.
        organiser: Email address of the sender, in a mail.
        attendee: Email address of the reader, in a mail.
    """
    gone = event.cancelled or method is CalendarMethod.CANCEL
    page = f"{address}/events/{quote(event.reference, safe='')}"
    meeting = Meeting(
        uid=calendar_name_of(event),
        sequence=event.number,
        changed_at=event.recorded_at,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        summary=f"{'Cancelled: ' if gone else ''}{event.title}",
        location=event.room,
        description=_description_of(event, page),
        url=page,
        cancelled=gone,
        organiser=organiser,
        attendee=attendee,
    )
    return write_meeting(f"{force} Learning portal", meeting, CalendarMethod.CANCEL if gone else method, at)


def _description_of(event: EventDetails, page: str) -> str:
    texts = [f"Cancelled: {event.reason}" if event.cancelled else "", event.notes, event.directions, page]
    return "\n\n".join(text for text in texts if text)
