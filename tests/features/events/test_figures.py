"""Who attended, who has a place, who is needed next, and who booked and did not come."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import func, select

from portal.domain.catalogue.models import Activity
from portal.domain.people.queries import viewer_of
from portal.features.events.figures import count_lacking_people, find_next_syndicates, read_attendance
from portal.features.events.models import AttendanceOutcome, Event, EventVersion
from portal.features.events.services import list_coming_events, read_outcomes
from portal.platform.db import db, stamp, transaction
from portal.platform.permissions import Role
from tests.domain.status.facts import make_directive, make_exclusion, make_record, make_version
from tests.factories.events import make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_grant, make_person, make_unit

TODAY = date(2026, 6, 1)
NOW = datetime.combine(TODAY, time(9), UTC)
MARCH = datetime(2027, 3, 3, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _june(database, time_machine):
    time_machine.move_to(datetime(2026, 6, 1, 9, tzinfo=UTC))


class Force:
    """Eight sergeants whom a manager sees, two whom they do not, and an event type required of everyone."""

    def __init__(self, rank: str = "Sergeant") -> None:
        self.seen, self.unseen = make_unit("Response"), make_unit("Contact")
        self.type = make_event_type()
        self.activity = db.session.scalar(select(Activity.id).where(Activity.kind == "event"))
        self.room = make_event_room()
        self.facilitator = make_person(staff_number="D5001")
        make_grant(self.facilitator, Role.FACILITATOR)
        self.people = [make_person(self.seen, rank=rank, surname=f"Seen {n}") for n in range(8)]
        self.others = [make_person(self.unseen, rank=rank, surname=f"Unseen {n}") for n in range(2)]
        self.directive = make_directive()
        self.version = make_version(self.directive, {1: self.activity})
        self.manager = make_person(staff_number="D2001")
        make_grant(self.manager, Role.MANAGER, self.seen)

    def event(self, at: datetime = MARCH, **more) -> str:
        return make_event(self.type, self.room, self.facilitator, starts_at=at, **more)

    def attend(self, *people: int) -> None:
        for person in people:
            make_record(person, self.activity, date(2026, 5, 1), source="attended")


def test_a_manager_reads_how_many_attended_and_who_is_booked_for_when():
    force = Force()
    force.attend(*force.people[:5])
    event = force.event()
    for person in (*force.people[5:7], *force.others):
        make_booking(event, person)

    (line,) = read_attendance(viewer_of(force.manager), TODAY)

    assert line.sentence == "5 of your 8 supervisors attended, 2 booked for 3 March 2027, 1 without a place."
    assert [person.person_id for person in line.without_place] == [force.people[7]]


def test_excluded_people_and_expired_attendances_are_not_counted():
    force = Force(rank="Constable")
    make_version(force.directive, {1: force.activity}, number=2, validity_months=12)
    make_exclusion(force.people[0], force.directive, date(2026, 1, 1))
    make_record(force.people[1], force.activity, date(2024, 5, 1), source="attended")
    make_record(force.people[2], force.activity, date(2026, 5, 1), source="attended")

    (line,) = read_attendance(viewer_of(force.manager), TODAY)

    assert line.sentence == "1 of your 7 people attended, 6 without a place."


@pytest.mark.parametrize("state", ["asked", "waiting", "offered"])
def test_waiting_people_are_counted_apart_from_people_with_a_place(state):
    force = Force()
    make_booking(force.event(), force.people[0], state=state)

    (line,) = read_attendance(viewer_of(force.manager), TODAY)

    assert line.sentence == "0 of your 8 supervisors attended, 1 waiting for a place, 7 without a place."


def test_a_cancelled_event_gives_nobody_a_place_and_a_moved_one_counts_on_its_new_day():
    force = Force()
    cancelled, moved = force.event(), force.event()
    make_booking(cancelled, force.people[0])
    make_booking(moved, force.people[1])
    change_event(cancelled, cancelled=True)
    change_event(moved, held_on=date(2027, 3, 9))

    (line,) = read_attendance(viewer_of(force.manager), TODAY)

    assert "1 booked for 9 March 2027, 7 without a place" in line.sentence
    assert [event.reference for event in list_coming_events(NOW)] == [moved]


def change_event(reference: str, **values) -> None:
    """The next version of an event, with other values."""
    with transaction():
        at = stamp()
        event = db.session.scalar(select(Event.id).where(Event.reference == reference))
        newest = select(func.max(EventVersion.id)).where(EventVersion.event_id == event)
        old = db.session.get_one(EventVersion, db.session.scalar(newest))
        kept = {c.key: getattr(old, c.key) for c in EventVersion.__table__.columns if c.key != "id"}
        kept |= {"recorded_at": at, "number": old.number + 1, "reason": "duties", **values}
        db.session.add(EventVersion(**kept))


def test_places_left_count_offered_ones_as_taken():
    force = Force()
    event = force.event(places=4)
    for person, state in zip(force.people, ("booked", "offered", "waiting", "cancelled"), strict=False):
        make_booking(event, person, state=state)

    (line,) = list_coming_events(NOW)

    assert (line.taken, line.left, line.waiting) == (2, 2, 1)


def test_the_next_syndicate_lists_people_without_a_place_for_the_next_event_with_free_places():
    force = Force()
    full = force.event(datetime(2026, 7, 1, 9, tzinfo=UTC), places=1)
    make_booking(full, force.people[0])
    later = force.event(places=14)
    make_booking(later, force.people[1])
    viewer = viewer_of(force.manager)

    (needed,) = find_next_syndicates(read_attendance(viewer, TODAY), list_coming_events(NOW), TODAY)

    assert (needed.event.reference, needed.to_begin, needed.to_fill) == (later, 3, 6)
    assert [person.name for person in needed.candidates] == [f"Seen {n}, Priya" for n in range(2, 8)]
    assert all(person.overdue for person in needed.candidates)


@given(some.integers(0, 60), some.integers(1, 60), some.integers(1, 7), some.integers(0, 6))
def test_the_people_a_syndicate_lacks_fit_into_the_places_left(taken, left, least, more):
    most = least + more
    begin, fill = count_lacking_people(taken, left, least, most)

    assert 0 <= begin <= fill <= left
    assert 1 <= fill <= most
    if fill < left:
        assert (taken + fill) % most == 0
        assert taken % most + begin >= least


def sign_off(force: Force, reference: str, person: int, outcome: str) -> None:
    with transaction():
        event = db.session.scalar(select(Event.id).where(Event.reference == reference))
        db.session.add(
            AttendanceOutcome(
                recorded_at=stamp(),
                event_id=event,
                person_id=person,
                outcome=outcome,
                reason="",
                signed_off_by_id=force.facilitator,
                signed_off_on=TODAY,
            )
        )


def test_outcomes_by_unit_are_shown_to_those_who_may_see_the_people():
    force = Force()
    event = force.event(datetime(2026, 5, 20, 9, tzinfo=UTC))
    for person, outcome in zip(force.people, ("attended", "attended", "part", "absent"), strict=False):
        make_booking(event, person)
        sign_off(force, event, person, outcome)
    make_booking(event, force.people[4])
    make_booking(event, force.people[5], state="cancelled")
    make_booking(event, force.others[0])
    sign_off(force, event, force.others[0], "absent")
    since = date(2026, 1, 1)

    (mine,) = read_outcomes(viewer_of(force.manager), since, TODAY)
    all_of_event = read_outcomes(viewer_of(force.facilitator), since, TODAY)

    assert (mine.unit, mine.booked, mine.attended, mine.part, mine.absent, mine.not_signed_off) == (
        "Response",
        5,
        2,
        1,
        1,
        1,
    )
    assert {(line.unit, line.absent) for line in all_of_event} == {("Response", 1), ("Contact", 1)}
    other = make_person(staff_number="D5002")
    make_grant(other, Role.FACILITATOR)
    assert read_outcomes(viewer_of(other), since, TODAY) == []


def test_nobody_reads_figures_of_people_they_do_not_see():
    force = Force()
    stranger = make_person(staff_number="D2002")
    make_grant(stranger, Role.MANAGER, make_unit("Elsewhere"))

    assert read_attendance(viewer_of(stranger), TODAY) == []
    assert read_attendance(viewer_of(force.facilitator), TODAY) == []
