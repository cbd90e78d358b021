"""What is kept of events for a time: places and registers. Sign-off and records stay."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from portal.domain.retention.classes import FeatureClass, RetentionClass
from portal.domain.retention.stores import DueRows, Limit, Store, has_row, remove_by
from portal.features.events.models import Booking, BookingChange, EventVersion, RegisterEntry
from portal.features.events.queries import is_newest_version
from portal.platform.db import db


def _due_bookings(limit: Limit) -> DueRows:
    """Bookings of events that were held, or were to be, by the day; none that changed since."""
    changed_since = has_row(
        BookingChange.booking_id, Booking.id, BookingChange.recorded_at >= limit.before_at
    )
    source = select().select_from(Booking).join(EventVersion, EventVersion.event_id == Booking.event_id)
    source = source.where(is_newest_version(), EventVersion.held_on <= limit.through_on, ~changed_since)
    return DueRows(Booking.id, EventVersion.held_on, source, (Booking.person_id, Booking.booked_by_id))


def _remove_bookings(ids: Sequence[Any]) -> None:
    """Remove bookings with their trail; the database lets this through for a granted disposal alone."""
    db.session.execute(delete(BookingChange).where(BookingChange.booking_id.in_(ids)))
    db.session.execute(delete(Booking).where(Booking.id.in_(ids)))


def _due_entries(limit: Limit) -> DueRows:
    source = select().select_from(RegisterEntry)
    source = source.join(EventVersion, EventVersion.event_id == RegisterEntry.event_id).where(
        is_newest_version(),
        EventVersion.held_on <= limit.through_on,
        RegisterEntry.recorded_at < limit.before_at,
    )
    people = (RegisterEntry.person_id, RegisterEntry.noted_by_id)
    return DueRows(RegisterEntry.key, EventVersion.held_on, source, people)


CLASSES = (
    FeatureClass(
        "requests",
        RetentionClass(
            "events",
            "Places and registers of events",
            "Bookings of events with what became of them, and what was noted in registers.",
            "Who was signed off how, and attendance records.",
            "the day of the event",
            "Long enough to see who books and does not come, and to correct a sign-off that is found wrong.",
            24,
            13,
        ),
        (
            Store("places at events", _due_bookings, _remove_bookings),
            Store("entries of registers", _due_entries, remove_by(RegisterEntry, RegisterEntry.key)),
        ),
        "{events}",
    ),
)
