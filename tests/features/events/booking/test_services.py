"""Booking, waiting, offers, approval and kept places through the services."""

from datetime import UTC, date, datetime, timedelta

import pytest

from portal.features.events import booking as events_booking
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from tests.factories.events import EVENT_START, make_event
from tests.factories.people import make_person
from tests.features.events.booking.world import NOW, acts_on, make_booking_world, trail_of

pytestmark = pytest.mark.usefixtures("database")
TWO_DAYS = timedelta(hours=48)


def test_a_place_given_back_is_offered_in_order_lapses_and_goes_to_the_next():
    world = make_booking_world(places=1, people=(0, 0, 2))
    first, second, third = (world.book(person) for person in world.people)
    assert [world.state_of(each) for each in (first, second, third)] == ["booked", "waiting", "waiting"]
    with transaction():
        events_booking.cancel_booking(first, "duties", by=world.people[0], at=NOW)
    assert [world.state_of(each) for each in (first, second, third)] == ["cancelled", "offered", "waiting"]
    assert world.sweep(NOW + TWO_DAYS - timedelta(seconds=1)) == 0
    assert world.sweep(NOW + TWO_DAYS) == 2
    assert [world.state_of(each) for each in (second, third)] == ["lapsed", "offered"]
    with transaction():
        events_booking.accept_place(third, by=world.people[2], at=NOW + TWO_DAYS)
    assert trail_of(third) == [("waiting", ""), ("offered", "place_free"), ("booked", "accepted")]
    assert acts_on(world.people[1]) == ["booking.made", "booking.offered", "booking.lapsed"]
    assert acts_on(world.people[0]) == ["booking.made", "booking.cancelled"]


def test_a_person_has_one_place_of_a_type_and_may_have_another_once_it_ended():
    world = make_booking_world(places=5)
    other = make_event(world.type_version, world.room, world.organiser, starts_at=EVENT_START + TWO_DAYS)
    booking = world.book(world.people[0])
    with pytest.raises(ConflictError, match=world.event):
        world.book(world.people[0], event=other)
    with pytest.raises(ConflictError):
        world.book(world.people[0])
    with transaction():
        events_booking.cancel_booking(booking, "other_date", by=world.people[0], at=NOW)
    assert world.state_of(world.book(world.people[0], event=other)) == "booked"


def test_whoever_leaves_the_audience_gives_their_place_to_the_next():
    world = make_booking_world(places=1, people=(0, 0), asked=True)
    leaver, waiter = (world.book(person) for person in world.people)
    assert world.sweep(NOW) == 0
    world.end_post(world.people[0], date(2026, 6, 9))  # the day before the event
    world.sweep(NOW)
    assert [world.state_of(each) for each in (leaver, waiter)] == ["left", "offered"]
    assert acts_on(world.people[0])[-1] == "booking.left"
    stranger = make_person()  # without a post
    with pytest.raises(RuleError, match="directive"):
        world.book(stranger)


def test_a_learner_asks_where_the_type_wants_approval_and_a_manager_books_at_once():
    world = make_booking_world(places=1, people=(0, 0, 0), approval=True)
    asked, declined = (world.book(person) for person in world.people[:2])
    assert world.state_of(asked) == "asked"
    chosen = world.book(world.people[2], way="manager", by=world.organiser)
    assert world.state_of(chosen) == "booked"
    with transaction():
        events_booking.approve_booking(asked, by=world.organiser, at=NOW)
        events_booking.decline_booking(declined, by=world.organiser, at=NOW)
    assert [world.state_of(each) for each in (asked, declined)] == ["waiting", "declined"]
    assert acts_on(world.people[1]) == ["booking.made", "booking.declined"]
    with transaction(), pytest.raises(NotFoundError):
        events_booking.approve_booking(declined, by=world.organiser, at=NOW)


def test_kept_places_are_for_the_unit_and_those_under_it_until_their_day():
    world = make_booking_world(places=2, people=(2, 2, 1))
    with transaction():
        events_booking.keep_places(
            world.event, world.units[0], 1, date(2026, 6, 3), by=world.organiser, at=NOW
        )
    first, second = (world.book(person) for person in world.people[:2])
    assert [world.state_of(each) for each in (first, second)] == ["booked", "waiting"]
    of_unit = world.book(world.people[2], way="manager", by=world.organiser)
    assert world.state_of(of_unit) == "booked"
    with transaction():
        events_booking.cancel_booking(of_unit, "duties", by=world.organiser, at=NOW)
    assert world.sweep(datetime(2026, 6, 3, 22, 59, tzinfo=UTC)) == 0
    assert world.sweep(datetime(2026, 6, 3, 23, tzinfo=UTC)) == 1  # the fourth has begun in London
    assert world.state_of(second) == "offered"


def test_only_free_places_are_kept_and_places_no_longer_kept_are_offered():
    world = make_booking_world(places=2, people=(2, 2))
    world.book(world.people[0])
    until = date(2026, 6, 10)
    for places in (0, 2):
        with transaction(), pytest.raises(RuleError, match="1 place"):
            events_booking.keep_places(world.event, world.units[0], places, until, by=world.organiser, at=NOW)
    with transaction():
        events_booking.keep_places(world.event, world.units[0], 1, until, by=world.organiser, at=NOW)
    waiting = world.book(world.people[1])
    with transaction():
        events_booking.stop_keeping_places(world.event, world.units[0], by=world.organiser, at=NOW)
    assert world.state_of(waiting) == "offered"


def test_a_cancelled_event_ends_every_booking_and_takes_no_more():
    world = make_booking_world(places=1, people=(0, 0))
    bookings = [world.book(person) for person in world.people]
    world.change_event(cancelled=True, reason="room_lost")
    assert world.sweep(NOW) == 2
    assert [world.state_of(each) for each in bookings] == ["cancelled"] * 2
    with pytest.raises(RuleError, match="cancelled"):
        world.book(world.people[0])


def test_on_the_day_nothing_is_offered_and_waiting_people_may_take_a_free_place():
    world = make_booking_world(places=1, people=(0, 0))
    first, second = (world.book(person) for person in world.people)
    morning = datetime(2026, 6, 10, 6, tzinfo=UTC)
    with transaction(), pytest.raises(RuleError, match="No place"):
        events_booking.accept_place(second, by=world.people[1], at=morning)
    with transaction():
        events_booking.cancel_booking(first, "duties", by=world.people[0], at=morning)
        assert events_booking.accept_place(second, by=world.people[1], at=morning).state == "booked"
    assert world.sweep(EVENT_START) == 0
    with transaction(), pytest.raises(RuleError):
        events_booking.cancel_booking(second, "duties", by=world.people[1], at=EVENT_START)


def test_an_event_with_fewer_places_than_people_takes_nobody_until_some_left():
    world = make_booking_world(places=3, people=(0, 0, 0, 0))
    bookings = [world.book(person) for person in world.people]
    world.change_event(places=1)
    with transaction():
        events_booking.cancel_booking(bookings[0], "duties", by=world.people[0], at=NOW)
        events_booking.cancel_booking(bookings[1], "duties", by=world.people[1], at=NOW)
    assert world.state_of(bookings[3]) == "waiting"
    world.change_event(places=2)
    world.sweep(NOW)
    assert world.state_of(bookings[3]) == "offered"
