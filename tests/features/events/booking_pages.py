"""What the tests of booking pages share: a force with a learner, a manager and a facilitator who sign in."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from flask import Flask

from portal.domain.accounts import services as accounts
from portal.domain.catalogue.models import EventTypeVersion
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.domain.status.facts import make_directive, make_version
from tests.factories.events import EVENT_START, make_event, make_event_room, make_event_type
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import PASSWORD, let_in

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


@dataclass
class BookingPages:
    """The force: two units, people of each, and an event in the first."""

    app: Flask
    units: list[int]
    people: dict[str, int]
    type_version: int
    activity: int
    event: str

    def browser_of(self, staff_number: str) -> PortalClient:
        client = PortalClient(self.app)
        let_in(client, staff_number)
        return client


def make_booking_pages(app: Flask, *, places: int = 2, **type_columns: object) -> BookingPages:
    """D1001 to D1003 in North, D1004 in South, D2001 manages North, D5001 runs the event; all are asked."""
    force = make_unit("Westshire")
    units = [make_unit("North", force), make_unit("South", force)]
    of_unit = {"D1001": 0, "D1002": 0, "D1003": 0, "D1004": 1, "D2001": 0, "D5001": 1}
    people = {}
    for number, unit in of_unit.items():
        rank = "Sergeant" if number.startswith("D1") else "Inspector"
        person = make_person(units[unit], staff_number=number, surname=f"Vale{number}", rank=rank)
        people[number] = person
        with transaction():
            accounts.set_password(person, PASSWORD, clock.now())
    make_grant(people["D2001"], Role.MANAGER, units[0])
    make_grant(people["D5001"], Role.FACILITATOR)
    version = make_event_type(**type_columns)
    activity = db.session.get_one(EventTypeVersion, version).activity_id
    room = make_event_room(unit=units[0])
    event = make_event(version, room, people["D5001"], starts_at=EVENT_START, places=places, syndicates=1)
    make_version(make_directive(), {1: activity}, due_fixed_on=date(2026, 7, 31))
    return BookingPages(app, units, people, version, activity, event)
