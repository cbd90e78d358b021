"""“Must pass again from a day”: against an oracle that counts day by day, and in the database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.assessment.models import Attempt
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.directives.applies import MinimumVersionRule
from portal.domain.records.models import PassRecord, Record
from portal.domain.status import recording, tasks
from portal.domain.status.models import OPEN_KNOWN, StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.domain.status.recording import pending_rule, preview_minimum, record_minimum
from portal.domain.status.rules import (
    AssignmentRule,
    Facts,
    RecordFact,
    RevocationFact,
    Status,
    compute_status,
    find_days_of_change,
)
from portal.platform.clock import to_microseconds
from portal.platform.db import db, newest_stamp, stamp, touch, transaction
from tests.databases import undone
from tests.domain.status import facts as make
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.factories.people import make_person, make_unit

T0 = datetime(2025, 1, 1, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)  # the days that the oracle looks at
DAY = st.integers(0, (LAST - FIRST).days).map(lambda days: FIRST + timedelta(days=days))
_ids = count(1)


def head() -> tuple[int, datetime, bool, None]:
    return next(_ids), T0, False, None


@st.composite
def minimums(draw: st.DrawFn) -> MinimumVersionRule:
    announced = draw(DAY)
    from_on = announced + timedelta(days=draw(st.integers(1, 40)))
    return MinimumVersionRule(*head(), 1, draw(st.integers(2, 4)), announced, from_on)


@st.composite
def histories(draw: st.DrawFn) -> Facts:
    """One requirement with passes of versions, prior learning, revocations and minimum versions."""
    ends = {
        "validity_months": draw(st.sampled_from([None, None, 1])),
        "expiring_days": draw(st.integers(0, 9)),
    }
    rule = AssignmentRule(*head(), FIRST, date.max, draw(DAY), **ends)
    versions = st.one_of(st.none(), st.integers(1, 4))
    records = [RecordFact(*head(), draw(DAY), draw(versions)) for _ in range(draw(st.integers(0, 3)))]
    revoked = [RevocationFact(*head(), record.id, draw(DAY)) for record in records if draw(st.booleans())]
    rules = draw(st.lists(minimums(), max_size=2))
    return Facts([rule], records=records, revocations=revoked, minimums=rules)


def counts_on(facts: Facts, record: RecordFact, day: date, seen_on: date) -> bool:
    """Whether a record counts on ``day`` by what is announced on ``seen_on``: clause by clause."""
    rule = facts.assignments[0]
    if record.achieved_on > day or day > rule.valid_until(record.achieved_on):
        return False
    for minimum in facts.minimums:
        if seen_on < minimum.announced_on or day < minimum.from_on:
            continue
        if record.version is None and record.achieved_on < minimum.announced_on:
            return False
        if record.version is not None and record.version < minimum.number:
            return False
    return True


def unrevoked(facts: Facts, day: date) -> list[RecordFact]:
    revoked = {each.record_id for each in facts.revocations if each.from_on <= day}
    return [record for record in facts.records if record.id not in revoked and record.achieved_on <= day]


def expected_status(facts: Facts, day: date) -> Status:
    rule, records = facts.assignments[0], unrevoked(facts, day)
    if any(counts_on(facts, record, day, day) for record in records):
        later = day + timedelta(days=rule.expiring_days + 1)
        lasts = any(counts_on(facts, record, later, day) for record in records)
        return Status.SATISFIED if lasts else Status.EXPIRING
    if day > rule.due_on:
        return Status.EXPIRED if records else Status.OVERDUE
    return Status.NOT_STARTED


@given(facts=histories())
def test_the_rule_says_what_the_oracle_says_on_every_day(facts):
    days_of_change = find_days_of_change(facts)
    before = None
    for number in range((LAST - FIRST).days + 60):
        day = FIRST + timedelta(days=number)
        result = compute_status(facts, day)
        assert result is not None
        assert result.status is expected_status(facts, day), day
        if result.record is not None and result.status.held:
            assert counts_on(facts, result.record, day, day)
            if result.valid_until is not None:
                assert counts_on(facts, result.record, result.valid_until, day)
                assert not counts_on(facts, result.record, result.valid_until + timedelta(days=1), day)
        assert before is None or result == before or day.toordinal() in days_of_change, day
        before = result


@given(facts=histories(), day=DAY)
def test_nothing_of_a_day_before_the_announcement_changes(facts, day):
    earlier = [rule for rule in facts.minimums if rule.announced_on <= day]
    without = Facts(facts.assignments, records=facts.records, revocations=facts.revocations, minimums=earlier)

    assert compute_status(facts, day) == compute_status(without, day)


class World:
    """A directive that requires a module, due on 30 April 2026, and people who passed it or have not."""

    def __init__(self) -> None:
        self.unit = make_unit("Westshire Police")
        self.activity = make.make_activity()
        self.version = make.make_module_version(self.activity)
        make.make_version(make.make_directive(), {1: self.activity})

    def person(self, passed_on: date | None = None, waived_on: date | None = None) -> int:
        person = make_person(self.unit)
        if passed_on is not None:
            self.record_pass(person, self.version, passed_on)
        if waived_on is not None:
            make.make_record(person, self.activity, waived_on, source="waived")
        return person

    def record_pass(self, person: int, version: int, on: date) -> None:
        """A pass, in one transaction as the assessment writes it."""
        start = make.make_start(person, self.activity, version, on)
        with transaction():
            at = stamp()
            attempt = Attempt(
                id=uuid4(),
                registration_id=start,
                number=1,
                mastery_score=Decimal("0.8"),
                drawn=[],
                started_at=at,
                recorded_at=at,
            )
            record = Record(
                recorded_at=at,
                person_id=person,
                activity_id=self.activity,
                achieved_at=make.noon(on),
                achieved_on=on,
                source="assessed",
                reference=f"PASS-{next(_ids)}",
            )
            db.session.add_all([attempt, record])
            db.session.flush()
            db.session.add(
                PassRecord(
                    record_id=record.id,
                    registration_id=start,
                    module_version_id=version,
                    attempt_id=attempt.id,
                    score_raw=Decimal(1),
                    score_max=1,
                    mastery_score=Decimal("0.8"),
                )
            )
            touch(learners=[person])

    def rule(self) -> MinimumVersionRule:
        return pending_rule(self.activity, 2, announced_on=ANNOUNCED, from_on=AGAIN)

    def ask_again(self) -> int:
        """Publish version 2, and ask everybody to pass it from 1 September 2026; its id."""
        return record_minimum(self.rule(), self._publish, by=make_person(self.unit))

    def _publish(self) -> tuple[int, int]:
        empty = dict.fromkeys(("title", "aim", "owner", "digest"), "x")
        version = ModuleVersion(
            recorded_at=stamp(),
            activity_id=self.activity,
            number=2,
            review_on=date(2030, 1, 1),
            minutes=10,
            mastery_score=Decimal("0.8"),
            outcomes=[],
            draw=1,
            at_least_per_outcome=0,
            attempts=0,
            wait_minutes=0,
            test_out=False,
            published_at=make.noon(ANNOUNCED),
            **empty,
        )
        db.session.add(version)
        db.session.flush()
        return version.id, version.id


ANNOUNCED, AGAIN = date(2026, 6, 1), date(2026, 9, 1)
MARCH = date(2026, 3, 1)


def status_of(person: int, day: date, known_on: datetime | None = None) -> Status:
    """The status of the requirement on a day, as known now or on an instant."""
    at = OPEN_KNOWN - 1 if known_on is None else to_microseconds(known_on)
    row = db.session.scalars(
        select(StatusPeriod).where(
            StatusPeriod.person_id == person,
            StatusPeriod.position == 1,
            StatusPeriod.from_on <= day.toordinal(),
            StatusPeriod.to_on >= day.toordinal(),
            StatusPeriod.known_from <= at,
            StatusPeriod.known_to > at,
        )
    ).one()
    return Status(row.status)


@pytest.mark.parametrize("at_once", [500, -1], ids=["at once", "ahead"])
def test_older_passes_count_until_the_day_and_a_new_one_from_then_on(database, monkeypatch, at_once):
    monkeypatch.setattr(recording, "MOST_AT_ONCE", at_once)
    world = World()
    passed, again, waived = world.person(MARCH), world.person(MARCH), world.person(waived_on=MARCH)
    recognised, missing = world.person(waived_on=ANNOUNCED), world.person()
    assert preview_minimum(world.rule()).people == 3
    before = newest_stamp()
    records = db.session.scalars(select(Record).order_by(Record.id)).all()
    kept = [(row.id, row.recorded_at, row.achieved_on, row.void) for row in records]

    new = world.ask_again()
    world.record_pass(again, new, date(2026, 8, 1))

    last = AGAIN - timedelta(days=1)
    for person in (passed, waived):
        assert status_of(person, ANNOUNCED - timedelta(days=1)) is Status.SATISFIED
        assert status_of(person, last - timedelta(days=61)) is Status.SATISFIED
        assert status_of(person, last - timedelta(days=60)) is Status.EXPIRING
        assert status_of(person, last) is Status.EXPIRING
        assert status_of(person, AGAIN) is Status.EXPIRED
        assert status_of(person, AGAIN, before) is Status.SATISFIED
    assert {status_of(again, day) for day in (date(2026, 8, 1), last, AGAIN, date.max)} == {Status.SATISFIED}
    assert status_of(recognised, AGAIN) is Status.SATISFIED
    assert status_of(missing, AGAIN) is Status.OVERDUE
    db.session.expire_all()
    rows = [db.session.get_one(Record, number) for number, *_ in kept]
    assert [(row.id, row.recorded_at, row.achieved_on, row.void) for row in rows] == kept
    assert rebuild_status(False) == []
    assert tasks.check_counts(False) == []
    assert preview_minimum(world.rule()).people == 0


QUIET = settings(max_examples=few_or_many(3, 20), suppress_health_check=IN_ONE_TRANSACTION)
PEOPLE = st.lists(
    st.tuples(st.sampled_from([None, MARCH, AGAIN]), st.sampled_from([None, None, MARCH, ANNOUNCED, AGAIN])),
    max_size=4,
)


@pytest.mark.slow
@QUIET
@given(people=PEOPLE)
def test_the_preview_counts_those_who_are_complete_no_more_on_that_day(database, people):
    with undone():
        world = World()
        everybody = [world.person(*when) for when in people]
        complete = [person for person in everybody if status_of(person, AGAIN).held]
        effect = preview_minimum(world.rule())

        world.ask_again()

        lost = [person for person in complete if not status_of(person, AGAIN).held]
        assert effect.people == len(lost)
        assert sum(count for _, count in effect.by_directive) == len(lost)
        assert rebuild_status(False) == []
