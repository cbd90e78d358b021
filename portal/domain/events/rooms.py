"""Rooms in which events are held: their list, their changes, and which of them are near a unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from portal.domain.events.models import EventRoom
from portal.domain.events.queries import EventDetails, EventFilters, list_events
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.audit.services import log
from portal.platform.db import db, take_writers_lock
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.wording import plural

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
    """Find a room.

    Raises:
        NotFoundError: There is no such room.
    """
    room = db.session.get(EventRoom, room_id)
    if room is None:
        raise NotFoundError("There is no such room.")
    return room


def save_room(room_id: int | None, details: RoomDetails, *, by: int, at: datetime) -> int:
    """Add a room, or change one; return its id. A closed room keeps the events that are planned there.

    Raises:
        NotFoundError: There is no such room.
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
