"""The people a manager may book for an event, who is booked, and which places are kept for units."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Integer, Select, func, null, select, type_coerce

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.events.booking.audience import EventAudience
from portal.domain.events.booking.places import HOLDS_A_PLACE
from portal.domain.events.booking.reading import BookableEvent
from portal.domain.events.models import OPEN_BOOKINGS, Booking, Event, EventVersion, PlaceReservation
from portal.domain.events.queries import EventDetails, is_newest_version
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName
from portal.domain.people.queries import live_units
from portal.domain.people.visibility.rules import Viewer, is_visible
from portal.domain.records.models import Record
from portal.domain.status.queries import TO_REMIND, statuses_by_activity
from portal.domain.status.rules import Status
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.permissions import Permission
from portal.platform.wording import plural


class PersonToBook(NamedTuple):
    """Somebody who still needs to attend, and has no booking."""

    person_id: int
    staff_number: str
    name: str
    status: Status | None  # None: no directive requires it
    due_on: date | None


class BookedPerson(NamedTuple):
    """Somebody with an open booking of an event."""

    booking_id: int
    person_id: int
    staff_number: str
    name: str
    state: str
    offered_until: datetime | None


class AskedBookings(NamedTuple):
    """How many of a viewer's people ask for a place at an event."""

    reference: str
    title: str
    asked: int

    @property
    def words(self) -> str:
        """What there is to do."""
        return f"{plural(self.asked, 'booking')} of {self.reference} to approve"


class KeptPlacesRow(NamedTuple):
    """Places that are kept for a unit, as the page shows them."""

    unit_id: int
    unit: str
    places: int
    until_on: date
    used: int  # by people in and under the unit
    is_over: bool  # its last day has passed


_Rows = Select[int, str, str, str, int, int]  # person, number, names, status, due date
_NAME = (PersonName.staff_number, PersonName.forenames, PersonName.surname)
_IN_ORDER = (PersonName.surname, PersonName.staff_number)


def list_candidates(viewer: Viewer, event: EventDetails, at: datetime) -> list[PersonToBook]:
    """List the other people whom the viewer may book and who still need to attend, the most urgent first.

    If no directive requires the type, they are those who have no record of it.
    """
    key = (event.activity_id, event.held_on)
    is_required = EventAudience([event.activity_id], ()).is_required(*key)
    statement = _select_in_need(event, at) if is_required else _select_without_record(event)
    booked = select(Booking.person_id).where(
        Booking.activity_id == event.activity_id, Booking.sitting == 0, Booking.state.in_(OPEN_BOOKINGS)
    )
    may_book = is_visible(PersonName.person_id, viewer, Permission.EVENT_BOOK)
    is_other = PersonName.person_id != viewer.person_id
    statement = statement.where(may_book, is_other, PersonName.person_id.not_in(booked))
    candidates = [
        PersonToBook(
            person_id=row.person_id,
            staff_number=row.staff_number,
            name=f"{row.forenames} {row.surname}".strip(),
            status=None if row.status is None else Status(row.status),
            due_on=None if row.due_on is None else date.fromordinal(row.due_on),
        )
        for row in db.session.execute(statement)
    ]
    audience = EventAudience([event.activity_id], [person.person_id for person in candidates])
    return [person for person in candidates if audience.may_attend(person.person_id, *key)]


def _select_in_need(event: EventDetails, at: datetime) -> _Rows:
    statuses = statuses_by_activity("event", london_day(at)).c
    status, due_on = func.min(statuses.status), func.min(statuses.due_on)
    return (
        select(PersonName.person_id, *_NAME, status.label("status"), due_on.label("due_on"))
        .join(PersonName, PersonName.person_id == statuses.person_id)
        .where(statuses.activity_id == event.activity_id, statuses.status.in_(TO_REMIND))
        .group_by(PersonName.person_id, *_NAME)
        .order_by(status, due_on, *_IN_ORDER)
    )


def _select_without_record(event: EventDetails) -> _Rows:
    has_record = select(Record.person_id).where(
        Record.activity_id == event.activity_id, is_known_fact(Record)
    )
    no_value = type_coerce(null(), Integer)
    columns = (PersonName.person_id, *_NAME, no_value.label("status"), no_value.label("due_on"))
    return select(*columns).where(PersonName.person_id.not_in(has_record)).order_by(*_IN_ORDER)


def list_booked_people(viewer: Viewer, event: EventDetails) -> list[BookedPerson]:
    """The open bookings of other people the viewer may book, in the order in which they asked."""
    statement = (
        select(Booking.id, Booking.person_id, *_NAME, Booking.state, Booking.offered_until)
        .join(PersonName, PersonName.person_id == Booking.person_id)
        .where(Booking.event_id == event.id, Booking.state.in_(OPEN_BOOKINGS))
        .where(is_visible(Booking.person_id, viewer, Permission.EVENT_BOOK))
        .where(Booking.person_id != viewer.person_id)
        .order_by(Booking.asked_at, Booking.id)
    )
    return [
        BookedPerson(row.id, row.person_id, row.staff_number, name, row.state, row.offered_until)
        for row in db.session.execute(statement)
        for name in [f"{row.forenames} {row.surname}".strip()]
    ]


def list_asked_bookings(viewer: Viewer, at: datetime) -> list[AskedBookings]:
    """The events for which other people whom the viewer may book ask for a place, the next first.

    One statement. An event that has begun or is cancelled waits for nobody.
    """
    columns = (Event.reference, EventTypeVersion.title, func.count(Booking.id))
    statement = (
        select(*columns)
        .join(Event, Event.id == Booking.event_id)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .join(EventTypeVersion, EventTypeVersion.id == EventVersion.type_version_id)
        .where(is_newest_version(), ~EventVersion.cancelled, EventVersion.starts_at > at)
        .where(Booking.state == "asked", Booking.person_id != viewer.person_id)
        .where(is_visible(Booking.person_id, viewer, Permission.EVENT_BOOK))
        .group_by(Event.reference, EventTypeVersion.title, EventVersion.starts_at)
        .order_by(EventVersion.starts_at, Event.reference)
    )
    return [AskedBookings(*row) for row in db.session.execute(statement)]


def find_booking(viewer: Viewer, event: EventDetails, staff_number: str) -> BookedPerson | None:
    """The open booking of a person the viewer may book."""
    people = list_booked_people(viewer, event)
    return next((person for person in people if person.staff_number == staff_number), None)


def list_kept_places(event: BookableEvent, at: datetime) -> list[KeptPlacesRow]:
    """The reservations of an event by the name of their unit, and how many people of each hold a place."""
    today = london_day(at)
    units = live_units(today)
    holders = [seat.units for seat in event.seats if seat.state in HOLDS_A_PLACE]
    statement = select(PlaceReservation).where(PlaceReservation.event_id == event.id)
    rows = [
        KeptPlacesRow(
            unit_id=row.unit_id,
            unit=units[row.unit_id].label if row.unit_id in units else "A unit that has closed",
            places=row.places,
            until_on=row.until_on,
            used=sum(row.unit_id in chain for chain in holders),
            is_over=row.until_on < today,
        )
        for row in db.session.scalars(statement)
    ]
    return sorted(rows, key=lambda row: row.unit)
