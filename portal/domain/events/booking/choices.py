"""The places that a learner could book next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.domain.events.booking.audience import EventAudience
from portal.domain.events.booking.places import can_take
from portal.domain.events.booking.reading import BookableEvent, read_events, read_units
from portal.domain.events.models import OPEN_BOOKINGS, Booking
from portal.domain.events.queries import EventDetails, EventFilters, list_events
from portal.domain.events.rooms import Nearness, unit_of_person
from portal.domain.people.units.tree import read_tree
from portal.platform.clock import london_day
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """An event at which somebody has a booking, or could have one."""

    event: EventDetails
    places: BookableEvent
    near: bool  # its room is near their unit
    can_take: bool  # a place, at once
    booking: Booking | None


def list_next_places(person_id: int, keys: Sequence[str], at: datetime) -> list[PlaceChoice]:
    """List the future events that somebody may book: the nearest first, then the soonest.

    Args:
        person_id: The person who would attend.
        keys: Of event types; empty: all.
        at: Now.
    """
    events = list_events(EventFilters(keys=tuple(keys), begins_after=at, without_cancelled=True))
    audience = EventAudience({event.activity_id for event in events}, [person_id])
    booked_activities = {booking.activity_id for booking in _list_open_bookings(person_id)}
    open_events = [
        event
        for event in events
        if event.activity_id not in booked_activities
        and audience.may_attend(person_id, event.activity_id, event.held_on)
    ]
    return _build_choices(person_id, open_events, at)


def read_choice(person_id: int, event: EventDetails, at: datetime) -> PlaceChoice:
    """Read one event as a choice of somebody."""
    return _build_choices(person_id, [event], at)[0]


def _list_open_bookings(person_id: int) -> list[Booking]:
    own_open = (Booking.person_id == person_id, Booking.sitting == 0, Booking.state.in_(OPEN_BOOKINGS))
    return list(db.session.scalars(select(Booking).where(*own_open)))


def _build_choices(person_id: int, events: Sequence[EventDetails], at: datetime) -> list[PlaceChoice]:
    if not events:
        return []
    tree, today = read_tree(), london_day(at)
    nearness = Nearness(unit_of_person(person_id, today), today, tree)
    units = read_units([person_id], today, tree)[person_id]
    ids = [event.id for event in events]
    places = {row.id: row for row in read_events(ids, at)}
    own_bookings = select(Booking).where(Booking.person_id == person_id, Booking.event_id.in_(ids))
    bookings = {
        row.event_id: row for row in db.session.scalars(own_bookings.order_by(Booking.id))
    }  # the newest
    return [
        PlaceChoice(
            event=event,
            places=places[event.id],
            near=nearness.is_near(event),
            can_take=can_take(places[event.id].sitting, places[event.id].holders, units),
            booking=bookings.get(event.id),
        )
        for event in nearness.sort_near_first(events)
    ]
