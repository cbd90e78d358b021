"""Entries in the register: twice is once, from whatever device and however late."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from portal.domain.people.models import PersonName
from portal.features.events.register import (
    NUMBER_SECONDS,
    Note,
    get_register_event,
    issue_ticket,
    list_register,
    make_room_code,
    make_room_number,
    note_entries,
    note_staff_number,
    read_states,
    sign_in_by_ticket,
)
from portal.features.events.sign_off import SignOff, sign_off
from portal.platform.db import db, transaction
from portal.platform.errors import ForbiddenError, NotFoundError, RuleError
from tests.domain.status.test_projector import statements
from tests.factories.events import EVENT_START, make_booking
from tests.factories.people import make_person
from tests.features.events.worlds import BEGUN, OVER, list_entries, make_held_event

pytestmark = pytest.mark.usefixtures("database")
SECRET = "5d28c41b" * 3 + "9ae17f"  # of tests alone
NEXT = timedelta(seconds=NUMBER_SECONDS)  # until the screen shows another number


def note(world, kind="present", *, key=None, person=0, ago=0.0, at=BEGUN, by=None):
    sent = Note(key or uuid4(), world.bookings[person], kind, timedelta(minutes=ago))
    with transaction():
        return note_entries(world.reference, [sent], by=by or world.facilitator, at=at).written


def presence(world, person=0):
    return read_states(get_register_event(world.reference).id)[world.people[person]]


def come(world, person_id, *, at=BEGUN, used_at=None):
    code = make_room_code(SECRET, world.reference, at)
    ticket = issue_ticket(SECRET, world.reference, code, person_id, at)
    with transaction():
        return use_ticket(world, ticket, person_id, used_at or at + NEXT)


def sign_off_first(world):
    with transaction():
        decision = SignOff(world.bookings[0], "attended")
        assert sign_off(world.reference, [decision], by=world.facilitator, at=BEGUN) == 1


def use_ticket(world, ticket, person_id, at):
    """Sign in with the number that the screen shows at the instant."""
    number = make_room_number(SECRET, world.reference, at)
    return sign_in_by_ticket(SECRET, world.reference, ticket, number, person_id, at)


def test_two_devices_agree_once_the_one_without_network_has_sent():
    world = make_held_event()
    note(world, "left_early", at=OVER, by=world.second)

    note(world, "present", at=OVER, ago=290)  # noted at the beginning, sent after the other's

    assert presence(world).kind == "left_early"
    assert [entry.kind for entry in list_entries()] == ["present", "left_early"]


def test_an_entry_that_is_sent_twice_is_one_entry():
    world, key = make_held_event(), UUID(int=9)

    assert (note(world, key=key), note(world, "late", key=key, by=world.second)) == (1, 0)

    assert [(entry.kind, entry.noted_by_id) for entry in list_entries()] == [("present", world.facilitator)]


def test_a_device_with_a_wrong_clock_notes_nothing_later_than_now_or_before_the_register_opens():
    world = make_held_event()

    note(world, ago=-600)
    note(world, person=1, ago=60 * 24 * 365)

    first, second = list_entries()
    assert second.noted_at == BEGUN
    assert first.noted_at == EVENT_START - timedelta(hours=2)


def test_of_who_is_signed_off_nothing_more_is_noted_and_of_the_others_it_is():
    world, key = make_held_event(), uuid4()
    note(world, key=key)
    sign_off_first(world)
    rows = [(key, 0, "present"), (uuid4(), 0, "not_here"), (uuid4(), 1, "late")]

    with transaction():
        notes = [Note(key, world.bookings[person], kind, timedelta()) for key, person, kind in rows]
        noted = note_entries(world.reference, notes, by=world.second, at=OVER)
    with transaction():
        again = note_entries(world.reference, [notes[0], notes[2]], by=world.second, at=OVER)

    assert (noted.written, presence(world).kind, presence(world, 1).kind) == (1, "present", "late")
    assert "Shah 0 is signed off, so nothing more is noted of them." in noted.refused
    assert (again.written, again.refused) == (0, "")  # both were noted in time


def test_who_is_signed_off_is_noted_neither_by_staff_number_nor_by_code():
    world = make_held_event()
    code = make_room_code(SECRET, world.reference, BEGUN)
    ticket = issue_ticket(SECRET, world.reference, code, world.people[0], BEGUN)
    sign_off_first(world)
    number = db.session.get_one(PersonName, world.people[0]).staff_number

    with pytest.raises(RuleError, match="Shah 0 is signed off"), transaction():
        note_staff_number(world.reference, number, by=world.facilitator, at=BEGUN)
    with pytest.raises(RuleError, match="You are signed off"), transaction():
        use_ticket(world, ticket, world.people[0], BEGUN + NEXT)
    with pytest.raises(RuleError, match="You are signed off"):
        issue_ticket(SECRET, world.reference, code, world.people[0], BEGUN)
    assert list_entries() == []


def test_a_person_who_reads_the_code_in_time_is_signed_in_once():
    world = make_held_event()
    code = make_room_code(SECRET, world.reference, BEGUN)
    ticket = issue_ticket(SECRET, world.reference, code, world.people[0], BEGUN)

    for _ in range(2):
        with transaction():
            assert use_ticket(world, ticket, world.people[0], BEGUN + NEXT) == "present"

    assert [(entry.means, entry.noted_by_id) for entry in list_entries()] == [("code", world.people[0])]
    assert presence(world).came_by == "code"
    assert come(world, world.people[1], at=EVENT_START + timedelta(minutes=11)) == "late"


def test_a_code_passed_on_has_expired_and_a_ticket_works_for_one_person():
    world = make_held_event()
    code = make_room_code(SECRET, world.reference, BEGUN)
    with pytest.raises(RuleError, match="no longer valid"):
        issue_ticket(SECRET, world.reference, code, world.people[0], BEGUN + timedelta(seconds=45))
    ticket = issue_ticket(SECRET, world.reference, code, world.people[0], BEGUN)

    with pytest.raises(RuleError, match="took too long"), transaction():
        use_ticket(world, ticket, world.people[1], BEGUN + NEXT)
    with pytest.raises(RuleError, match="took too long"), transaction():
        use_ticket(world, ticket, world.people[0], BEGUN + timedelta(minutes=3))
    assert list_entries() == []


@pytest.mark.parametrize("state", ["waiting", "cancelled", "asked", "declined"])
def test_nobody_signs_in_without_a_place(state):
    world = make_held_event(1)
    make_booking(world.reference, world.second, state=state)

    with pytest.raises(ForbiddenError, match="no place"):
        come(world, world.second)


def test_a_staff_number_notes_who_has_a_place_and_tells_nothing_of_others():
    world = make_held_event()
    numbers = [db.session.get_one(PersonName, p).staff_number for p in (world.people[0], make_person())]

    with transaction():
        note_staff_number(world.reference, f" {numbers[0].lower()} ", by=world.facilitator, at=BEGUN)
    with pytest.raises(NotFoundError) as of_somebody, transaction():
        note_staff_number(world.reference, numbers[1], by=world.facilitator, at=BEGUN)
    with pytest.raises(NotFoundError) as of_nobody, transaction():
        note_staff_number(world.reference, "T-nobody", by=world.facilitator, at=BEGUN)

    assert presence(world).came_by == "staff_number"
    assert str(of_somebody.value) == str(of_nobody.value)


def test_the_register_opens_two_hours_before_and_takes_no_other_kind():
    world = make_held_event()

    with pytest.raises(RuleError, match="opens at"):
        note(world, at=EVENT_START - timedelta(hours=3))
    with pytest.raises(RuleError, match="cannot read"):
        note(world, "asleep")


def test_a_booking_of_another_event_is_passed_over():
    world, other = make_held_event(1), make_held_event(1)

    with transaction():
        sent = [Note(uuid4(), other.bookings[0], "present", timedelta())]
        assert note_entries(world.reference, sent, by=world.facilitator, at=BEGUN).written == 0
    assert list_entries() == []


def test_a_register_is_read_in_as_many_statements_for_twenty_as_for_two():
    few, many = (get_register_event(make_held_event(number).reference) for number in (2, 20))

    counts = []
    for event in (few, many):
        with statements() as asked:
            assert list_register(event)
        counts.append(len(asked))
    assert counts[0] == counts[1]
