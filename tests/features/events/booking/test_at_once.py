"""Many book, accept and cancel at the same instant, on databases whose writers really wait for each other."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.features.events import booking as events_booking
from portal.features.events.models import OPEN_BOOKINGS, Booking
from portal.platform.db import db, transaction
from portal.platform.errors import ConflictError, NotFoundError, PortalError
from tests.features.events.booking.world import NOW, make_booking_world
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow


def do_at_once(app: Flask, acts: Sequence[Callable[[], object]]) -> list[object]:
    """What each act gave or was refused with; all are begun at one instant, each in a thread of its own."""
    gate = threading.Barrier(len(acts), timeout=PATIENCE)
    found: list[object] = [None] * len(acts)

    def run(place: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                with transaction():
                    found[place] = acts[place]()
            except PortalError as error:
                found[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()  # what was read before they began is not what holds now
    return found


def count_states() -> dict[str, int]:
    return dict(db.session.execute(select(Booking.state, func.count()).group_by(Booking.state)).all())


def test_all_book_twice_at_once_and_each_has_one_booking_and_no_place_too_many(serving):
    world = make_booking_world(places=3, people=(0, 1, 2, 0, 1, 2))

    def book(person: int) -> Callable[[], object]:
        return lambda: events_booking.book_place(world.event, person, way="self", by=person, at=NOW).state

    found = do_at_once(serving, [book(person) for person in world.people * 2])

    assert sum(isinstance(answer, ConflictError) for answer in found) == 6
    assert sorted(answer for answer in found if isinstance(answer, str)) == ["booked"] * 3 + ["waiting"] * 3
    assert count_states() == {"booked": 3, "waiting": 3}
    people = db.session.scalars(select(Booking.person_id).where(Booking.state.in_(OPEN_BOOKINGS))).all()
    assert sorted(people) == sorted(world.people)


def test_places_given_back_while_others_book_go_to_the_people_who_waited_longest(serving):
    world = make_booking_world(places=2, people=(0, 0, 0, 0, 0, 0))
    bookings = [world.book(person) for person in world.people[:4]]
    event_id = db.session.scalar(select(Booking.event_id).limit(1))

    def cancel(place: int) -> Callable[[], object]:
        person, booking = world.people[place], bookings[place]
        return lambda: events_booking.cancel_booking(booking, "duties", by=person, at=NOW).state

    def book(place: int) -> Callable[[], object]:
        person = world.people[place]
        return lambda: events_booking.book_place(world.event, person, way="self", by=person, at=NOW).state

    sweeps = [lambda: events_booking.update_bookings([event_id], NOW)] * 2
    found = do_at_once(serving, [cancel(0), cancel(0), cancel(1), book(4), book(5), *sweeps])

    assert sum(isinstance(answer, NotFoundError) for answer in found) == 1  # one of the two cancellations
    assert count_states() == {"cancelled": 2, "offered": 2, "waiting": 2}
    assert [world.state_of(booking) for booking in bookings[2:]] == ["offered", "offered"]


def test_an_offer_is_taken_or_lapses_never_both(serving):
    world = make_booking_world(places=1, people=(0, 0, 0))
    bookings = [world.book(person) for person in world.people]
    with transaction():
        events_booking.cancel_booking(bookings[0], "duties", by=world.people[0], at=NOW)
    event_id = db.session.scalar(select(Booking.event_id).limit(1))
    late, before = NOW + timedelta(hours=48), NOW + timedelta(hours=47)
    offered = bookings[1]
    found = do_at_once(
        serving,
        [
            lambda: events_booking.accept_place(offered, by=world.people[1], at=before).state,
            lambda: events_booking.update_bookings([event_id], late),
            lambda: events_booking.update_bookings([event_id], late),
        ],
    )
    states = [world.state_of(booking) for booking in bookings[1:]]
    assert states == (["booked", "waiting"] if found[0] == "booked" else ["lapsed", "offered"])
