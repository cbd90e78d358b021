"""A person's timeline tells of places, and of attendance that has no record."""

from datetime import date

import pytest
from sqlalchemy import select

from portal.features.events.models import AttendanceOutcome, Event
from portal.platform.db import db
from tests.domain.status.facts import add
from tests.factories.events import make_booking, make_event, make_event_room, make_event_type
from tests.pages.people.test_timeline import LAST, LATER, at, auditor, corrected, record_of, timelines, world

__all__ = ["auditor", "world"]  # fixtures
pytestmark = pytest.mark.slow


def test_places_and_attendance_that_has_no_record_are_told(auditor, world):
    person, facilitator = world.people["S1"], world.people["D6001"]
    event = make_event(make_event_type(), make_event_room(), facilitator)
    at(LATER, make_booking, event, person)
    row = AttendanceOutcome(
        event_id=db.session.scalar(select(Event.id).where(Event.reference == event)),
        person_id=person,
        outcome="absent",
        reason="sick",
        signed_off_by_id=facilitator,
        signed_off_on=date(2026, 5, 12),
    )
    at(LATER, add, row)

    holds, _ = timelines(auditor, "S1")

    assert any("Booked a place at OIC Hydra on 10 June 2026, EV-0001" in entry for entry in holds)
    assert any("OIC Hydra on 10 June 2026, EV-0001: did not attend: sick" in entry for entry in holds)

    at(LAST, add, corrected(row, outcome="attended", reason="", record_id=record_of(world.people["N1"]).id))
    holds, replaced = timelines(auditor, "S1")
    assert not any("attend: sick" in entry or "attended" in entry for entry in holds)
    assert any("attend: sick" in entry and "Replaced at" in entry for entry in replaced)
