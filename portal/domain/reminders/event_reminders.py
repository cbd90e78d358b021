"""Reminders of events that are near: noted as acts, from which their mails follow."""

from datetime import date, timedelta

from sqlalchemy import select

from portal.domain.events.models import Booking
from portal.domain.events.queries import EventFilters, list_events
from portal.platform.audit.services import log
from portal.platform.clock import end_of_day
from portal.platform.db import db

DAYS_BEFORE = (7, 1)


def remind_of_events(after: date, day: date) -> int:
    """Remind everybody who has a place at an event that is near, or runs it; return how many.

    Args:
        after: The last day on which reminders were planned.
        day: Today. For days missed in between, events still ahead get one late reminder.
    """
    marks = [day - timedelta(days=back) for back in range(min((day - after).days, max(DAYS_BEFORE)))]
    held_on = {mark + timedelta(days=days) for mark in marks for days in DAYS_BEFORE}
    filters = EventFilters(
        begins_after=end_of_day(day), begins_before=end_of_day(day + timedelta(days=max(DAYS_BEFORE)))
    )
    events = [event for event in list_events(filters) if event.held_on in held_on and not event.cancelled]
    readers = {event.id: {person.person_id for person in event.facilitators} for event in events}
    booked = select(Booking.event_id, Booking.person_id).where(
        Booking.event_id.in_(readers), Booking.state == "booked"
    )
    for event_id, person_id in db.session.execute(booked) if readers else ():
        readers[event_id].add(person_id)
    for event in events:
        for person_id in sorted(readers[event.id]):
            log(
                "event.reminded",
                actor_id=None,
                subject_id=person_id,
                event=event.reference,
                number=event.number,
            )
    return sum(len(people) for people in readers.values())
