"""Calendar files of events: London time across the change of clocks, and updates that replace an entry."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from icalendar import Calendar

from portal.features.events import services
from portal.features.events.places import instant_in_london
from portal.features.events.queries import event_details, write_event_file
from portal.features.events.services import EventPlan
from portal.platform.clock import LONDON
from portal.platform.db import transaction
from portal.platform.formats.calendar_files import CalendarMethod
from tests.factories.events import make_event_room, make_event_type
from tests.factories.people import make_grant, make_person, make_unit

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)
BEFORE, AFTER = date(2026, 10, 24), date(2026, 10, 26)  # the clocks go back in the night to 25 October 2026


def read_entry(reference: str, method: CalendarMethod = CalendarMethod.PUBLISH):
    """The calendar of an event's file, and the entry in it."""
    event = event_details(reference)
    content = write_event_file(
        event, force="Westshire Police", address="https://portal.example", at=NOW, method=method,
        organiser="portal@westshire.example", attendee="d1001@westshire.example",
    )  # fmt: skip
    calendar = Calendar.from_ical(content)
    assert isinstance(calendar, Calendar)
    return calendar, calendar.walk("VEVENT")[0]


@pytest.fixture
def planned(database: None) -> tuple[str, EventPlan, int]:
    """An event on the Saturday before the clocks go back."""
    host = make_person(make_unit("Training"))
    make_grant(host, "facilitator")
    starts_at = instant_in_london(BEFORE, time(9, 30))
    plan = EventPlan(make_event_type(), starts_at, 240, make_event_room(), 2, 14, (host,), "Bring a pen.")
    with transaction():
        return services.plan_events([plan], by=host, at=NOW)[0], plan, host


def test_an_event_moved_over_the_change_of_clocks_replaces_its_entry_at_the_same_london_time(planned) -> None:
    reference, plan, host = planned
    _, first = read_entry(reference, CalendarMethod.REQUEST)
    moved = replace(plan, starts_at=instant_in_london(AFTER, time(9, 30)))
    with transaction():
        services.change_event(reference, moved, number=0, reason="Trainer ill", by=host, at=NOW)

    calendar, second = read_entry(reference, CalendarMethod.REQUEST)

    assert (first["UID"], first["SEQUENCE"]) == (second["UID"], 0)
    assert second["SEQUENCE"] == 1
    assert str(calendar["METHOD"]) == "REQUEST"
    for entry, day, offset in ((first, BEFORE, 1), (second, AFTER, 0)):
        start, end = entry["DTSTART"].dt, entry["DTEND"].dt
        assert (start.replace(tzinfo=None), end.replace(tzinfo=None)) == (
            datetime.combine(day, time(9, 30)), datetime.combine(day, time(13, 30)),
        )  # fmt: skip
        assert start.utcoffset() == timedelta(hours=offset)
        assert entry["DTSTART"].params["TZID"] == "Europe/London"


def test_the_file_brings_the_rules_of_londons_clocks(planned) -> None:
    calendar, _ = read_entry(planned[0])

    zones = calendar.walk("VTIMEZONE")
    assert [str(zone["TZID"]) for zone in zones] == ["Europe/London"]
    zone = zones[0].to_tz()
    for instant in (datetime(2026, 10, 25, 0, 59, tzinfo=UTC), datetime(2026, 10, 25, 1, 1, tzinfo=UTC)):
        assert instant.astimezone(zone).utcoffset() == instant.astimezone(LONDON).utcoffset()


def test_an_event_in_the_night_of_the_change_has_its_real_length(planned) -> None:
    reference, plan, host = planned
    night = replace(plan, starts_at=instant_in_london(date(2026, 10, 25), time(0, 30)), minutes=120)
    with transaction():
        services.change_event(reference, night, number=0, reason="Night shift", by=host, at=NOW)

    _, entry = read_entry(reference)

    assert entry["DTSTART"].dt.astimezone(UTC) == datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert entry["DTEND"].dt == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 01:30 comes twice; the second
    assert "TZID" not in entry["DTEND"].params


def test_a_cancelled_event_removes_its_entry(planned) -> None:
    reference, _, host = planned
    _, before = read_entry(reference, CalendarMethod.REQUEST)
    with transaction():
        services.cancel_event(reference, number=0, reason="The room is flooded.", by=host, at=NOW)

    calendar, entry = read_entry(reference)

    assert str(calendar["METHOD"]) == "CANCEL"
    assert (entry["UID"], entry["SEQUENCE"], str(entry["STATUS"])) == (before["UID"], 1, "CANCELLED")
    assert str(entry["SUMMARY"]) == "Cancelled: OIC Hydra"
    assert "The room is flooded." in str(entry["DESCRIPTION"])


def test_an_entry_says_where_and_what_to_bring_and_wants_no_answer(planned) -> None:
    _, entry = read_entry(planned[0], CalendarMethod.REQUEST)

    assert str(entry["LOCATION"]) == "Training centre, room 1"
    assert "Bring a pen." in str(entry["DESCRIPTION"])
    assert "https://portal.example/events/EV-0001" in str(entry["DESCRIPTION"])
    assert str(entry["ORGANIZER"]) == "mailto:portal@westshire.example"
    assert str(entry["ATTENDEE"]) == "mailto:d1001@westshire.example"
    assert entry["ATTENDEE"].params["RSVP"] == "FALSE"
