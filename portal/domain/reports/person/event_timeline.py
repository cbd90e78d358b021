"""The timeline's entries about taught events: places, and attendance in part or not at all.

Attendance has a record, which the timeline shows with the other records.
"""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.events.models import (
    AttendanceOutcome,
    Booking,
    BookingChange,
    Event,
    EventVersion,
)
from portal.domain.events.queries import is_newest_version
from portal.domain.events.sign_off.reasons import describe_outcome
from portal.platform import wording as say
from portal.platform.db import db

_PLACES = {
    "asked": "Asked for a place at",
    "waiting": "On the wait list of",
    "offered": "Offered a place at",
    "booked": "Booked a place at",
    "declined": "Was declined a place at",
    "cancelled": "Place cancelled at",
    "lapsed": "Offer of a place lapsed at",
    "left": "Place ended with their posts at",
}
_EVENT = (Event.reference, EventTypeVersion.title, EventVersion.held_on)


def list_places(person_id: int) -> Iterator[tuple[BookingChange, str]]:
    """What became of a person's places at events, in words. One statement."""
    rows = db.session.execute(
        select(BookingChange, *_EVENT)
        .join(Booking, Booking.id == BookingChange.booking_id)
        .join(Event, Event.id == Booking.event_id)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .join(EventTypeVersion, EventTypeVersion.id == EventVersion.type_version_id)
        .where(Booking.person_id == person_id, is_newest_version())
    )
    for change, reference, title, held_on in rows:
        yield change, f"{_PLACES[change.state]} {_name_event(reference, title, held_on)}"


def list_outcomes(person_id: int) -> list[tuple[AttendanceOutcome, str]]:
    """How a person was signed off, corrections included, in words. One statement."""
    rows = db.session.execute(
        select(AttendanceOutcome, *_EVENT)
        .join(Event, Event.id == AttendanceOutcome.event_id)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .join(EventTypeVersion, EventTypeVersion.id == EventVersion.type_version_id)
        .where(AttendanceOutcome.person_id == person_id, is_newest_version())
    )
    return [
        (
            row,
            f"{_name_event(reference, title, held_on)}: {describe_outcome(row.outcome, row.reason).lower()}",
        )
        for row, reference, title, held_on in rows
    ]


def _name_event(reference: str, title: str, held_on: date) -> str:
    return f"{title} on {say.date(held_on)}, {reference}"
