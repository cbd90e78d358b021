"""Entries of a person's timeline about taught events: places, and attendance in part or not at all.

Attendance has a record, which the timeline shows with the other records.
"""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.reports.person import TimelineEvent, events_with_corrections
from portal.features.events.models import AttendanceOutcome, Booking, BookingChange, Event, EventVersion
from portal.features.events.queries import is_newest_version
from portal.features.events.register import describe_outcome
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


def list_entries(person_id: int) -> Iterator[TimelineEvent]:
    """The entries about a person's places and attendance."""
    yield from _list_place_entries(person_id)
    yield from _list_outcome_entries(person_id)


def _list_place_entries(person_id: int) -> Iterator[TimelineEvent]:
    for change, words in list_places(person_id):
        yield TimelineEvent(change.recorded_at, words, change.recorded_at)


def _list_outcome_entries(person_id: int) -> Iterator[TimelineEvent]:
    """Events that were attended in part or not at all; attendance is shown as its record."""

    def make_event(row: AttendanceOutcome, words: str) -> TimelineEvent:
        return TimelineEvent(row.signed_off_on, words, row.recorded_at, replaces=row.replaces_id is not None)

    outcomes = [pair for pair in list_outcomes(person_id) if not pair[0].void]
    replaced = {row.replaces_id for row, _ in outcomes}
    events = events_with_corrections(outcomes, make_event)
    for (row, _), event in zip(outcomes, events, strict=True):
        if row.outcome != "attended" or row.id in replaced:
            yield event
