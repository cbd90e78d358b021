"""Coming events with their places, and how people with a place at past events attended."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from portal.domain.events.booking.reading import read_events
from portal.domain.events.models import (
    OPEN_BOOKINGS,
    AttendanceOutcome,
    Booking,
    EventFacilitator,
    EventVersion,
)
from portal.domain.events.queries import EventFilters, is_newest_version, list_events
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.domain.people.queries import live_units
from portal.domain.people.visibility.rules import Viewer, is_visible
from portal.platform.db import db
from portal.platform.permissions import Permission

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
            or_(is_visible(Booking.person_id, viewer, Permission.EVENT_VIEW), version.id.in_(runs)),
        )
        .group_by(post.unit_id, outcome.outcome)
    )
