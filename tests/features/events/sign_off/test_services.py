"""Only a sign-off makes an attendance record; a correction is a second person's new facts."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.records.models import Revocation
from portal.domain.status.models import OPEN_KNOWN, StatusPeriod
from portal.domain.status.rules import Status
from portal.features.events.booking import list_changing_events, update_bookings
from portal.features.events.register import get_register_event, list_register
from portal.features.events.sign_off import SignOff, correct_outcome, sign_off
from portal.platform.clock import to_microseconds
from portal.platform.db import db, transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from tests.domain.status.facts import make_activity, make_directive, make_version
from tests.factories.events import EVENT_START, make_booking, make_event, make_event_room
from tests.factories.people import make_person
from tests.features.events.worlds import (
    BEGUN,
    OVER,
    get_booking,
    list_attendances,
    list_outcomes,
    make_held_event,
)

pytestmark = pytest.mark.usefixtures("database")
HELD_ON = date(2026, 6, 10)


def sign(world, outcome="attended", reason="", *, person=0, by=None, at=OVER):
    decision = SignOff(world.bookings[person], outcome, reason)
    with transaction():
        return sign_off(world.reference, [decision], by=by or world.facilitator, at=at)


def correct(world, outcome, reason="", *, person=0, by=None):
    with transaction():
        decision = SignOff(world.bookings[person], outcome, reason)
        correct_outcome(world.reference, decision, by=by or world.second, at=OVER + timedelta(days=1))


def status_on(person, position, day=HELD_ON, known_at=None):
    rows = select(StatusPeriod.status).where(
        StatusPeriod.person_id == person,
        StatusPeriod.position == position,
        StatusPeriod.from_on <= day.toordinal(),
        StatusPeriod.to_on >= day.toordinal(),
    )
    if known_at is None:
        rows = rows.where(StatusPeriod.known_to == OPEN_KNOWN)
    else:
        at = to_microseconds(known_at)
        rows = rows.where(StatusPeriod.known_from <= at, StatusPeriod.known_to > at)
    number = db.session.scalar(rows)
    return None if number is None else Status(number)


def test_the_status_follows_on_the_day_of_the_event_and_is_known_from_sign_off_on():
    world = make_held_event()
    event_type = db.session.get_one(EventTypeVersion, world.type_version).activity_id
    module = make_activity()
    make_version(make_directive(), {1: event_type, 2: module}, due_fixed_on=date(2026, 6, 30))
    assert status_on(world.people[0], 1) is Status.NOT_STARTED

    sign(world)

    record, details = list_attendances()[0]
    before = record.recorded_at - timedelta(microseconds=1)
    assert status_on(world.people[0], 1) is Status.SATISFIED
    assert status_on(world.people[0], 1, HELD_ON - timedelta(days=1)) is Status.NOT_STARTED
    assert status_on(world.people[0], 1, known_at=before) is Status.NOT_STARTED
    assert status_on(world.people[0], 2) is Status.NOT_STARTED  # the module is not passed by it
    assert (record.source, record.achieved_on, record.activity_id) == ("attended", HELD_ON, event_type)
    assert (details.event_reference, details.signed_off_by_id) == (world.reference, world.facilitator)


def test_only_people_who_attended_get_a_record_and_everybody_may_book_again():
    world = make_held_event()

    sign(world)
    sign(world, "part", "left_early", person=1)
    sign(world, "absent", "sick", person=2)

    assert [record.person_id for record, _ in list_attendances()] == world.people[:1]
    assert [(row.outcome, row.reason) for row in list_outcomes()] == [
        ("attended", ""),
        ("part", "left_early"),
        ("absent", "sick"),
    ]
    again = make_event(world.type_version, make_event_room("Another room"), world.facilitator)
    for person in world.people:
        make_booking(again, person)  # the index on open bookings would refuse it


def test_updating_bookings_does_not_change_people_who_are_signed_off():
    world = make_held_event()
    waiting = make_booking(world.reference, make_person(), state="waiting")
    sign(world, at=BEGUN)
    sign(world, "absent", "sick", person=1, at=BEGUN)

    with transaction():
        swept = update_bookings([get_booking(world.bookings[0]).event_id], OVER)

    kept = [(get_booking(each).state, get_booking(each).sitting) for each in world.bookings]
    event_id = get_booking(world.bookings[0]).event_id
    assert kept == [("booked", event_id), ("booked", event_id), ("booked", 0)]
    assert (swept, get_booking(waiting).state) == (1, "lapsed")  # the event has begun: nobody waits
    assert list_changing_events(OVER) == []


def test_a_second_person_corrects_a_wrong_attendance():
    world = make_held_event()
    sign(world)
    with pytest.raises(RuleError, match="second person"):
        correct(world, "absent", "sick", by=world.facilitator)

    correct(world, "absent", "sick")

    revocation = db.session.scalars(select(Revocation)).one()
    record, _ = list_attendances()[0]
    assert (revocation.record_id, revocation.from_on) == (record.id, HELD_ON)
    first, second = list_outcomes()
    assert (second.replaces_id, second.signed_off_by_id, second.record_id) == (first.id, world.second, None)
    with pytest.raises(ConflictError, match="already signed off with this outcome"):
        correct(world, "absent", "sick", by=world.facilitator)


def test_a_correction_to_attended_makes_a_record_of_the_events_day_even_a_second_time():
    world = make_held_event()
    sign(world, "absent", "not_known")
    correct(world, "attended")
    correct(world, "part", "unwell", by=world.facilitator)
    correct(world, "attended")

    records = [record for record, _ in list_attendances()]
    assert [record.achieved_on for record in records] == [HELD_ON, HELD_ON]
    assert len({record.reference for record in records}) == 2
    assert [row.record_id for row in db.session.scalars(select(Revocation))] == [records[0].id]
    assert list_outcomes()[-1].record_id == records[1].id


def test_signing_off_twice_counts_once_and_another_outcome_meanwhile_is_a_conflict():
    world = make_held_event()

    assert (sign(world), sign(world, by=world.second)) == (1, 0)
    with pytest.raises(ConflictError, match="meanwhile: Attended"):
        sign(world, "absent", "sick", by=world.second)
    assert len(list_outcomes()) == len(list_attendances()) == 1
    assert get_booking(world.bookings[0]).sitting == get_booking(world.bookings[0]).event_id


def test_a_person_who_cancels_after_sign_off_stays_in_the_register_and_can_be_corrected():
    world = make_held_event(2)
    sign(world)
    get_booking(world.bookings[0]).state = get_booking(world.bookings[1]).state = "left"
    db.session.commit()

    assert [row.person_id for row in list_register(get_register_event(world.reference))] == world.people[:1]
    correct(world, "part", "other")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("part", ""), ("absent", "left_early"), ("attended", "sick"), ("", ""), ("asleep", "")],
)
def test_an_outcome_needs_a_reason_of_its_own_list(outcome, reason):
    with pytest.raises(RuleError, match="a reason"):
        sign(make_held_event(1), outcome, reason)


def test_nobody_is_signed_off_too_early_or_by_themself_or_without_a_place():
    world = make_held_event(1)
    waiting = make_held_event_place(world)

    with pytest.raises(RuleError, match="has not begun"):
        sign(world, at=EVENT_START - timedelta(minutes=1))
    with pytest.raises(RuleError, match="Another facilitator"):
        sign(world, by=world.people[0])
    with pytest.raises(RuleError, match="no place"), transaction():
        sign_off(world.reference, [SignOff(waiting, "attended")], by=world.facilitator, at=BEGUN)
    with pytest.raises(NotFoundError, match="not signed off"):
        correct(world, "attended")
    assert list_outcomes() == []


def make_held_event_place(world):
    """The booking of somebody who only waits for a place."""
    return make_booking(world.reference, world.second, state="waiting")
