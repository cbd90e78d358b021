"""The dates of events, as anybody who is signed in sees them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from portal.features.events import services
from portal.features.events.booking import keep_places
from portal.features.events.booking_queries import count_places_left
from portal.features.events.queries import event_details
from portal.platform.db import transaction
from tests.factories.events import EVENT_START, make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


def test_a_learner_sees_when_and_where_an_event_is_and_how_many_places_are_left(
    client: PortalClient, database: None
) -> None:
    host = make_person(make_unit("Training"), forenames="Ines", surname="Vale")
    reference = make_event(make_event_type(), make_event_room(), host)
    make_booking(reference, make_person())
    make_account("D1001")
    let_in(client)

    listed = client.page("/events")
    assert "10 June 2026, 09:30" in listed.text
    page = client.page(listed.links[f"OIC Hydra {reference}"])

    assert page.h1 == "OIC Hydra"
    for said in ("10 June 2026, 09:30 to 13:30", "Training centre, room 1", "Ines Vale", "13 of 14"):
        assert said in page.text
    assert client.page("/events/EV-9999", 404).status == 404


def test_places_that_are_kept_for_a_unit_are_not_among_those_left(
    client: PortalClient, database: None
) -> None:
    unit = make_unit("Training")
    host = make_account("D5001", unit=unit)
    reference = make_event(make_event_type(), make_event_room(), host, places=5)
    make_booking(reference, make_person(make_unit("Contact")))
    with transaction():
        keep_places(reference, make_unit("Response"), 4, date(2026, 6, 9), by=host, at=NOW)
    make_account("D1001")
    let_in(client)

    assert "0 of 5" in client.page(f"/events/{reference}").text
    assert reference in client.page("/events").text
    assert reference not in client.page("/events?free=yes").text
    event = event_details(reference)
    assert count_places_left([event.id], NOW) == {event.id: 0}
    assert count_places_left([event.id], NOW + timedelta(days=21)) == {event.id: 4}


@pytest.mark.slow
def test_the_nearest_events_come_first_where_that_is_asked(client: PortalClient, database: None) -> None:
    force = make_unit("Force")
    north, south = make_unit("North", force), make_unit("South", force)
    team = make_unit("Team", north)
    kind, host = make_event_type(), make_person(south)
    far = make_event(kind, make_event_room("Southern hall", unit=south), host)
    later = EVENT_START + timedelta(days=1)
    near = make_event(kind, make_event_room("Northern hall", unit=north), host, starts_at=later, places=4)
    for _ in range(4):
        make_booking(near, make_person())
    make_account("D1001", unit=team)
    let_in(client)

    def listed(query: str, status: int = 200) -> list[str]:
        links = client.page(f"/events{query}", status).links
        return [text.removeprefix("OIC Hydra ") for text in links if text.startswith("OIC Hydra EV")]

    assert listed("") == [far, near]
    assert listed("?order=near") == [near, far]
    assert listed("?free=yes") == [far]
    assert listed("?type=oic-hydra&when=past") == []
    assert listed("?type=nothing", 400) == [far, near]
    page = client.page("/events")
    assert "Northern hall (near you)" in page.text
    assert "Southern hall (near you)" not in page.text


def test_my_learning_shows_ones_events_and_what_became_of_them(client: PortalClient, database: None) -> None:
    host, kind, room = make_person(make_unit("Training")), make_event_type(), make_event_room()
    person = make_account("D1001")
    references = [
        make_event(kind, room, host, starts_at=EVENT_START + timedelta(days=day)) for day in range(3)
    ]
    make_booking(references[0], person)
    make_booking(references[1], person, state="left")
    with transaction():
        event = event_details(references[0])
        plan = replace(services.plan_of(event), starts_at=EVENT_START + timedelta(days=7), facilitators=())
        services.change_event(references[0], plan, number=0, reason="Trainer ill", by=host, at=NOW)
    let_in(client)

    page = client.page("/learning")

    assert "Your events" in page.text
    assert "17 June 2026, 09:30, Training centre, room 1. Moved: it was 10 June 2026, 09:30" in page.text
    assert "You have a place" in page.text
    assert "11 June 2026" not in page.text
    with transaction():
        services.cancel_event(references[0], number=1, reason="No trainer.", by=host, at=NOW)
    cancelled = client.page("/learning")
    assert "No trainer. Cancelled" in cancelled.text
    with time_machine.travel(datetime(2026, 6, 18, tzinfo=UTC), tick=False):
        let_in(client)
        assert "Your events" not in client.page("/learning").text


def test_the_file_for_a_calendar_is_the_events(client: PortalClient, database: None) -> None:
    reference = make_event(make_event_type(), make_event_room(), make_person(make_unit("Training")))
    make_account("D1001")
    let_in(client)

    answer = client.get(f"/events/{reference}/calendar.ics")

    assert answer.mimetype == "text/calendar"
    assert f"{reference}.ics" in answer.headers["Content-Disposition"]
    assert b"METHOD:PUBLISH" in answer.data
    assert client.get("/events/EV-9999/calendar.ics").status_code == 404
