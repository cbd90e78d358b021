"""Planning, changing and cancelling events: what is refused, what becomes of bookings, who is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.features.events import services
from portal.features.events.booking_queries import count_places_left
from portal.features.events.models import Booking, BookingChange, EventVersion
from portal.features.events.queries import event_details
from portal.features.events.services import EventPlan, PlanRefusedError
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.errors import ConflictError, RuleError
from tests.factories.events import EVENT_START, make_booking, make_event_room, make_event_type
from tests.factories.people import make_grant, make_person, make_unit

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)


def make_facilitator(**names: str) -> int:
    person = make_person(make_unit("Training"), **names)
    make_grant(person, "facilitator")
    return person


@pytest.fixture
def host(database: None) -> int:
    return make_facilitator(forenames="Ines", surname="Vale")


@pytest.fixture
def plan(host: int) -> EventPlan:
    return EventPlan(make_event_type(), EVENT_START, 240, make_event_room(), 2, 14, (host,), "Bring a pen.")


def plan_event(plan: EventPlan, host: int) -> str:
    with transaction():
        return services.plan_events([plan], by=host, at=NOW)[0]


def change_event(reference: str, plan: EventPlan, host: int, *, number: int = 0, reason: str = "") -> int:
    with transaction():
        return services.change_event(reference, plan, number=number, reason=reason, by=host, at=NOW)


def told(action: str) -> list[int | None]:
    statement = select(AuditEvent.subject_id).where(AuditEvent.action == action)
    return sorted(db.session.scalars(statement))


def test_cancelling_an_event_ends_every_booking_and_notifies_its_people(plan: EventPlan, host: int) -> None:
    reference = plan_event(plan, host)
    people = [make_person() for _ in range(4)]
    for person, state in zip(people, ("booked", "offered", "waiting", "declined"), strict=True):
        make_booking(reference, person, state=state)

    with transaction():
        count = services.cancel_event(reference, number=0, reason="The room is flooded.", by=host, at=NOW)

    event = event_details(reference)
    assert (event.cancelled, event.reason, event.number, count_places_left([event.id], NOW)) == (
        True, "The room is flooded.", 1, {event.id: 0},
    )  # fmt: skip
    states = dict(db.session.execute(select(Booking.person_id, Booking.state)).all())
    assert [states[person] for person in people] == ["cancelled", "cancelled", "cancelled", "declined"]
    ended = db.session.scalars(select(BookingChange).where(BookingChange.reason == "event_cancelled")).all()
    assert len(ended) == 3
    assert count == 4
    assert told("event.cancellation_told") == sorted([host, *people[:3]])


def test_extra_places_are_offered_at_once_to_the_wait_list(plan: EventPlan, host: int) -> None:
    small = replace(plan, places=8)
    reference, unit = plan_event(small, host), make_unit("Response")
    for _ in range(8):
        make_booking(reference, make_person(unit))
    waiting = make_booking(reference, make_person(unit), state="waiting")

    change_event(reference, replace(small, places=9), host)

    booking = db.session.get_one(Booking, waiting, populate_existing=True)
    assert (booking.state, booking.offered_until) == ("offered", NOW + timedelta(hours=48))


def test_a_moved_event_keeps_its_versions_and_notifies_people_with_a_place(
    plan: EventPlan, host: int
) -> None:
    reference = plan_event(plan, host)
    booked, offered, waiting = (make_person() for _ in range(3))
    for person, state in ((booked, "booked"), (offered, "offered"), (waiting, "waiting")):
        make_booking(reference, person, state=state)
    later = replace(plan, starts_at=plan.starts_at + timedelta(days=7))

    with pytest.raises(RuleError, match="Say why the event is moved"):
        change_event(reference, later, host)
    count = change_event(reference, later, host, reason="The trainer is ill.")

    event = event_details(reference)
    assert (event.number, event.starts_at, event.reason) == (1, later.starts_at, "The trainer is ill.")
    assert event.ends_at - event.starts_at == timedelta(minutes=240)
    assert db.session.scalars(select(EventVersion.number).order_by(EventVersion.number)).all() == [0, 1]
    assert count == 3
    assert told("event.move_told") == sorted([host, booked, offered])


def test_a_change_of_places_notifies_nobody_and_an_equal_plan_writes_nothing(
    plan: EventPlan, host: int
) -> None:
    reference = plan_event(plan, host)
    make_booking(reference, make_person())

    assert change_event(reference, plan, host) == 0
    assert event_details(reference).number == 0
    assert change_event(reference, replace(plan, places=12), host) == 0
    assert (event_details(reference).number, told("event.move_told")) == (1, [])


def test_two_who_change_an_event_at_once_do_not_overwrite_each_other(plan: EventPlan, host: int) -> None:
    reference = plan_event(plan, host)
    change_event(reference, replace(plan, places=12), host)

    with pytest.raises(ConflictError, match="Somebody else changed this event"):
        change_event(reference, replace(plan, places=10), host)
    assert event_details(reference).places == 12


def test_places_never_fall_below_those_taken(plan: EventPlan, host: int) -> None:
    reference = plan_event(plan, host)
    for _ in range(9):
        make_booking(reference, make_person())

    with pytest.raises(PlanRefusedError, match="9 places are taken") as refused:
        change_event(reference, replace(plan, places=8), host)
    assert refused.value.field == "places"
    change_event(reference, replace(plan, places=9), host)


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"starts_at": NOW}, "day", "in the past"),
        ({"starts_at": NOW + timedelta(days=4000)}, "day", "Check the year"),
        ({"places": 29, "syndicates": 5}, "places", "takes 4 to 28 people"),
        ({"places": 15}, "syndicates", "at most 7 people"),
        ({"places": 14, "syndicates": 4}, "syndicates", "at least 4 people"),
    ],
)
def test_a_plan_that_cannot_take_place_is_refused_with_its_field(
    plan: EventPlan, host: int, change: dict[str, object], field: str, sentence: str
) -> None:
    with pytest.raises(PlanRefusedError, match=sentence) as refused:
        plan_event(replace(plan, **change), host)
    assert refused.value.field == field
    assert db.session.scalars(select(EventVersion)).all() == []


def test_a_room_and_a_facilitator_are_in_one_event_at_a_time(plan: EventPlan, host: int) -> None:
    first, other = plan_event(plan, host), make_facilitator()
    elsewhere = make_event_room("Another room", capacity=10)
    overlap = plan.starts_at + timedelta(minutes=239)

    with pytest.raises(PlanRefusedError, match=f"is taken by {first}, from 09:30 on 10 June 2026"):
        plan_event(replace(plan, starts_at=overlap, facilitators=(other,)), host)
    with pytest.raises(PlanRefusedError, match=f"Ines Vale runs {first} then"):
        plan_event(replace(plan, starts_at=overlap, room_id=elsewhere, places=10), host)
    with pytest.raises(PlanRefusedError, match="Another room has room for 10 people"):
        plan_event(replace(plan, room_id=elsewhere, facilitators=()), host)
    plan_event(replace(plan, starts_at=plan.ends_at), host)


def test_only_who_may_run_events_that_day_is_a_facilitator(plan: EventPlan, host: int) -> None:
    with pytest.raises(PlanRefusedError, match="1 person may not run events on that day"):
        plan_event(replace(plan, facilitators=(host, make_person())), host)


def test_a_series_is_planned_whole_or_not_at_all(plan: EventPlan, host: int) -> None:
    weekly = [replace(plan, starts_at=plan.starts_at + timedelta(weeks=week)) for week in range(3)]
    with transaction():
        references = services.plan_events(weekly, by=host, at=NOW)
    assert references == ["EV-0001", "EV-0002", "EV-0003"]
    assert len({event_details(reference).series for reference in references}) == 1
    assert told("event.facilitator_named") == [host] * 3

    with pytest.raises(PlanRefusedError), transaction():
        services.plan_events(
            [replace(each, starts_at=each.starts_at + timedelta(weeks=2)) for each in reversed(weekly)],
            by=host,
            at=NOW,
        )
    assert len(db.session.scalars(select(EventVersion)).all()) == 3


def test_an_event_that_has_begun_or_is_cancelled_cannot_be_changed(plan: EventPlan, host: int) -> None:
    reference = plan_event(plan, host)
    with pytest.raises(RuleError, match="has begun"), transaction():
        services.cancel_event(reference, number=0, reason="Late", by=host, at=plan.starts_at)
    with pytest.raises(RuleError, match="Say why"), transaction():
        services.cancel_event(reference, number=0, reason="", by=host, at=NOW)
    with transaction():
        services.cancel_event(reference, number=0, reason="Flood", by=host, at=NOW)
    with pytest.raises(RuleError, match="is cancelled"):
        change_event(reference, replace(plan, places=12), host, number=1)
    plan_event(plan, host)  # its room and its facilitator are free again
