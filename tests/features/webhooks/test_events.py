"""Each event follows from the fact, or from the day, that brought it: once, and with what it says."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from portal.domain.catalogue.models import Activity
from portal.domain.directives.services import reconcile_all
from portal.domain.people.models import Post
from portal.domain.records import services as records
from portal.domain.status.models import StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.features.webhooks.models import EventType
from portal.platform.db import db, stamp, touch, transaction
from tests.domain.status.facts import (
    make_activity,
    make_directive,
    make_exclusion,
    make_module_version,
    make_record,
    make_start,
    make_version,
    noon,
)
from tests.factories.people import make_person, make_unit
from tests.features.webhooks.receiving import NOON, collected, make_webhook, transitions

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def clock(time_machine):
    """The time, which a test moves on: noon in April, ten days before the directive is due."""

    class Moved:
        def at(self, instant: datetime) -> None:
            time_machine.move_to(instant, tick=False)

        def on(self, day: date) -> None:
            self.at(noon(day))

    moved = Moved()
    moved.at(NOON)
    return moved


class Force:
    """A unit with one person, of whom a directive asks two modules by 30 April 2026."""

    def __init__(self, **rules):
        self.north, self.south = make_unit("North"), make_unit("South")
        self.person = make_person(self.north, staff_number="W1")
        self.first, self.second = make_activity(), make_activity()
        self.directive = make_directive()
        self.version = make_version(self.directive, {1: self.first, 2: self.second}, **rules)

    def key(self, activity):
        return db.session.get_one(Activity, activity).key


@pytest.fixture
def force(clock):
    return Force()


def change_post(person, **values):
    """Replace the person's newest post by one with other values."""
    with transaction():
        at = stamp()
        old = db.session.scalars(
            select(Post).where(Post.person_id == person).order_by(Post.id.desc()).limit(1)
        ).one()
        kept = {c.name: getattr(old, c.name) for c in Post.__table__.columns if c.name != "id"}
        db.session.add(Post(**{**kept, "recorded_at": at, "replaces_id": old.id, **values}))
        touch(people=[person])


def test_a_new_webhook_hears_of_nothing_that_was_before(force, clock):
    reference, _ = make_webhook()

    assert collected(reference) == []


def test_a_pass_is_recorded_and_changes_two_statuses(force, clock):
    reference, _ = make_webhook()
    clock.at(NOON + timedelta(minutes=5))
    make_record(force.person, force.first, date(2026, 4, 20), reference="OIC-AAAA-BBBB-C", source="assessed")

    events = collected(reference)

    assert events[0] == (
        "pass.recorded",
        {
            "requirement_kind": "module",
            "requirement": force.key(force.first),
            "source": "assessed",
            "achieved_at": "2026-04-20T12:00:00Z",
            "record_reference": "OIC-AAAA-BBBB-C",
            "corrects": False,
            "as_at": "2026-04-20",
        },
    )
    assert [kind for kind, _ in events] == ["pass.recorded", "status.changed", "status.changed"]
    assert sorted(transitions(reference), key=str) == sorted(
        [(None, "not_started", "in_progress"), (force.key(force.first), "not_started", "satisfied")], key=str
    )
    assert {data["record_reference"] for _, data in events[1:]} == {None, "OIC-AAAA-BBBB-C"}
    assert events[1][1]["due_on"] == "2026-04-30"


def test_a_day_that_passes_makes_people_overdue_once(force, clock):
    reference, _ = make_webhook(events=(EventType.STATUS_CHANGED,))
    clock.on(date(2026, 4, 30))
    assert collected(reference) == []

    clock.at(datetime(2026, 4, 30, 23, 1, tzinfo=UTC))  # 00:01 on 1 May in London
    events = collected(reference)

    assert [data["new_status"] for _, data in events] == ["overdue"] * 3
    assert {data["as_at"] for _, data in events} == {"2026-05-01"}
    clock.on(date(2026, 5, 9))
    assert len(collected(reference)) == 3


def test_a_clock_that_was_ahead_and_is_set_back_is_followed(force, clock):
    reference, _ = make_webhook(events=(EventType.STATUS_CHANGED,))
    clock.on(date(2026, 5, 1))
    assert len(collected(reference)) == 3

    clock.at(NOON + timedelta(minutes=1))
    make_exclusion(force.person, force.directive, date(2026, 4, 20), date(2026, 4, 25))
    assert [data["as_at"] for _, data in collected(reference)[3:]] == ["2026-04-20"] * 3
    clock.on(date(2026, 5, 2))
    days = [data["as_at"] for _, data in collected(reference)]
    assert days == ["2026-05-01"] * 3 + ["2026-04-20"] * 3 + ["2026-04-26"] * 3  # that of 1 May is there


def test_what_a_day_brought_is_told_however_long_nobody_looked(force, clock):
    reference, _ = make_webhook(events=(EventType.STATUS_CHANGED,))
    clock.on(date(2026, 5, 20))
    make_record(force.person, force.first, date(2026, 5, 20))

    key = force.key(force.first)
    changes = [change for change in transitions(reference) if change[0] == key]

    assert changes == [(key, "not_started", "overdue"), (key, "overdue", "satisfied")]


def test_two_changes_between_two_looks_are_two_events(force, clock):
    reference, _ = make_webhook(events=(EventType.STATUS_CHANGED,))
    clock.at(NOON + timedelta(minutes=1))
    make_start(force.person, force.first, make_module_version(force.first), date(2026, 4, 20))
    clock.at(NOON + timedelta(minutes=2))
    make_record(force.person, force.first, date(2026, 4, 20))

    key = force.key(force.first)
    assert [change for change in transitions(reference) if change[0] == key] == [
        (key, "not_started", "in_progress"),
        (key, "in_progress", "satisfied"),
    ]


def test_a_late_completion_changes_the_status_of_today_and_no_past_one(force, clock):
    clock.on(date(2026, 6, 1))
    reference, _ = make_webhook(events=(EventType.STATUS_CHANGED,))
    make_record(force.person, force.first, date(2026, 3, 1))

    key = force.key(force.first)
    assert [change for change in transitions(reference) if change[0] == key] == [
        (key, "overdue", "satisfied")
    ]


def test_a_revocation_and_its_end_are_changes_of_status_and_no_pass(force, clock):
    record = make_record(force.person, force.first, date(2026, 4, 1))
    reference, _ = make_webhook()
    clock.at(NOON + timedelta(minutes=1))
    with transaction():
        revoked = records.revoke_record(record, date(2026, 4, 1), reason="other", decided_by=force.person)
        number = revoked.id
    clock.at(NOON + timedelta(minutes=2))
    with transaction():
        records.restore_record(number, reason="other", decided_by=force.person)

    key = force.key(force.first)
    assert [change for change in transitions(reference) if change[0] == key] == [
        (key, "satisfied", "not_started"),
        (key, "not_started", "satisfied"),
    ]
    assert EventType.PASS_RECORDED not in [kind for kind, _ in collected(reference)]


def test_statuses_begin_and_end_with_posts_recorded_late_or_ahead(force, clock):
    reference, _ = make_webhook(events=(EventType.STATUS_CHANGED,))
    clock.at(NOON + timedelta(minutes=1))
    make_person(force.north, since=date(2024, 1, 1))
    assert {(old, new) for _, old, new in transitions(reference)} == {(None, "not_started")}

    clock.at(NOON + timedelta(minutes=2))
    change_post(force.person, void=True)
    assert {(old, new) for _, old, new in transitions(reference)[3:]} == {("not_started", None)}

    clock.at(NOON + timedelta(minutes=3))
    make_person(force.north, since=date(2026, 4, 22))
    assert len(transitions(reference)) == 6
    clock.on(date(2026, 4, 22))
    assert {(old, new) for _, old, new in transitions(reference)[6:]} == {(None, "not_started")}


def test_an_exemption_is_a_change_of_status(force, clock):
    reference, _ = make_webhook(events=(EventType.STATUS_CHANGED,))
    make_exclusion(force.person, force.directive, date(2026, 4, 20), date(2026, 4, 25))
    assert {new for _, _, new in transitions(reference)} == {"exempt"}

    clock.on(date(2026, 4, 26))
    assert [new for _, _, new in transitions(reference)][3:] == ["not_started"] * 3


def test_a_directive_and_its_version_are_issued(force, clock):
    reference, _ = make_webhook(events=(EventType.DIRECTIVE_ISSUED,))
    clock.at(NOON + timedelta(minutes=1))
    make_version(force.directive, {1: force.first}, number=2, effective_on=date(2026, 5, 1))

    [(kind, data)] = collected(reference)

    assert kind == "directive.issued"
    assert data["version"] == 2
    assert data["effective_on"] == "2026-05-01"
    assert data["withdrawn"] is False
    assert data["requirements"] == [{"requirement_kind": "module", "requirement": force.key(force.first)}]


def test_somebody_joins_and_leaves_by_facts_and_by_days(force, clock):
    reference, _ = make_webhook(events=(EventType.PERSON_JOINED, EventType.PERSON_LEFT))
    clock.at(NOON + timedelta(minutes=1))
    make_person(force.north, staff_number="W2", since=date(2026, 4, 22))
    change_post(force.person, valid_to=date(2026, 4, 24))
    assert collected(reference) == []

    clock.on(date(2026, 4, 30))
    events = collected(reference)

    assert [(kind, data["as_at"]) for kind, data in events] == [
        ("person.joined", "2026-04-22"),
        ("person.left", "2026-04-25"),
    ]
    assert events[0][1]["first_day"] == "2026-04-22"
    assert events[1][1]["last_day"] == "2026-04-24"


def test_a_move_is_no_leaving_and_who_comes_back_joins_again(force, clock):
    reference, _ = make_webhook(events=(EventType.PERSON_JOINED, EventType.PERSON_LEFT))
    clock.at(NOON + timedelta(minutes=1))
    change_post(force.person, unit_id=force.south)
    assert collected(reference) == []

    clock.at(NOON + timedelta(minutes=2))
    change_post(force.person, valid_to=date(2026, 4, 19))
    clock.at(NOON + timedelta(minutes=3))
    change_post(force.person, valid_to=date(9999, 12, 31))
    clock.at(NOON + timedelta(minutes=4))
    change_post(force.person, void=True)

    events = collected(reference)
    assert [(kind, data.get("last_day")) for kind, data in events] == [
        ("person.left", "2026-04-19"),
        ("person.joined", None),
        ("person.left", None),
    ]


def test_a_rebuild_of_statuses_is_no_event(force, clock):
    make_record(force.person, force.first, date(2026, 3, 1))
    reference, _ = make_webhook()
    clock.on(date(2026, 4, 21))
    with transaction():
        db.session.execute(delete(StatusPeriod))
        assert len(rebuild_status()) == 1
        reconcile_all()

    assert collected(reference) == []


def test_a_webhook_of_a_unit_hears_what_the_report_of_the_unit_shows(force, clock):
    here, _ = make_webhook(unit_id=force.north, name="North")
    there, _ = make_webhook(unit_id=force.south, name="South")
    clock.at(NOON + timedelta(minutes=1))
    make_record(force.person, force.first, date(2026, 4, 20))
    assert len(collected(here)) == 3
    assert collected(there) == []

    clock.at(NOON + timedelta(minutes=2))
    change_post(force.person, unit_id=force.south)

    assert [kind for kind, _ in collected(here)[3:]].count("person.left") == 1
    assert {new for _, _, new in transitions(here)[2:]} == {None}
    assert [kind for kind, _ in collected(there)].count("person.joined") == 1
    assert {(old, new) for _, old, new in transitions(there)} == {
        (None, "in_progress"),
        (None, "satisfied"),
        (None, "not_started"),
    }


def test_a_webhook_of_a_directive_hears_of_its_modules_and_people_alone(force, clock):
    other, elsewhere = make_activity(), make_directive()
    make_version(elsewhere, {1: other})
    events = (EventType.PASS_RECORDED, EventType.STATUS_CHANGED, EventType.DIRECTIVE_ISSUED)
    reference, _ = make_webhook(events=events, directive_id=force.directive)
    clock.at(NOON + timedelta(minutes=1))
    stranger = make_person(staff_number="W9")  # without a post: nothing applies to them
    make_record(force.person, other, date(2026, 4, 20))
    make_record(stranger, force.first, date(2026, 4, 20))
    make_version(elsewhere, {1: other}, number=2)
    assert collected(reference) == []

    make_record(force.person, force.first, date(2026, 4, 20))
    assert [kind for kind, _ in collected(reference)] == ["pass.recorded", "status.changed", "status.changed"]


def test_no_event_names_anybody(force, clock):
    reference, _ = make_webhook()
    make_record(force.person, force.first, date(2026, 4, 20))
    make_person(force.north, staff_number="W2", surname="Nashwell", forenames="Owen")

    text = str(collected(reference))

    assert not re.search(r"\bW2\b", text)  # a reference of a record may hold these two letters
    assert "Nashwell" not in text
    assert "@" not in text
