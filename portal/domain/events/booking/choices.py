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
    """The future events that somebody may book: the nearest first, then the soonest.

    Args:
        person_id: The person who would attend.
        keys: Of event types; empty: all.
        at: This instant.
    """
    events = list_events(EventFilters(keys=tuple(keys), begins_after=at, without_cancelled=True))
    audience = EventAudience({event.activity_id for event in events}, [person_id])
    booked_activities = {booking.activity_id for booking in _list_open_bookings(person_id)}
    open_events = [
        event
        for event in events
        if event.activity_id not in booked_activities
        and audience.expects(person_id, event.activity_id, event.held_on)
    ]
    return _build_choices(person_id, open_events, at)


def read_choice(person_id: int, event: EventDetails, at: datetime) -> PlaceChoice:
    """One event as somebody may book it."""
    return _build_choices(person_id, [event], at)[0]


def _list_open_bookings(person_id: int) -> list[Booking]:
    mine = (Booking.person_id == person_id, Booking.sitting == 0, Booking.state.in_(OPEN_BOOKINGS))
    return list(db.session.scalars(select(Booking).where(*mine)))


def _build_choices(person_id: int, events: Sequence[EventDetails], at: datetime) -> list[PlaceChoice]:
    if not events:
        return []
    tree, today = read_tree(), london_day(at)
    near = Nearness(unit_of_person(person_id, today), today, tree)
    units = read_units([person_id], today, tree)[person_id]
    ids = [event.id for event in events]
    places = {each.id: each for each in read_events(ids, at)}
    mine = select(Booking).where(Booking.person_id == person_id, Booking.event_id.in_(ids))
    bookings = {row.event_id: row for row in db.session.scalars(mine.order_by(Booking.id))}  # the newest
    return [
        PlaceChoice(
            event=event,
            places=places[event.id],
            near=near.is_near(event),
            can_take=can_take(places[event.id].sitting, places[event.id].holders, units),
            booking=bookings.get(event.id),
        )
        for event in near.sort_near_first(events)
    ]
