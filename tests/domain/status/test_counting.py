"""Status counts agree with the status periods: on random histories, after every act, and once corrected."""

import re
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from portal.domain.people.models import PersonName
from portal.domain.status import counts, paging, tasks
from portal.domain.status.counts import (
    CountBy,
    Later,
    Scope,
    Whose,
    count_days_left,
    count_groups,
    count_over_days,
    count_posts,
    count_reasons,
    count_requirements,
    count_units,
    is_summed,
    list_commonest_due_dates,
    measure_later,
)
from portal.domain.status.models import StatusCount, StatusCountSnapshot, StatusGroup
from portal.domain.status.paging import Sort
from portal.domain.status.projector import rebuild_status
from portal.platform import clock
from portal.platform.db import db, newest_stamp, stamp, transaction
from portal.platform.jobs.registry import task_of_kind
from tests.databases import undone
from tests.domain.status.facts import (
    make_activity,
    make_directive,
    make_exclusion,
    make_record,
    make_revocation,
    make_version,
)
from tests.domain.status.histories import ACTS, DAYS, START, VALIDITY, WAITS, History, Recorded
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.factories.people import make_person, make_unit
from tests.pages.monitoring.counting import statements

QUIET = settings(
    max_examples=few_or_many(2, 8),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=IN_ONE_TRANSACTION,
)
UNITS = [CountBy.UNIT, CountBy.STATUS]
SORTS = ("status", "person", "due", "rank", "role", "unit")


@contextmanager
def from_periods():
    """In the block nothing is read from the status counts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "is_summed", lambda *_, **__: False)
        yield


def both(read):
    """What is read, which is the same from the status counts and from the status periods."""
    counted = read()
    with from_periods():
        assert counted == read()
    return counted


def whoses(history):
    """People for whom the status counts answer, and some by units, for whom they do so over days alone."""
    yield Whose(everyone=True)
    yield Whose(everyone=True, role="response")
    yield Whose(everyone=True, ranks=("Constable", "Sergeant"), statuses=(1, 2, 3))
    yield Whose(everyone=True, within=frozenset(history.units[2:]))
    yield Whose(unit_ids=frozenset(history.units[1:]))
    yield Whose(everyone=True, late=(1, 90))
    yield Whose(everyone=True, due_within=30)


def counted(scope):
    """People by position and status; by unit too for the whole directive."""
    people_by_status = Counter()
    rows = count_requirements(scope)
    for _, unit, place, status, people in rows:
        people_by_status[0 if place else unit, place, status] += people
    return people_by_status


def by_day(scope, days):
    """People by day and status, and by unit where the scope is of some units."""
    people_by_day = Counter()
    units = scope.whose.within is not None or not scope.whose.everyone
    for run in count_over_days(scope, days):
        for at in range(run.first, run.last + 1):
            people_by_day[days[at], run.unit_id if units else 0, run.status] += run.people
    return people_by_day


def check_reads(history, day, days, known_on):
    turn = day.toordinal()  # each day uses other orders
    for column, whose in zip(SORTS[turn % 6 :] + SORTS * 2, whoses(history), strict=False):
        later = Later.NOTHING if known_on == newest_stamp() else Later.LITTLE
        scope = Scope((history.directive,), day, known_on, whose, later)
        if not whose.selects_by_status:
            both(partial(counted, scope))
            both(partial(by_day, scope, days))
        both(lambda scope=scope: sorted(count_units(scope)))
        both(lambda scope=scope: sorted(count_posts(scope)))
        both(lambda scope=scope: sorted(count_groups(scope)))
        both(
            lambda scope=scope: Counter(
                (status, left) for _, status, left, n in count_days_left(scope) for _ in range(n)
            )
        )
        both(lambda scope=scope: count_reasons(scope))
        both(lambda scope=scope: list_commonest_due_dates(scope, 2))
        both(lambda scope=scope: paging.list_longest_late(scope, 2))
        for turned, offset in ((False, 0), (True, 1)):
            sort = Sort(column, turned, history.units[:2] if column == "unit" else ())
            both(lambda scope=scope, sort=sort, offset=offset: paging.list_people(scope, sort, offset, 2))


@pytest.mark.slow
@QUIET
@given(
    acts=ACTS,
    validity=VALIDITY,
    chosen=st.lists(DAYS, min_size=4, max_size=4),
    many=st.integers(0, 2),
    waits=WAITS,
    turn=st.integers(0, 100),
)
def test_after_every_act_the_counts_are_those_of_the_periods(
    database, monkeypatch, acts, validity, chosen, many, waits, turn
):
    monkeypatch.setattr(paging, "MANY", many)  # so that names are walked, of two people too
    monkeypatch.setattr(paging, "_is_walk_shorter", lambda *_: True)
    waiting = iter(waits)
    recorded = Recorded(monkeypatch)
    with undone():
        history = History(validity)
        days = sorted({*chosen, START})
        for number, act in enumerate(acts):
            if number < len(days):  # before, between and after what happens
                with transaction():
                    stamp()
                    tasks.add_snapshot(history.directive, days[number].toordinal())
            recorded.wait(next(waiting))
            history.act(*act)
            assert tasks.check_counts(False) == []
        for day, known_on in positions(history, chosen, turn):
            check_reads(history, day, days, known_on)
        with transaction():
            assert rebuild_status(True) == []
            assert tasks.check_counts(True) == []
        stored = rows()
        for table in (StatusCount, StatusCountSnapshot, StatusGroup):
            db.session.execute(delete(table))
        with transaction():
            tasks.check_counts(True)
        assert changes(rows()) == changes(stored), "counted anew they are the same"


def positions(history, chosen, turn):
    """Any day as known now, or by an earlier stamp; a stamp's own day by it and by the evening."""
    yield chosen[0], newest_stamp()
    at = history.stamps[turn % len(history.stamps)]
    assert at < datetime(2029, 1, 1, tzinfo=UTC)
    yield chosen[1], at
    yield clock.london_day(at), at
    yield clock.london_day(at), clock.end_of_day(clock.london_day(at))
    yield chosen[2], clock.end_of_day(chosen[2])


def rows():
    """Every row with the names of its group."""
    table, group = StatusCount, StatusGroup
    names = (group.designated_role, group.rank_or_grade, group.reason)
    columns = [column for column in table.__table__.columns if column.name != "group_id"]
    return {tuple(row) for row in db.session.execute(select(*columns, *names).join(group)) if row.people}


def changes(count_rows):
    return {row for row in count_rows if not row[2]}


def world(people=3):
    """A directive of two modules due on 30 April 2026, that some are late for; today is 10 May."""
    unit = make_unit("Force")
    activities = [make_activity(), make_activity()]
    directive = make_directive()
    make_version(directive, {1: activities[0], 2: activities[1]})
    persons = [make_person(unit, surname=f"Name{number}") for number in range(people)]
    return unit, activities, directive, persons


def answers(directive, day=date(2026, 5, 10)):
    """What the status counts say of a day."""
    return list(count_units(Scope((directive,), day, newest_stamp(), Whose(everyone=True))))


def test_counts_answer_for_everybody_by_unit_role_and_rank(database):
    unit, activities, directive, people = world()
    then = newest_stamp()
    make_record(people[0], activities[0], date(2026, 4, 1))

    assert answers(directive) == [(unit, 1, 3)]
    day = date(2026, 5, 10)
    for whose in (Whose(everyone=True), Whose(everyone=True, role="response", statuses=(1,))):
        scope = Scope((directive,), day, then, whose)
        assert is_summed(scope, UNITS)
        was = list(count_units(scope))
        assert was == [(unit, 1, 3)], "as it was known before"
    for whose in (
        Whose(everyone=True, people=frozenset(people)),
        Whose(everyone=True, named=select(PersonName.person_id)),
        Whose(manager_id=people[0]),
        Whose(unit_ids=frozenset([unit]), manager_id=people[0]),
    ):
        scope = Scope((directive,), day, then, whose)
        assert not is_summed(scope, UNITS)
        assert not is_summed(scope, UNITS, over_days=True)


def test_what_many_are_known_to_have_done_only_later_is_not_undone_but_left_unread(database):
    unit, activities, directive, people = world()
    then = newest_stamp()
    make_record(people[0], activities[0], date(2026, 4, 1))
    assert measure_later([directive], [then]) == {then: Later.LITTLE}
    for person in people:
        make_record(person, activities[1], date(2026, 4, 1))
    later = measure_later([directive], [then])[then]
    assert later is Later.MUCH

    scope = Scope((directive,), date(2026, 5, 10), then, Whose(everyone=True), later)
    with statements() as run:
        assert list(count_units(scope)) == [(unit, 1, 3)]
    assert StatusCount.__tablename__ not in run[0]


@pytest.mark.parametrize("summed", [0, 1])
def test_a_wrong_count_is_named_and_corrected(app, database, summed):
    _, _, directive, _ = world()
    with transaction():
        tasks.add_missing_snapshots(clock.today())
    right = rows()
    table = StatusCount
    place = (
        db.session.execute(select(table).where(table.summed == summed, table.people > 1)).scalars().first()
    )
    place.people += 1
    gone = select(table).where(table.summed == summed, table.people > 1, table.kind != place.kind)
    db.session.delete(db.session.execute(gone).scalars().first())
    db.session.commit()

    [sentence] = tasks.check_counts(False)
    wrong = int(re.fullmatch(rf"Directive {directive}: (\d+) of its kept numbers differed\.", sentence)[1])
    assert wrong == 2 if summed else wrong > 2, "snapshots are summed from the changes"
    assert rows() != right
    result = app.test_cli_runner().invoke(args=["directives", "reconcile"])
    assert "of its kept numbers differed." in result.output
    assert result.exit_code == 0
    assert rows() == right
    assert app.test_cli_runner().invoke(args=["directives", "reconcile"]).output == "0 differences.\n"


def test_the_job_keeps_the_ends_of_months_once_a_month(app, database):
    _, activities, directive, people = world()
    make_record(people[0], activities[0], date(2026, 4, 1))
    job = task_of_kind("kept-days")
    ends = tasks.list_snapshot_days(clock.today())
    before = [answers(directive, date.fromordinal(day)) for day in ends]

    assert len(ends) == tasks.MONTHS
    assert all((date.fromordinal(day) + timedelta(days=1)).day == 1 for day in ends)
    assert job.due()
    assert job.run(Silent(), {}) == {"said": [f"{tasks.MONTHS} days summed up."]}
    assert not job.due()
    kept = select(StatusCountSnapshot.day).where(StatusCountSnapshot.directive_id == directive)
    assert sorted(db.session.scalars(kept)) == ends
    assert [answers(directive, date.fromordinal(day)) for day in ends] == before
    assert tasks.check_counts(False) == []


class Silent:
    def report_progress(self, *_):
        """Nobody listens."""


def test_facts_before_and_after_a_snapshot_change_it(database):
    unit, activities, directive, people = world()
    with transaction():
        stamp()
        for day in (date(2026, 4, 30), date(2026, 5, 31)):
            tasks.add_snapshot(directive, day.toordinal())
    records = [make_record(people[0], each, date(2026, 5, 15)) for each in activities]
    make_exclusion(people[1], directive, date(2026, 5, 31), date(2026, 6, 30))

    assert answers(directive, date(2026, 4, 30)) == [(unit, 3, 3)]
    assert sorted(answers(directive, date(2026, 5, 31))) == [(unit, 1, 1), (unit, 6, 1), (unit, 8, 1)]
    make_revocation(people[0], records[0], date(2026, 5, 20))
    assert sorted(answers(directive, date(2026, 5, 31))) == [(unit, 1, 2), (unit, 8, 1)]
    assert tasks.check_counts(False) == []


def test_someone_without_a_name_keeps_their_place_where_names_are_walked(database, monkeypatch):
    monkeypatch.setattr(paging, "MANY", 1)
    monkeypatch.setattr(paging, "_is_walk_shorter", lambda *_: True)
    *_, directive, people = world(6)
    names = ["Adams", "Bell", "Evans", "Frost", "Erased", "Young"]
    for person, surname in zip(people, names, strict=True):
        changed = update(PersonName).where(PersonName.person_id == person)
        db.session.execute(changed.values(surname=surname))
    db.session.execute(delete(PersonName).where(PersonName.person_id.in_(people[1:3])))
    db.session.commit()
    scope = Scope((directive,), date(2026, 5, 10), newest_stamp(), Whose(everyone=True))
    for turned in (False, True):
        for offset in range(6):
            for limit in (1, 2, 6):
                both(lambda *cut: paging.list_people(scope, Sort("person", turned), offset, limit))  # noqa: B023


@pytest.mark.slow
def test_counts_cost_as_many_statements_for_many_as_for_few(database):
    unit, _, directive, _ = world()
    counts = []
    for more in (0, 30):
        for number in range(more):
            make_person(unit, rank=f"Rank {number}")
        with statements() as seen:
            scope = Scope((directive,), date(2026, 5, 10), newest_stamp(), Whose(everyone=True))
            list(count_requirements(scope))
            count_posts(scope)
            paging.list_people(scope, Sort("status"), 0, 25)
        counts.append(len(seen))

    assert counts[0] == counts[1]


@pytest.mark.slow
def test_writers_at_once_leave_the_counts_right(serving):
    _, activities, directive, people = world(8)
    with transaction():
        stamp()
        tasks.add_snapshot(directive, date(2026, 4, 30).toordinal())
    faults = []

    def write(mine):
        with serving.app_context():
            try:
                for person in mine:
                    for activity in activities:
                        make_record(person, activity, date(2026, 4, 20))
            except Exception as error:  # raised below, in the test's own thread
                faults.append(error)
            finally:
                db.session.remove()

    writers = [threading.Thread(target=write, args=(people[start::2],)) for start in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert faults == []
    assert tasks.check_counts(False) == []
    assert [row[1:] for row in answers(directive)] == [(6, 8)]
    kept = select(func.sum(StatusCount.people)).where(StatusCount.summed == 1, StatusCount.kind == 1)
    assert db.session.scalar(kept.where(StatusCount.status == 6)) == 8
