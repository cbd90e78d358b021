"""Completions whose spans are worked out before the lock: the same as if under it, whatever came between."""

from datetime import UTC, date, datetime
from itertools import count

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.domain.catalogue.models import ModuleVersion
from portal.domain.imports import columns, services
from portal.domain.imports.check_result import MovedError, ignore_progress
from portal.domain.imports.services import Upload
from portal.domain.records import completion_import
from portal.domain.records.models import Record
from portal.domain.status import projector, tasks
from portal.domain.status.models import OPEN_KNOWN, StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from portal.platform.tables.table_files import open_sheet
from tests.domain.imports.desk import csv_of
from tests.domain.status.facts import make_record
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit
from tests.pages.learning.asking import ask

pytestmark = pytest.mark.slow

numbers = count(1)
COLUMNS = "staff_number,requirement_kind,requirement,achieved_at,score_scaled,source_system,evidence".split(
    ","
)
TIMES = ("2025-05-31", "2026-04-30", "2026-04-30T08:00:00+01:00", "2026-05-01", "2026-05-31T23:30:00Z")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def force(slug, months, people=3):
    """People under a directive that asks for the module, and the module's activity."""
    activity = db.session.get_one(ModuleVersion, make_version(slug)).activity_id
    ask(slug, reference=f"OIC-{slug}", months=months)
    unit = make_unit(f"Unit {slug}")
    return activity, [
        make_person(unit, staff_number=f"{slug.upper()}{n}", since=date(2025, 1, 1)) for n in range(people)
    ]


def check(slug, entries):
    rows = [
        {
            "staff_number": f"{slug.upper()}{person}",
            "requirement_kind": "module",
            "requirement": slug,
            "achieved_at": when,
            "source_system": "College Learn",
        }
        for person, when in entries
    ]
    data = csv_of(rows, COLUMNS)
    sheet = open_sheet(data, "c.csv")
    match = columns.BUILT_IN_PROFILES["completions"]["default"](sheet.columns)
    result = services.CHECKS["completions"](sheet, match, ignore_progress)
    assert result.faults == []
    return Upload("completions", "c.csv", data, sheet, match), result


def apply(upload, result):
    with transaction():
        at = stamp()
        run = services.begin_import(upload, by=None, at=clock.now())
        services.apply_import(run.id, result, result.digest, by=None, at=at)


ENTRY = st.tuples(st.integers(0, 2), st.sampled_from(TIMES))


@settings(
    max_examples=few_or_many(6, 15),
    suppress_health_check=IN_ONE_TRANSACTION,
)
@given(
    history=st.lists(
        st.tuples(st.lists(ENTRY, unique=True, min_size=1, max_size=6), st.sets(st.integers(0, 2))),
        min_size=1,
        max_size=3,
    ),
    months=st.sampled_from([0, 12]),
)
def test_spans_worked_out_before_are_those_that_the_facts_say(database, history, months):
    slug = f"c{next(numbers)}"
    with time_machine.travel(NOW, tick=True):
        activity, people = force(slug, months)
        for entries, passed in history:
            upload, result = check(slug, entries)
            result.stage(ignore_progress)
            for person in sorted(passed):  # between what was worked out and the lock, on a day of the file
                make_record(people[person], activity, date(2026, 5, 1))
            apply(upload, result)

            assert rebuild_status(write=False) == []
            assert tasks.check_counts(False) == []
            assert check(slug, entries)[1].is_empty


def test_only_those_of_whom_something_came_between_are_worked_out_under_the_lock(database, monkeypatch):
    with time_machine.travel(NOW, tick=True):
        activity, people = force("between", 0)
        upload, result = check("between", [(n, "2026-05-01") for n in range(3)])
        result.stage(ignore_progress)
        make_record(people[1], activity, date(2026, 4, 30))
        under, load_facts = [], projector.load_facts
        monkeypatch.setattr(
            projector, "load_facts", lambda ids, history: under.extend(ids) or load_facts(ids, history)
        )

        apply(upload, result)

        assert under == [people[1]]
        assert counted_days(people[0], activity) == [date(2026, 5, 1)]
        assert rebuild_status(write=False) == []
        assert tasks.check_counts(False) == []


def counted_days(person, activity):
    """The days of the records that the person's open spans rest on."""
    return list(
        db.session.scalars(
            select(Record.achieved_on)
            .join(StatusPeriod, StatusPeriod.record_id == Record.id)
            .where(StatusPeriod.person_id == person, StatusPeriod.known_to == OPEN_KNOWN)
            .where(Record.activity_id == activity)
            .distinct()
        )
    )


def test_a_directive_issued_after_what_was_worked_out_counts(database):
    with time_machine.travel(NOW, tick=True):
        activity, people = force("issued", 0, people=1)
        upload, result = check("issued", [(0, "2026-05-01")])
        result.stage(ignore_progress)
        ask("issued", reference="OIC-SECOND", months=12)

        apply(upload, result)

        directives = db.session.scalar(
            select(func.count(StatusPeriod.directive_id.distinct())).where(
                StatusPeriod.person_id == people[0], StatusPeriod.record_id.is_not(None)
            )
        )
        assert directives == 2
        assert counted_days(people[0], activity) == [date(2026, 5, 1)]
        assert rebuild_status(write=False) == []
        assert tasks.check_counts(False) == []


def test_what_was_recorded_since_the_check_is_not_recorded_twice(database):
    with time_machine.travel(NOW, tick=True):
        force("twice", 0)
        entries = [(0, "2026-05-01"), (1, "2026-05-01")]
        upload, result = check("twice", entries)
        result.stage(ignore_progress)
        apply(*check("twice", entries[:1]))

        try:
            apply(upload, result)
        except MovedError:
            apply(*check("twice", entries))
        else:
            raise AssertionError("it was recorded although it would do something else")

        assert db.session.scalar(select(func.count()).select_from(Record)) == 2
        assert rebuild_status(write=False) == []
        assert tasks.check_counts(False) == []


def test_a_reference_that_somebody_else_got_in_between_is_drawn_again(database):
    with time_machine.travel(NOW, tick=True):
        activity, people = force("drawn", 0)
        before = completion_import.newest_record_id()
        drawn = completion_import.draw_references(3)
        assert sorted(completion_import.draw_references(3, drawn, before)) == sorted(drawn)
        make_record(people[0], activity, date(2026, 4, 30), reference=drawn[0])

        again = completion_import.draw_references(3, drawn, before)

        assert len(set(again)) == 3
        assert set(again) & set(drawn) == set(drawn[1:])
