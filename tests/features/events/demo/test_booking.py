"""The demo's bookings: a date with free places, one with kept places, and a full one with a wait list."""

from collections import Counter

import pytest
from sqlalchemy import select

from portal.features.events.demo.booking import BOOKED, FREE, KEPT, WAITING, book_places
from portal.features.events.demo.planning import plan_dates
from portal.features.events.models import Booking, PlaceReservation
from portal.features.events.queries import event_details
from portal.platform import clock
from portal.platform.db import db
from tests.factories.events import make_event_type
from tests.factories.people import make_grant, make_person, make_unit


@pytest.mark.parametrize(("others", "full"), [(4 + WAITING + FREE, True), (4 + WAITING + FREE - 1, False)])
def test_one_date_has_room_one_keeps_places_and_one_is_full_if_others_are_left(
    database: None, others: int, full: bool
) -> None:
    force = make_unit("Force")
    units = {"": force, "Crime": make_unit("Crime", force)}
    people = {f"10{place:02}": make_person(force) for place in range(BOOKED + others - 1)}
    people |= {"D5001": make_person(force)}
    make_grant(people["D5001"], "facilitator")
    make_event_type(places_least=4)
    events = plan_dates(clock.today(), people, units)

    book_places(events, people, units)

    booked = Counter(map(tuple, db.session.execute(select(Booking.event_id, Booking.state))))
    first, *_, last = (event_details(reference) for reference in events)
    of_last = {(last.id, "booked"): 4, (last.id, "waiting"): WAITING} if full else {}
    assert booked == {(first.id, "booked"): BOOKED, **of_last}
    assert list(db.session.scalars(select(PlaceReservation.places))) == [KEPT]
