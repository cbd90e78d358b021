"""Planning, copying, changing and cancelling events on their pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.features.events.models import EventRoom
from portal.features.events.queries import event_details, list_events
from portal.platform.db import db
from tests.factories.events import EVENT_START, make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import let_in, make_account

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def host(client: PortalClient, database: None) -> int:
    """D5001, a facilitator, who is signed in."""
    person = make_account("D5001")
    make_grant(person, "facilitator")
    let_in(client, "D5001")
    return person


@pytest.fixture
def mail(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail is set up."""
    named = replace(app.config["PORTAL"], smtp_host="relay.example", smtp_from="learning@westshire.example")
    monkeypatch.setitem(app.config, "PORTAL", named)


def plan(client: PortalClient, status: int = 200, **fields: str) -> Page:
    """Fill in the page and send it."""
    room = db.session.scalars(select(EventRoom)).one()
    values = {
        "kind": "oic-hydra", "day": "10 June 2026", "start": "9.30am", "room": str(room.id), "places": "14",
        "syndicates": "2", **fields,
    }  # fmt: skip
    return client.press(client.page("/events/new"), "Plan the event", status, **values)


def test_a_facilitator_plans_an_event_that_everybody_then_sees(client: PortalClient, host: int) -> None:
    make_event_type()
    make_event_room()

    page = plan(client, facilitators=str(host), notes="Bring a pen.\r\nPark behind the gym.")

    assert page.h1 == "OIC Hydra"
    assert "1 event is planned. Email is not set up, so nobody gets an email yet." in page.text
    event = event_details("EV-0001")
    assert (event.starts_at, event.ends_at) == (EVENT_START, EVENT_START + timedelta(minutes=240))
    assert event.notes == "Bring a pen.\nPark behind the gym."
    assert event.is_run_by(host)


@pytest.mark.usefixtures("mail")
def test_who_gets_an_email_about_a_plan_is_said_if_somebody_runs_it(client: PortalClient, host: int) -> None:
    make_event_type()
    make_event_room()

    nobody = plan(client)
    somebody = plan(client, facilitators=str(host), day="12 June 2026", count="2", weeks="1")

    assert "1 event is planned." in nobody.text
    assert "Nobody yet" in nobody.text
    assert "email" not in nobody.text
    assert "2 events are planned. Who runs them gets an email." in somebody.text


@pytest.mark.slow
def test_a_series_keeps_its_london_time_over_the_change_of_clocks(client: PortalClient, host: int) -> None:
    make_event_type()
    make_event_room()

    page = plan(client, day="18 October 2026", count="3", weeks="1")

    assert "3 events are planned." in page.text
    hours = [event.starts_at.hour for event in list_events()]
    assert hours == [8, 9, 9]  # 09:30 in London each time
    assert "25 October 2026, 09:30, Training centre, room 1" in page.links


@pytest.mark.slow
def test_the_hour_that_comes_twice_is_asked_about_and_the_one_that_is_skipped_refused(
    client: PortalClient, host: int
) -> None:
    make_event_type()
    make_event_room()

    skipped = plan(client, 400, day="28 March 2027", start="01:30")
    assert "On 28 March 2027 the clocks go forward" in skipped.text
    twice = plan(client, 400, day="25 October 2026", start="01:30")
    assert "the clocks go back, so 01:30 comes twice" in twice.text
    assert list_events() == []
    chosen = {"kind": "oic-hydra", "room": str(db.session.scalars(select(EventRoom.id)).one())}
    client.press(twice, "Plan the event", which="second", **chosen)
    assert event_details("EV-0001").starts_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    form = client.page("/events/EV-0001/change").form_with("Save the change")
    assert (form.fields["start"], form.fields["which"]) == (["01:30"], ["second"])


@pytest.mark.slow
def test_an_impossible_value_is_refused_at_its_field(client: PortalClient, host: int) -> None:
    make_event_type()
    make_event_room(capacity=10)

    for fields, sentence in (
        ({"start": "soon"}, "Enter a time of day"),
        ({"day": "10 June 2025"}, "This is in the past"),
        ({"places": "14"}, "Training centre, room 1 has room for 10 people"),
        ({"places": "10", "minutes": "9999"}, "Enter a whole number from 15 to 720"),
        ({"room": "99"}, "Select one of the options that are shown"),
        ({"day": "31 December 9999", "places": "10", "count": "9"}, "Enter a date of the next three years"),
    ):
        page = plan(client, 400, **fields)
        assert page.title.startswith("Error: ")
        assert sentence in page.text, fields
    assert list_events() == []


@pytest.mark.slow
@pytest.mark.usefixtures("mail")
def test_an_event_is_moved_with_a_reason_and_people_with_a_place_are_notified(
    client: PortalClient, host: int
) -> None:
    reference = make_event(make_event_type(), make_event_room(), host)
    make_booking(reference, make_person())
    form = client.page(f"/events/{reference}/change")
    assert "1 place is taken." in form.text

    room = str(db.session.scalars(select(EventRoom.id)).one())

    refused = client.press(form, "Save the change", 400, day="11 June 2026", room=room)
    assert "Enter why it is moved" in refused.text
    moved = client.press(form, "Save the change", day="11 June 2026", reason="The trainer is ill.", room=room)

    assert "2 people get an email." in moved.text
    assert "This event was moved. The trainer is ill." in moved.text
    assert "09:30 on 10 June 2026" in moved.text
    stale = client.press(form, "Save the change", 409, places="12", reason="Too few", room=room)
    assert "Somebody else changed this event" in stale.text


def test_an_event_is_cancelled_with_a_reason(client: PortalClient, host: int) -> None:
    reference = make_event(make_event_type(), make_event_room(), host)
    form = client.page(f"/events/{reference}/cancel")

    assert "Enter why it is cancelled" in client.press(form, "Cancel the event", 400, reason=" ").text
    page = client.press(form, "Cancel the event", reason="The room is flooded.")

    assert "The event is cancelled. Email is not set up, so nobody gets an email yet." in page.text
    assert "This event is cancelled. The room is flooded." in page.text
    assert "Cancel it" not in page.links
    assert client.page(f"/events/{reference}/cancel", 409).status == 409


@pytest.mark.slow
def test_a_copy_has_everything_but_the_date(client: PortalClient, host: int) -> None:
    reference = make_event(make_event_type(), make_event_room(), host, places=12)

    fields = client.page(f"/events/new?copy={reference}").form_with("Plan the event").fields

    assert (fields["day"], fields["start"], fields["places"]) == ([""], ["09:30"], ["12"])
    assert fields["facilitators"] == [str(host)]


@pytest.mark.slow
def test_rooms_are_added_changed_and_closed(client: PortalClient, host: int) -> None:
    unit = make_unit("Westshire Police")
    make_unit("North", unit)
    page = client.press(
        client.page("/events/rooms/new"), "Save", name="Station hall", capacity="20", unit="north",
        directions="Second floor.",
    )  # fmt: skip
    assert "Station hall 20 North Open" in page.text
    twin = client.press(client.page("/events/rooms/new"), "Save", 400, name="Station hall", capacity="5")
    assert "There is already a room called Station hall" in twin.text
    nowhere = client.press(
        client.page("/events/rooms/new"), "Save", 400, name="Hut", capacity="5", unit="Atlantis"
    )
    assert "No unit has the path or name “Atlantis” today" in nowhere.text
    room = client.page(page.links["Station hall"])
    make_event(make_event_type(), db.session.scalars(select(EventRoom.id)).one(), host)

    small = client.press(room, "Save", 400, capacity="10")
    assert "EV-0001 has 14 places in this room" in small.text
    closed = client.press(room, "Save", closed="y")
    assert "Station hall 20 North Closed" in closed.text
    assert "There is no room yet" not in client.page("/events/new").text
    assert client.get(f"/events/rooms/{10**30}").status_code == 404


@pytest.mark.slow
def test_only_a_facilitator_plans(client: PortalClient, database: None) -> None:
    reference = make_event(make_event_type(), make_event_room(), make_person(make_unit("Training")))
    make_account("D1001")
    let_in(client)

    for path in ("new", f"{reference}/change", f"{reference}/cancel", "rooms", "rooms/new", "rooms/1"):
        assert client.get(f"/events/{path}").status_code == 403
    page = client.page(f"/events/{reference}")
    assert "Change or move it" not in page.links
    assert "Bookings" not in page.text
