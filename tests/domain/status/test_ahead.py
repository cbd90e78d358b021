"""Rows of a large change are written ahead of it: nobody sees any before, and everybody all after."""

from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.domain.catalogue.models import Activity
from portal.domain.directives.changes import propose_version, propose_withdrawal
from portal.domain.directives.models import DirectiveVersion
from portal.domain.directives.services import Confirmation, reconcile_all, record_proposal
from portal.domain.people.models import PersonName
from portal.domain.status import projection_rows, recording, tasks
from portal.domain.status.models import OPEN_KNOWN, StatusCount, StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.platform import clock
from portal.platform.clock import to_microseconds
from portal.platform.db import db, newest_stamp, read_stamps, stamp, transaction
from portal.platform.errors import BusyError
from tests.databases import undone
from tests.domain.status.facts import make_record
from tests.pages.directives.test_preview import (
    DAYS,
    FEW,
    POSTS,
    RULES,
    apply_roster,
    directive_file,
    make_world,
    roster_rows,
)

pytestmark = pytest.mark.slow
WAITING = date(2025, 6, 1)
RULE = {
    "audience": [{"designated_role": ["response", "contact"]}],
    "exceptions": [],
    "due_fixed_on": date(2026, 4, 30),
    "due_days_after_joining": None,
}
RESPONSE = [
    (who, "response", "Constable", ("Force", "North"), date(2025, 1, who + 1), 300) for who in range(4)
]


@pytest.fixture
def slices(monkeypatch):
    """Everything is written ahead, a person in each slice; what is called between two of them is settable."""

    class Between:
        act = staticmethod(lambda: None)
        number = 0

    def between(_engine, _seconds):
        Between.number += 1
        Between.act()

    monkeypatch.setattr(recording, "MOST_AT_ONCE", -1)
    monkeypatch.setattr(recording, "FEW", 1)
    monkeypatch.setattr(projection_rows, "SLICE", 1)
    monkeypatch.setattr(projection_rows, "PEOPLE", 1)
    monkeypatch.setattr(projection_rows, "let_others_write", between)
    return Between


def issue(file):
    return recording.record_version(partial(propose_version, file), Confirmation(clock.now()))


def withdraw(on):
    return recording.record_version(partial(propose_withdrawal, "PRE-1", on), Confirmation(clock.now()))


def known_on(instant):
    """Values by person, directive, position and day, as known on an instant; fails where two overlap."""
    values, at, s = {}, to_microseconds(instant), StatusPeriod
    columns = [c for c in s.__table__.columns if c.name not in {"id", "known_from", "known_to"}]
    for row in db.session.execute(select(*columns).where(s.known_from <= at, s.known_to > at)):
        for day in range(row.from_on, min(row.to_on, date(2026, 7, 1).toordinal()) + 1):
            place = (row.person_id, row.directive_id, row.position, day)
            assert place not in values, "two periods cover one point"
            values[place] = row[5:]
    return values


def counted():
    c = StatusCount
    key = (c.directive_id, c.kind, c.day, c.unit_id, c.position, c.status)
    return sorted(db.session.execute(select(*key, func.sum(c.people)).group_by(*key)).all())


def check_all():
    assert reconcile_all() == []
    assert rebuild_status(False) == []
    assert tasks.check_counts(False) == []


def people():
    numbers = select(PersonName.staff_number, PersonName.person_id)
    return [person for number, person in db.session.execute(numbers.order_by(numbers.selected_columns[0]))]


BETWEEN = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.integers(0, 4), DAYS),
        st.tuples(st.just("posts"), POSTS),
        st.tuples(st.just("other"), RULES),
        st.tuples(st.just("nothing")),
    ),
    max_size=6,
)


@FEW
@given(posts=POSTS, first=RULES, second=RULES, day=DAYS, acts=BETWEEN)
def test_whatever_is_recorded_meanwhile_reports_stay_and_all_follows(
    database, slices, posts, first, second, day, acts
):
    with undone():
        activity = make_world_with_module(posts)
        seen, remaining = [], list(acts)

        def between():
            newest, coming = read_stamps()
            assert coming is None or newest < coming
            for instant, values in seen:
                assert known_on(instant) == values, "a report as known on an instant has changed"
            if remaining:
                act(*remaining.pop(), activity, len(remaining))
                seen.append((newest_stamp(), known_on(newest_stamp())))

        slices.act = between
        for write in (
            lambda: issue(directive_file(date(2024, 12, 1), first)),
            lambda: issue(directive_file(day, second)),
            lambda: withdraw(day + timedelta(30)),
        ):
            seen.append((newest_stamp(), known_on(newest_stamp())))
            try:
                write()
            except BusyError:
                assert remaining or acts  # units changed each time
            assert read_stamps()[1] is None
            for instant, values in seen:
                assert known_on(instant) == values
            check_all()


def make_world_with_module(posts):
    make_world()
    apply_roster(roster_rows(posts, 1))
    return db.session.scalar(select(Activity.id))


def act(kind, *arguments):
    *values, activity, number = arguments
    if kind == "record":
        everybody = people()
        make_record(everybody[values[0] % len(everybody)], activity, values[1])
    elif kind == "posts":
        apply_roster(roster_rows(values[0], 3))
    elif kind == "other":
        with transaction():
            other = directive_file(date(2024, 12, 1), values[0], f"OTHER-{number}")
            record_proposal(partial(propose_version, other), Confirmation(stamp()))


def test_nobody_else_ever_takes_the_stamp_that_is_given_ahead(database, time_machine):
    """Also where the last stamp by the clock is a few microseconds before it."""
    time_machine.move_to("2026-11-27T09:00:00Z", tick=False)
    rows, _ = projection_rows.begin_ahead(lambda: None)
    others = []
    for before in (400_000, 3, 2, 1, 0, -1, -5_000_000):
        time_machine.move_to(rows.at - timedelta(microseconds=before), tick=False)
        with transaction():
            others.append(stamp())

    assert others == sorted(set(others))
    assert max(others) < rows.at
    with transaction(stamp_as=rows.at):
        assert stamp() == rows.at


def test_a_first_version_that_somebody_else_records_meanwhile_is_followed(database, slices):
    """The command compares no preview: what is written is what follows from both versions."""
    make_world()
    apply_roster(roster_rows(RESPONSE, 1))
    day = date(2024, 12, 1)
    propose = partial(propose_version, directive_file(day, RULE))
    others = [lambda: record_proposal(propose, Confirmation(stamp()))]

    def meanwhile():
        if others:
            with transaction():
                others.pop()()

    slices.act = meanwhile
    issue(directive_file(day + timedelta(40), {**RULE, "due_fixed_on": date(2026, 6, 30)}))

    assert not others
    numbers = select(DirectiveVersion.number).order_by(DirectiveVersion.number)
    assert list(db.session.scalars(numbers)) == [1, 2]
    check_all()


def test_no_lock_is_held_for_more_than_a_slice(database, slices, monkeypatch):
    make_world()
    apply_roster(roster_rows(RESPONSE, 1))
    written, write_edits = [], projection_rows.write_edits
    monkeypatch.setattr(
        projection_rows,
        "write_edits",
        lambda part, real: written.append(len(part)) or write_edits(part, real),
    )

    issue(directive_file(date(2024, 12, 1), RULE))

    assert written == [1] * len(RESPONSE)
    assert slices.number == len(RESPONSE)
    check_all()


def test_what_is_cut_off_is_never_seen_and_is_undone(database, slices, monkeypatch, time_machine):
    """The process is killed between two slices; the clock goes on, and others record facts."""
    time_machine.move_to("2026-11-27T09:00:00Z", tick=False)
    activity = make_world_with_module(RESPONSE)
    issue(directive_file(date(2024, 12, 1), RULE))
    before, counts = known_on(newest_stamp()), counted()
    rows = db.session.scalar(select(func.count()).select_from(StatusPeriod))

    class Killed(BaseException):
        pass

    def kill():
        if slices.number == 2 * len(RESPONSE) - 1:
            raise Killed

    slices.act = kill
    with monkeypatch.context() as dead:
        dead.setattr(projection_rows.RowsAhead, "undo_all", lambda self: None)
        with pytest.raises(Killed):
            withdraw(WAITING)
    slices.act = lambda: None
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(StatusPeriod)) > rows
    assert known_on(newest_stamp()) == before
    with pytest.raises(BusyError):
        rebuild_status(False)
    time_machine.shift(timedelta(minutes=5))
    make_record(people()[1], activity, date(2025, 2, 1))
    newest, coming = read_stamps()
    assert newest < coming < clock.now()
    projection_rows.undo_lost_rows()

    assert read_stamps()[1] is None
    check_all()
    assert withdraw(WAITING).new
    check_all()
    assert counts != counted()
    assert db.session.scalar(select(func.max(StatusPeriod.known_to))) == OPEN_KNOWN


def test_a_writer_that_was_thought_dead_begins_anew(database, slices, time_machine):
    time_machine.move_to("2026-11-27T09:00:00Z", tick=False)
    make_world()
    apply_roster(roster_rows(RESPONSE, 1))
    left = []

    def stall():
        if slices.number == 2:
            time_machine.shift(timedelta(minutes=5))
            projection_rows.undo_lost_rows()
            left.append(db.session.scalar(select(func.count()).select_from(StatusPeriod)))

    slices.act = stall
    issue(directive_file(date(2024, 12, 1), RULE))

    assert left == [0]
    assert len(db.session.scalars(select(DirectiveVersion)).all()) == 1
    check_all()
