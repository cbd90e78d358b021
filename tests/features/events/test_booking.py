"""Booking of places: a learner for themselves, a manager for their people, a facilitator for units."""

from datetime import timedelta

import pytest
import time_machine

from portal.domain.catalogue.models import EventTypeVersion
from portal.features.events.booking import list_changing_events
from portal.platform.db import db
from tests.domain.status.facts import make_directive, make_version
from tests.factories.events import EVENT_START, make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_person
from tests.features.events.booking_pages import NOW, make_booking_pages
from tests.pages.monitoring.counting import statements


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


def test_a_learner_books_gives_the_place_back_and_the_next_takes_it(app, database):
    world = make_booking_pages(app, places=1)
    first, second = world.browser_of("D1001"), world.browser_of("D1002")

    page = first.page(first.page("/events/places").links[f"OIC Hydra {world.event}"])
    page = first.press(page, "Book a place")
    assert "You have a place." in page.text
    page = second.press(second.page(f"/events/{world.event}/booking"), "Join the wait list")
    assert "On the wait list" in page.text
    again = first.press(first.page(f"/events/{world.event}/booking"), "Cancel booking", 400)
    assert "Choose a reason" in again.text
    page = first.press(again, "Cancel booking", reason="duties")
    assert "Your booking is cancelled." in page.text

    page = second.page(f"/events/{world.event}/booking")
    assert "Offered a place. Take it before 10:00 on 3 June 2026" in page.text
    assert "You have a place" in second.press(page, "Take the place").text
    assert "You have a place" in second.page("/events/places").text
    assert list_changing_events(NOW) == []


def test_places_near_come_first_and_events_of_a_type_that_one_has_booked_are_not_offered(app, database):
    world = make_booking_pages(app)
    far = make_event_room("Southern room", unit=world.units[1])
    sooner = make_event(
        world.type_version, far, world.people["D5001"], starts_at=EVENT_START - timedelta(days=1)
    )
    browser = world.browser_of("D1001")
    text = browser.page("/events/places").text
    assert text.index(world.event) < text.index(sooner)
    assert "Near your unit" in text
    browser.press(browser.page(f"/events/{world.event}/booking"), "Book a place")
    assert sooner not in browser.page("/events/places").text
    page = browser.press(browser.page(f"/events/{sooner}/booking"), "Book a place")
    assert f"There is a booking already, at {world.event}" in page.text


def test_a_person_no_directive_requires_reads_so_and_is_offered_no_place(app, database):
    world = make_booking_pages(app)
    inspectors = {"audience": [{"rank_or_grade": ["Inspector"]}], "except": []}
    host, room = world.people["D5001"], make_event_room("Room 2")
    custody = make_event_type("custody-day")
    activity = db.session.get_one(EventTypeVersion, custody).activity_id
    make_version(make_directive(), {1: activity}, audience=inspectors)
    event = make_event(custody, room, host, starts_at=EVENT_START)

    page = world.browser_of("D1001").page(f"/events/{event}/booking")
    assert "This event is for the people a directive requires to attend." in page.text
    assert "Book a place" not in page.text
    assert "Book a place" in world.browser_of("D2001").page(f"/events/{event}/booking").text


def test_a_manager_books_people_who_still_need_it_and_sees_their_clashes(app, database):
    world = make_booking_pages(app, places=2)
    other = make_event(
        make_event_type("custody-day"),
        make_event_room("Room 2"),
        world.people["D1002"],
        starts_at=EVENT_START,
    )
    make_booking(other, world.people["D1001"])
    browser = world.browser_of("D2001")
    page = browser.page(f"/events/{world.event}/people")
    assert f"Has a place at {other}, 10 June 2026 at 09:30" in page.text
    assert f"Runs {other}" in page.text
    assert "D1004" not in page.text  # of another unit
    assert "D2001" not in page.text.partition("Who still needs to attend")[2]  # themselves
    assert "Select at least one person" in browser.press(page, "Book for them", 400).text

    page = browser.press(page, "Book for them", people=["D1001", "D1002", "D1003", "D1004"])
    assert "Booked for 2 people. 1 person is on the wait list." in page.text
    assert "None of your people needs a place" in page.text
    page = browser.press(page, "Cancel the booking of Priya ValeD1001")
    assert "The booking of Priya ValeD1001 is cancelled." in page.text
    assert "Offered a place" in page.text


def test_a_manager_approves_and_refuses_what_their_people_ask_for(app, database):
    world = make_booking_pages(app, approval=True)
    for number in ("D1001", "D1002", "D1004"):
        learner = world.browser_of(number)
        page = learner.press(learner.page(f"/events/{world.event}/booking"), "Ask for a place")
        assert "Your manager decides." in page.text
    browser = world.browser_of("D2001")
    page = browser.page(f"/events/{world.event}/people")
    page = browser.press(page, "Approve the booking of Priya ValeD1001")
    page = browser.press(page, "Refuse the booking of Priya ValeD1002")
    assert "Has a place" in page.text
    assert "You have a place" in world.browser_of("D1001").page(f"/events/{world.event}/booking").text
    assert "Refused" in world.browser_of("D1002").page(f"/events/{world.event}/booking").text
    token = page.form_with("Book for them").fields["csrf_token"]
    unseen = browser.post(f"/events/{world.event}/people/D1004/approval", data={"csrf_token": token})
    assert unseen.status_code == 404


def test_a_facilitator_keeps_places_for_a_unit_and_lets_them_go(app, database):
    world = make_booking_pages(app, places=1)
    browser = world.browser_of("D5001")
    page = browser.page(f"/events/{world.event}/reservations")
    sent = {"unit": str(world.units[0]), "places": "2", "until_on": "9 June 2026"}
    assert "1 place can still be kept" in browser.press(page, "Keep places", 409, **sent).text
    page = browser.press(page, "Keep places", **{**sent, "places": "1"})
    assert "1 place is kept for North." in page.text
    southern = world.browser_of("D1004")
    assert "Full" in southern.page("/events/places").text
    assert "Free for your unit" in world.browser_of("D1001").page("/events/places").text
    southern.press(southern.page(f"/events/{world.event}/booking"), "Join the wait list")
    browser.press(page, "Keep no longer for North")
    assert "Offered a place" in southern.page(f"/events/{world.event}/booking").text


def test_a_booking_that_is_not_possible_is_refused_in_a_sentence(app, database):
    world = make_booking_pages(app)
    soon = NOW + timedelta(minutes=10)
    event = make_event(world.type_version, make_event_room("Room 2"), world.people["D5001"], starts_at=soon)
    browser = world.browser_of("D1001")
    page = browser.page(f"/events/{event}/booking")
    with time_machine.travel(soon, tick=False):
        assert "it has begun or is cancelled" in browser.press(page, "Book a place").text
    assert browser.page("/events/EV-9999/booking", 404).status == 404
    assert browser.page("/events/places?type=none").status == 200
    assert "There is no upcoming event of this type" in browser.page("/events/places?type=none").text


@pytest.mark.slow
def test_a_page_of_people_needs_as_many_statements_for_twenty_as_for_two(app, database):
    world = make_booking_pages(app, places=30)
    browser = world.browser_of("D2001")
    path = f"/events/{world.event}/people"
    make_booking(world.event, world.people["D1001"])
    with statements() as few:
        browser.page(path)
    for number in range(18):
        person = make_person(world.units[0], staff_number=f"D11{number:02d}", rank="Sergeant")
        if number % 2:
            make_booking(world.event, person)
    with statements() as many:
        browser.page(path)
    assert len(many) == len(few)
