"""Coming events with their places, and what became of booked places at past ones."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.events.models import (
    OPEN_BOOKINGS,
    AttendanceOutcome,
    Booking,
    Event,
    EventFacilitator,
    EventRoom,
    EventVersion,
    PlaceReservation,
)
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.domain.people.queries import live_units
from portal.domain.people.visibility.rules import Viewer, is_visible
from portal.platform.db import db
from portal.platform.permissions import Permission

TAKES_PLACE = ("booked", "offered")  # an offered place is kept until the offer lapses
NO_UNIT = "Without a unit"

_later = aliased(EventVersion)
# The version of an event that holds.
HOLDS = ~select(_later.id).where(
    _later.event_id == EventVersion.event_id, _later.number > EventVersion.number
).correlate(EventVersion).exists()  # fmt: skip


@dataclass(frozen=True, slots=True)
class ComingEvent:
    """A future event, with its places."""

    event_id: int
    activity_id: int
    reference: str
    title: str
    held_on: date
    room: str
    places: int
    least: int  # people in one syndicate
    most: int
    taken: int  # booked or offered
    waiting: int  # asked, or on the wait list
    reserved: int  # places kept for units, whether taken or not

    @property
    def left(self) -> int:
        """Places that nobody has."""
        return max(self.places - self.taken, 0)


@dataclass(frozen=True, slots=True)
class UnitOutcomes:
    """What became of the booked places of one unit's people."""

    unit: str
    booked: int
    attended: int
    part: int
    absent: int

    @property
    def open(self) -> int:
        """Places of which nobody has signed off anything yet."""
        return self.booked - self.attended - self.part - self.absent


def list_coming(today: date) -> list[ComingEvent]:
    """The events from today on that are not cancelled, in order; three statements."""
    version = EventVersion
    rows = db.session.execute(
        select(
            Event.id,
            Event.activity_id,
            Event.reference,
            EventTypeVersion.title,
            version.held_on,
            EventRoom.name,
            version.places,
            EventTypeVersion.syndicate_least,
            EventTypeVersion.syndicate_most,
        )
        .join(version, version.event_id == Event.id)
        .join(EventTypeVersion, EventTypeVersion.id == version.type_version_id)
        .join(EventRoom, EventRoom.id == version.room_id)
        .where(HOLDS, version.cancelled.is_(False), version.held_on >= today)
        .order_by(version.starts_at, Event.id)
    ).all()
    taken, waiting, reserved = _count_places([row[0] for row in rows], today)
    return [ComingEvent(*row, taken[row[0]], waiting[row[0]], reserved[row[0]]) for row in rows]


def _count_places(event_ids: Collection[int], today: date) -> tuple[Counter[int], Counter[int], Counter[int]]:
    """How many places of each event are taken, waited for, and kept for units."""
    taken, waiting, reserved = Counter[int](), Counter[int](), Counter[int]()
    counted = select(Booking.event_id, Booking.state, func.count()).where(
        Booking.event_id.in_(event_ids), Booking.state.in_(OPEN_BOOKINGS)
    )
    for event_id, state, people in db.session.execute(counted.group_by(Booking.event_id, Booking.state)):
        (taken if state in TAKES_PLACE else waiting)[event_id] += people
    kept = select(PlaceReservation.event_id, func.sum(PlaceReservation.places)).where(
        PlaceReservation.event_id.in_(event_ids), PlaceReservation.until_on >= today
    )
    for event_id, places in db.session.execute(kept.group_by(PlaceReservation.event_id)):
        reserved[event_id] += int(places)
    return taken, waiting, reserved


def coming_bookings(activity_ids: Collection[int], today: date) -> Iterator[tuple[int, int, str, date]]:
    """Event type, person, state and day of every open booking of a future event."""
    rows = db.session.execute(
        select(Booking.activity_id, Booking.person_id, Booking.state, EventVersion.held_on)
        .join(EventVersion, EventVersion.event_id == Booking.event_id)
        .where(
            Booking.activity_id.in_(sorted(activity_ids)),
            Booking.state.in_(OPEN_BOOKINGS),
            HOLDS,
            EventVersion.cancelled.is_(False),
            EventVersion.held_on >= today,
        )
    )
    yield from ((activity_id, person_id, state, day) for activity_id, person_id, state, day in rows)


def read_outcomes(viewer: Viewer, since: date, today: date) -> list[UnitOutcomes]:
    """What became of booked places at past events, by the unit of the day of the event; two statements.

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
    found = [
        UnitOutcomes(
            units[unit_id].label if unit_id in units else NO_UNIT,
            sum(counts.values()),
            *(counts[result] for result in ("attended", "part", "absent")),
        )
        for unit_id, counts in by_unit.items()
    ]
    return sorted(found, key=lambda line: (-line.absent, line.unit))


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
            HOLDS,
            version.cancelled.is_(False),
            version.held_on >= since,
            version.held_on <= today,
            or_(is_visible(Booking.person_id, viewer, Permission.EVENT_VIEW), version.id.in_(runs)),
        )
        .group_by(post.unit_id, outcome.outcome)
    )
