"""The demo's rooms and dates: plainly fictional, all to come, at times that London has."""

from datetime import UTC, datetime

import pytest
import time_machine

from portal.features.events.demo.planning import plan_dates
from portal.features.events.queries import list_events, list_rooms
from portal.platform.clock import LONDON, london_day
from tests.factories.events import make_event_type
from tests.factories.people import make_grant, make_person, make_unit


@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 20, 12, tzinfo=UTC), datetime(2026, 10, 20, 12, tzinfo=UTC)]
)
def test_a_series_and_a_date_nearby_are_planned(database: None, day: datetime) -> None:
    force = make_unit("Force")
    units = {"": force, "Crime": make_unit("Crime", force), "Crime/Team": make_unit("Team", force)}
    host = make_person(force)
    make_grant(host, "facilitator")
    make_event_type()

    with time_machine.travel(day, tick=False):
        references = plan_dates(london_day(day), {"D5001": host}, units)
        events = list_events()

    assert references == ["EV-0001", "EV-0002", "EV-0003", "EV-0004"]
    assert len({event.series for event in events}) == 2
    local = [event.starts_at.astimezone(LONDON) for event in events]
    assert [start.weekday() for start in local] == [2, 3, 2, 2]
    assert [f"{start:%H:%M}" for start in local] == ["09:30", "13:00", "09:30", "09:30"]
    assert all(event.starts_at > day for event in events)
    assert all("(fictional)" in room.name for room in list_rooms())


def test_a_force_without_event_types_gets_rooms_alone(database: None) -> None:
    force = make_unit("Force")
    units = {"": force, "Crime": make_unit("Crime", force)}

    assert plan_dates(london_day(datetime.now(UTC)), {"D5001": make_person(force)}, units) == []
    assert len(list_rooms()) == 2
