"""Reads events with their open bookings for the rules of ``places``; few statements for many events."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.events.booking.audience import EventAudience
from portal.domain.events.booking.places import (
    HOLDS_A_PLACE,
    KeptPlaces,
    Seat,
    Sitting,
    count_free,
    count_kept,
    list_holders,
)
from portal.domain.events.models import (
    OPEN_BOOKINGS,
    Booking,
    Event,
    EventRoom,
    EventVersion,
    PlaceReservation,
)
from portal.domain.events.queries import is_newest_version
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import NotFoundError

NO_EVENT = "There is no such event."


@dataclass(frozen=True, slots=True)
class BookableEvent:
    """A dated event as its newest version says, and its open bookings."""

    id: int
    reference: str
    activity_id: int
    approval: bool
    room_unit_id: int | None
    sitting: Sitting
    seats: tuple[Seat, ...]
    person_ids: tuple[int, ...]  # of each seat

    @property
    def holders(self) -> list[frozenset[int]]:
        """The units of each person who holds a place."""
        return list_holders(self.seats)

    @property
    def taken(self) -> int:
        """Places that are booked or offered."""
        return sum(seat.state in HOLDS_A_PLACE for seat in self.seats)

    @property
    def free(self) -> int:
        """Places that anybody could have."""
        return count_free(self.sitting, self.holders)

    @property
    def kept(self) -> int:
        """Places that are still kept for people of units."""
        return count_kept(self.sitting.kept, self.holders)

    @property
    def waiting(self) -> int:
        """People on the wait list."""
        return sum(seat.state == "waiting" for seat in self.seats)

    def is_open(self, at: datetime) -> bool:
        """Whether places can be booked: the event has not begun and is not cancelled."""
        return not self.sitting.cancelled and at < self.sitting.starts_at


def id_of_event(reference: str) -> int:
    """Find the id of an event.

    Raises:
        NotFoundError: No event has this reference.
    """
    event_id = db.session.scalar(select(Event.id).where(Event.reference == reference))
    if event_id is None:
        raise NotFoundError(NO_EVENT)
    return event_id


def read_event(event_id: int, at: datetime) -> BookableEvent:
    """Read one event with its open bookings."""
    return read_events([event_id], at)[0]


def read_events(event_ids: Collection[int], at: datetime) -> list[BookableEvent]:
    """Read events with their open bookings, the soonest first. Seven statements at most."""
    statement = (
        select(Event, EventVersion, EventTypeVersion, EventRoom)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .join(EventTypeVersion, EventTypeVersion.id == EventVersion.type_version_id)
        .join(EventRoom, EventRoom.id == EventVersion.room_id)
        .where(Event.id.in_(event_ids), is_newest_version())
        .order_by(EventVersion.starts_at, Event.id)
        .execution_options(populate_existing=True)
    )
    rows = db.session.execute(statement).all()
    if not rows:
        return []
    tree = read_tree()
    kept = _read_kept(event_ids, london_day(at), tree)
    days = {event.id: (event.activity_id, version.held_on) for event, version, _, _ in rows}
    seats = _read_seats(days, london_day(at), tree)
    return [_build_event(*row, kept[row[0].id], seats[row[0].id]) for row in rows]


def count_places_left(event_ids: Collection[int], at: datetime) -> dict[int, int]:
    """Count the places of each event that anybody could have, without kept ones; 0 if cancelled."""
    events = read_events(event_ids, at)
    return {event.id: 0 if event.sitting.cancelled else event.free for event in events}


def _build_event(
    event: Event,
    version: EventVersion,
    event_type: EventTypeVersion,
    room: EventRoom,
    kept: Iterable[KeptPlaces],
    seats: Iterable[tuple[int, Seat]],
) -> BookableEvent:
    seats_by_person = list(seats)
    return BookableEvent(
        id=event.id,
        reference=event.reference,
        activity_id=event.activity_id,
        approval=event_type.approval,
        room_unit_id=room.unit_id,
        sitting=Sitting(version.starts_at, version.held_on, version.places, version.cancelled, tuple(kept)),
        seats=tuple(seat for _, seat in seats_by_person),
        person_ids=tuple(person_id for person_id, _ in seats_by_person),
    )


def _read_kept(event_ids: Collection[int], today: date, tree: UnitTree) -> dict[int, list[KeptPlaces]]:
    rows = db.session.execute(
        select(PlaceReservation.event_id, PlaceReservation.unit_id, PlaceReservation.places).where(
            PlaceReservation.event_id.in_(event_ids), PlaceReservation.until_on >= today
        )
    )
    kept = defaultdict[int, list[KeptPlaces]](list)
    for event_id, unit_id, places in rows:
        depth = sum(1 for _ in tree.states_above(unit_id, today))
        kept[event_id].append(KeptPlaces(unit_id, places, depth))
    return kept


def _read_seats(
    days: dict[int, tuple[int, date]], today: date, tree: UnitTree
) -> dict[int, list[tuple[int, Seat]]]:
    statement = select(
        Booking.event_id,
        Booking.id,
        Booking.person_id,
        Booking.state,
        Booking.asked_at,
        Booking.offered_until,
    ).where(Booking.event_id.in_(days), Booking.state.in_(OPEN_BOOKINGS))
    rows = db.session.execute(statement.order_by(Booking.asked_at, Booking.id)).all()
    people = {row.person_id for row in rows}
    audience = EventAudience({activity_id for activity_id, _ in days.values()}, people)
    units = read_units(people, today, tree)
    seats = defaultdict[int, list[tuple[int, Seat]]](list)
    for row in rows:
        seat = Seat(
            booking_id=row.id,
            state=row.state,
            asked_at=row.asked_at,
            offered_until=row.offered_until,
            units=units[row.person_id],
            expected=audience.may_attend(row.person_id, *days[row.event_id]),
        )
        seats[row.event_id].append((row.person_id, seat))
    return seats


def read_units(people: Collection[int], day: date, tree: UnitTree) -> dict[int, frozenset[int]]:
    """Read, for each person, the units of their posts on a day and all units above them. One statement."""
    rows = db.session.execute(
        select(Post.person_id, Post.unit_id).where(
            Post.person_id.in_(people), is_known_fact(Post), is_valid_on(Post, day)
        )
    )
    units: dict[int, set[int]] = {person_id: set() for person_id in people}
    for person_id, unit_id in rows:
        units[person_id].update(state.unit_id for state in tree.states_above(unit_id, day))
    return {person_id: frozenset(ids) for person_id, ids in units.items()}
