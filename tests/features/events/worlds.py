"""An event in June 2026 with a facilitator and people with places, for the tests of this folder."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from sqlalchemy import select

from portal.domain.records.models import AttendanceRecord, Record
from portal.features.events.models import AttendanceOutcome, Booking, RegisterEntry
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.factories.events import EVENT_START, make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_grant, make_person, make_unit

_numbers = count(1)
BEGUN = EVENT_START + timedelta(minutes=1)
OVER = EVENT_START + timedelta(hours=5)


@dataclass
class HeldWorld:
    """An event, who runs it, who stands in, and who has a place, with their bookings in the same order."""

    reference: str
    type_version: int
    facilitator: int
    second: int
    people: list[int]
    bookings: list[int]


def make_held_event(places: int = 3) -> HeldWorld:
    unit = make_unit("Response North")
    facilitator, second = (make_person(unit, surname=name) for name in ("Okoro", "Lind"))
    for person in (facilitator, second):
        make_grant(person, Role.FACILITATOR)
    people = [make_person(unit, surname=f"Shah {number}") for number in range(places)]
    version = make_event_type()
    reference = make_event(version, make_event_room(f"Room {next(_numbers)}"), facilitator)
    bookings = [make_booking(reference, person) for person in people]
    return HeldWorld(reference, version, facilitator, second, people, bookings)


def list_entries():
    return db.session.scalars(select(RegisterEntry).order_by(RegisterEntry.noted_at)).all()


def list_outcomes():
    return db.session.scalars(select(AttendanceOutcome).order_by(AttendanceOutcome.id)).all()


def list_attendances():
    """The record and its details, of each attendance in order."""
    joined = select(Record, AttendanceRecord).join(AttendanceRecord)
    return db.session.execute(joined.order_by(Record.id)).all()


def get_booking(booking_id):
    return db.session.get_one(Booking, booking_id)
