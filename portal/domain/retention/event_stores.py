"""Stores of taught events: places and registers of events that are long over. Sign-off and records stay."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from portal.domain.events.models import Booking, BookingChange, EventVersion, RegisterEntry
from portal.domain.events.queries import is_newest_version
from portal.domain.retention.stores import DueRows, Limit, Store, has_row, remove_by
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


EVENTS = (
    Store("places at events", _due_bookings, _remove_bookings),
    Store("entries of registers", _due_entries, remove_by(RegisterEntry, RegisterEntry.key)),
)
