"""The job that brings bookings up to date."""

from datetime import timedelta

import pytest

from portal.features.events import booking
from portal.platform import clock
from portal.platform.errors import PortalError
from tests.factories.events import EVENT_START, make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_person, make_unit
from tests.platform.jobs.test_items import Progress, poison


def test_an_event_that_fails_keeps_back_no_other(database, monkeypatch):
    leader = make_person(make_unit("North"), rank="Inspector")
    for number in range(3):
        kind = make_event_type(f"type-{number}")
        start = EVENT_START + timedelta(days=number)
        event = make_event(kind, make_event_room(f"Room {number}"), leader, starts_at=start, places=1)
        make_booking(event, make_person(make_unit(f"Unit {number}")), state="waiting")
    events = booking.list_changing_events(clock.now())
    assert len(events) == 3
    poison(monkeypatch, booking, "update_bookings", lambda ids: ids == [events[1]])

    with pytest.raises(PortalError, match=r"2 bookings brought up to date\.\n1 event failed"):
        booking.bring_bookings_up_to_date(Progress(), {})

    assert booking.list_changing_events(clock.now()) == [events[1]]
