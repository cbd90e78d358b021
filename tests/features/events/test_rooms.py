"""Rooms: one name each, seats for every event to come, and how near they are to a unit."""

from datetime import UTC, date, datetime

import pytest

from portal.features.events.queries import (
    FAR,
    Nearness,
    RoomDetails,
    RoomRefusedError,
    list_rooms,
    room_with_id,
    save_room,
    unit_of_person,
)
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from tests.factories.events import make_event, make_event_type
from tests.factories.people import make_person, make_unit

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)
HALL = RoomDetails("Hall", None, 20, "Second floor.")


def save(details: RoomDetails, room_id: int | None = None) -> int:
    with transaction():
        return save_room(room_id, details, by=make_person(), at=NOW)


def test_a_room_keeps_seats_for_the_events_to_come(database: None) -> None:
    host = make_person(make_unit("Training"))
    room = save(HALL)
    reference = make_event(make_event_type(), room, host, places=14)

    with pytest.raises(RoomRefusedError, match=f"{reference} has 14 places in this room") as refused:
        save(RoomDetails("Hall", None, 13, ""), room)
    assert refused.value.field == "capacity"
    save(RoomDetails("Hall", None, 14, "", closed=True), room)
    assert (room_with_id(room).capacity, list_rooms(with_closed=False)) == (14, [])


def test_two_rooms_do_not_share_a_name(database: None) -> None:
    room = save(HALL)

    with pytest.raises(RoomRefusedError, match="already a room called Hall"):
        save(HALL)
    assert save(HALL, room) == room
    with pytest.raises(NotFoundError):
        save(RoomDetails("Other", None, 1, ""), room + 1)


def test_nearness_counts_steps_up_to_a_unit_that_holds_both(database: None) -> None:
    force = make_unit("Force")
    north, south = make_unit("North", force), make_unit("South", force)
    team, other = make_unit("Team", north), make_unit("Other team", north)
    person = make_person(team)
    near = Nearness(unit_of_person(person, date(2026, 5, 20)), date(2026, 5, 20))

    steps = [near.steps_to(unit) for unit in (team, north, other, force, south, None)]

    assert steps == [0, 1, 1, 2, 2, FAR]
    assert unit_of_person(make_person(), date(2026, 5, 20)) is None
