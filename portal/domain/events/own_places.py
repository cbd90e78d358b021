"""A person's own future events: where they have a place, wait for one, or run it, and what changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased

from portal.domain.events.models import (
    OPEN_BOOKINGS,
    Booking,
    BookingChange,
    EventFacilitator,
    EventRoom,
    EventVersion,
)
from portal.domain.events.queries import EventDetails, events_with_ids, is_newest_version
from portal.domain.events.services import EVENT_CANCELLED
from portal.platform.clock import london_day
from portal.platform.db import db, read
from portal.platform.wording import clock_time
from portal.platform.wording import date as date_words

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
