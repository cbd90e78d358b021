"""The job that ends offers that were not accepted, and offers free places to the wait list."""

from datetime import datetime, timedelta

from sqlalchemy import exists, select

from portal.domain.events.booking.places import plan_transitions
from portal.domain.events.booking.reading import read_events
from portal.domain.events.booking.services import update_bookings
from portal.domain.events.models import OPEN_BOOKINGS, Booking, EventVersion
from portal.domain.events.queries import is_newest_version
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs.items import ItemFailures
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, Task
from portal.platform.wording import plural

_NOT_BOOKED = tuple(state for state in OPEN_BOOKINGS if state != "booked")


def list_changing_events(at: datetime) -> list[int]:
    """List the ids of events with a booking that has to change now, in order; few statements for all."""
    starts_later = select(EventVersion.event_id).where(is_newest_version(), EventVersion.starts_at > at)
    has_open = exists().where(Booking.event_id == EventVersion.event_id, Booking.state.in_(OPEN_BOOKINGS))
    with_unbooked = select(Booking.event_id).where(Booking.state.in_(_NOT_BOOKED)).distinct()
    events = sorted({*db.session.scalars(starts_later.where(has_open)), *db.session.scalars(with_unbooked)})
    return [event.id for event in read_events(events, at) if plan_transitions(event.sitting, event.seats, at)]


def bring_bookings_up_to_date(job: JobProgress, arguments: Arguments) -> dict[str, list[str]]:
    """Make the changes that are due, event by event; run again, it goes on with the others."""
    events, changed, failures = list_changing_events(clock.now()), 0, ItemFailures("event")
    for number, event_id in enumerate(events):
        job.report_progress(number, len(events), plural(changed, "booking"))
        with failures.of(event_id), transaction():
            changed += update_bookings([event_id], clock.now())
    return failures.end_job([f"{plural(changed, 'booking')} brought up to date."])


TASKS = (
    Task(
        "bookings",
        "Bookings of events brought up to date",
        bring_bookings_up_to_date,
        due=lambda: bool(list_changing_events(clock.now())),
        rest=timedelta(minutes=5),
    ),
)
