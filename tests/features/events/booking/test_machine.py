"""Any history of bookings, time passing and an event that changes: whatever comes, the rules hold."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from portal.features.events import booking as events_booking
from portal.features.events.booking import list_changing_events
from portal.features.events.booking_queries import id_of_event, read_event
from portal.features.events.models import OPEN_BOOKINGS, Booking, BookingChange
from portal.features.events.places import can_take
from portal.platform.clock import london_day
from portal.platform.db import db, transaction
from portal.platform.errors import PortalError
from tests.databases import undone
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.features.events.booking.world import NOW, make_booking_world, newest_version

PEOPLE = st.integers(0, 5)
OPEN = st.sampled_from(OPEN_BOOKINGS)


class BookingMachine(RuleBasedStateMachine):
    """Six people of three units, an event of up to four places, and a clock that only goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._undone = undone()
        self._undone.__enter__()
        self.world = make_booking_world(places=2, people=(0, 0, 1, 1, 2, 2), asked=True)
        self.event_id = id_of_event(self.world.event)
        self.now = NOW
        self.most = 2  # people with a place: the places, or as many as had one when these became fewer
        self.certain: set[int] = set()  # bookings that only their end may take away
        self.gone: set[int] = set()  # people

    def teardown(self) -> None:
        self._undone.__exit__(None, None, None)

    def act(self, service: Any, *arguments: Any, **more: Any) -> Any:
        """Do it; None where a rule refuses it."""
        try:
            with transaction():
                return service(*arguments, by=self.world.organiser, at=self.now, **more)
        except PortalError:
            return None

    def bookings(self, *states: str) -> list[Booking]:
        db.session.expire_all()
        statement = select(Booking).where(Booking.state.in_(states)).order_by(Booking.asked_at, Booking.id)
        return list(db.session.scalars(statement))

    def pick(self, number: int, *states: str) -> Booking | None:
        found = self.bookings(*states)
        return found[number % len(found)] if found else None

    @rule(person=PEOPLE, way=st.sampled_from(("self", "manager")))
    def book(self, person, way):
        waited = {booking.id for booking in self.bookings("waiting")}
        person_id = self.world.people[person]
        booking = self.act(events_booking.book_place, self.world.event, person_id, way=way)
        assert booking is None or person not in self.gone
        if booking is not None and booking.state == "booked":
            self.certain.add(booking.id)
            event = read_event(self.event_id, self.now)
            mine = next(seat for seat in event.seats if seat.booking_id == booking.id)
            passed = [seat for seat in event.seats if seat.booking_id in waited and seat.state == "waiting"]
            if self.now < event.sitting.offers_end_at:
                assert all(seat.units != mine.units for seat in passed), "somebody jumped the queue"

    @rule(number=PEOPLE)
    def accept(self, number):
        if (booking := self.pick(number, "offered", "waiting")) is not None:
            until, was_offered = booking.offered_until, booking.state == "offered"
            taken = self.act(events_booking.accept_place, booking.id)
            if taken is not None:
                self.certain.add(booking.id)
                assert not was_offered or self.now < until

    @rule(number=PEOPLE)
    def cancel(self, number):
        if (booking := self.pick(number, *OPEN_BOOKINGS)) is not None:
            booking_id = booking.id
            if self.act(events_booking.cancel_booking, booking_id, "duties") is not None:
                self.certain.discard(booking_id)

    @rule(unit=st.integers(0, 2), places=st.integers(1, 3), days=st.integers(0, 9))
    def keep(self, unit, places, days):
        until = london_day(self.now) + timedelta(days=days)
        self.act(events_booking.keep_places, self.world.event, self.world.units[unit], places, until)

    @rule(unit=st.integers(0, 2))
    def stop_keeping(self, unit):
        self.act(events_booking.stop_keeping_places, self.world.event, self.world.units[unit])

    @rule(hours=st.sampled_from((1, 20, 47, 48, 72)))
    def wait(self, hours):
        self.now += timedelta(hours=hours)

    @rule(places=st.integers(1, 4))
    def resize(self, places):
        self.world.change_event(places=places)
        self.most = max(places, len(self.bookings("booked", "offered")))

    @rule(hours=st.sampled_from((-60, -24, 24)))
    def move(self, hours):
        self.world.change_event(starts_at=newest_version(self.world.event).starts_at + timedelta(hours=hours))

    @rule(person=PEOPLE)
    def leave(self, person):
        if person not in self.gone:
            self.gone.add(person)
            self.world.end_post(self.world.people[person], london_day(self.now) - timedelta(days=1))
            left = [b.id for b in self.bookings("booked") if b.person_id == self.world.people[person]]
            self.certain.difference_update(left)

    @rule()
    def sweep(self):
        self.world.sweep(self.now)
        assert list_changing_events(self.now) == []
        event = read_event(self.event_id, self.now)
        if event.is_open(self.now) and self.now < event.sitting.offers_end_at:
            waiting = [seat for seat in event.seats if seat.state == "waiting"]
            assert not any(can_take(event.sitting, event.holders, seat.units) for seat in waiting)
        self.most = max(event.sitting.places, event.taken)

    @invariant()
    def nobody_is_over_capacity(self):
        assert len(self.bookings("booked", "offered")) <= self.most

    @invariant()
    def nobody_has_two(self):
        people = [booking.person_id for booking in self.bookings(*OPEN_BOOKINGS)]
        assert len(people) == len(set(people))

    @invariant()
    def no_place_is_lost(self):
        assert self.certain <= {booking.id for booking in self.bookings("booked")}

    @invariant()
    def the_trail_ends_in_the_state(self):
        newest = select(func.max(BookingChange.id)).group_by(BookingChange.booking_id)
        changes = select(BookingChange.booking_id, BookingChange.state).where(BookingChange.id.in_(newest))
        states = select(Booking.id, Booking.state)
        assert dict(db.session.execute(changes).all()) == dict(db.session.execute(states).all())


@pytest.mark.slow
def test_any_history_keeps_to_capacity_order_and_one_place_each(database):
    run_state_machine_as_test(
        BookingMachine,
        settings=settings(
            max_examples=few_or_many(25, 200),
            stateful_step_count=25,
            suppress_health_check=IN_ONE_TRANSACTION,
        ),
    )
