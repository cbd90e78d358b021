"""Events as their newest versions say, with how many places are taken."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event as sqlalchemy_event

from portal.features.events.queries import EventFilters, count_bookings, event_details, list_events
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from tests.factories.events import EVENT_START, make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_person, make_unit


def count_statements(act) -> int:
    """How many statements ``act`` makes."""
    statements = []

    def note(*arguments):
        if not arguments[2].startswith("SAVEPOINT"):  # of the test's own transaction
            statements.append(arguments[2])

    sqlalchemy_event.listen(db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        sqlalchemy_event.remove(db.engine, "before_cursor_execute", note)
    return len(statements)


def test_an_event_is_read_with_its_people_and_places(database: None) -> None:
    unit = make_unit("Training")
    host, guest, other = make_person(unit, forenames="Ines", surname="Vale"), make_person(), make_person()
    reference = make_event(make_event_type(), make_event_room(), host, places=3)
    make_booking(reference, guest)
    make_booking(reference, other, state="waiting")

    event = event_details(reference)

    assert (event.title, event.room, event.number) == ("OIC Hydra", "Training centre, room 1", 0)
    assert [person.name for person in event.facilitators] == ["Ines Vale"]
    assert (event.bookings.taken, event.bookings.waiting) == (1, 1)
    assert event.is_run_by(host)
    assert not event.is_run_by(guest)
    with pytest.raises(NotFoundError, match="There is no event EV-9999"):
        event_details("EV-9999")


def test_a_list_makes_as_many_statements_with_twenty_events_as_with_two(app: Flask, database: None) -> None:
    kind, room, host = make_event_type(), make_event_room(), make_person(make_unit("Training"))
    for week in range(2):
        make_event(kind, room, host, starts_at=EVENT_START + timedelta(weeks=week))
    two = count_statements(list_events)
    for week in range(2, 20):
        make_booking(make_event(kind, room, host, starts_at=EVENT_START + timedelta(weeks=week)), host)
        db.session.execute(db.text("UPDATE booking SET state = 'left'"))
        db.session.commit()

    assert count_statements(list_events) == two == 3
    assert len(list_events()) == 20
    assert [
        e.starts_at for e in list_events(EventFilters(begins_after=EVENT_START + timedelta(weeks=19)))
    ] == [EVENT_START + timedelta(weeks=19)]


def test_bookings_are_counted_by_state_in_one_statement(database: None) -> None:
    kind, room, host = make_event_type(), make_event_room(), make_person(make_unit("Training"))
    first, second = make_event(kind, room, host), make_event(kind, room, host)
    for state in ("booked", "booked", "offered", "asked", "declined"):
        make_booking(first, make_person(), state=state)
    ids = [event_details(first).id, event_details(second).id]

    counts = count_bookings(ids)

    assert counts[ids[0]].by_state == {"booked": 2, "offered": 1, "asked": 1, "declined": 1}
    assert counts[ids[0]].taken == 3
    assert counts[ids[1]].taken == 0
    assert count_statements(lambda: count_bookings(ids)) == 1
