"""An import does what its check said: random rosters one after another, with facts recorded in between."""

from datetime import UTC, date, datetime
from itertools import count

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.catalogue.models import ModuleVersion
from portal.domain.directives.models import Assignment
from portal.domain.imports import columns, services
from portal.domain.imports.check_result import MovedError, ignore_progress
from portal.domain.imports.services import Upload
from portal.domain.people.models import PersonName
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import person_by_staff_number
from portal.domain.status import tasks
from portal.domain.status.projector import rebuild_status
from portal.platform import clock
from portal.platform.db import db, newest_stamp, stamp, transaction
from portal.platform.jobs.models import CancelledError
from portal.platform.tables.table_files import open_sheet
from tests.domain.imports.desk import csv_of
from tests.domain.imports.rosters import row
from tests.domain.status.facts import make_record
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit
from tests.pages.learning.asking import ask

pytestmark = pytest.mark.slow

numbers = count(1)
DAYS = ("2025-01-01", "2025-11-03", "2026-03-29", "2026-06-02", "2026-10-25")


@st.composite
def rosters(draw):
    """Rows of three people, by (person, key, first day), all of them good."""
    keys = st.tuples(st.integers(0, 2), st.sampled_from(["", "acting"]), st.sampled_from(DAYS))
    return [
        (*key, draw(st.sampled_from(["response", "custody"])), draw(st.sampled_from(["A", "B/C", "B/D"])))
        for key in draw(st.lists(keys, unique=True, min_size=1, max_size=6))
    ]


def content(entries, base):
    rows = [
        row(
            f"{base}P{person}", post_key=key, valid_from=day, designated_role=role,
            unit_path=f"Force {base}/{unit}",
        )
        for person, key, day, role, unit in entries
    ]  # fmt: skip
    return csv_of(rows)


def check(data):
    sheet = open_sheet(data, "r.csv")
    match = columns.map_roster(sheet.columns)
    return Upload("roster", "r.csv", data, sheet, match), services.CHECKS["roster"](
        sheet, match, ignore_progress
    )


def apply(upload, result, *, stage=True):
    if stage:
        result.stage(ignore_progress)
    with transaction():
        at = stamp()
        run = services.begin_import(upload, by=None, at=clock.now())
        services.apply_import(run.id, result, result.digest, by=None, at=at)


def list_assignments(base):
    """The known assignments of people whose staff numbers begin so, with due dates."""
    rows = db.session.execute(
        select(PersonName.staff_number, Assignment.from_on, Assignment.to_on, Assignment.due_on)
        .join(PersonName, PersonName.person_id == Assignment.person_id)
        .where(is_known_fact(Assignment), PersonName.staff_number.startswith(base))
    )
    return sorted(tuple(line) for line in rows)


def listed_people(result):
    return {
        section.key: [line[1] for line in section.rows]
        for section in result.sections
        if section.key.startswith("reach-")
    }


@settings(
    max_examples=few_or_many(5, 12),
    suppress_health_check=IN_ONE_TRANSACTION,
)
@given(history=st.lists(st.tuples(rosters(), st.booleans(), st.booleans()), min_size=1, max_size=3))
def test_an_import_does_what_its_check_said_and_twice_is_once(database, history):
    base = f"Y{next(numbers)}"
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        activity = db.session.get_one(ModuleVersion, make_version(f"m{base}".lower())).activity_id
        ask(f"m{base}".lower(), reference=f"OIC-{base}", months=12)
        for entries, stage, passes in history:
            before = list_assignments(base)
            upload, result = check(content(entries, base))
            assert result.faults == []
            if stage:
                result.stage(ignore_progress)
            person = db.session.scalar(
                select(PersonName.person_id).where(PersonName.staff_number == f"{base}P0")
            )
            if passes and person:  # between staging and the lock
                make_record(person, activity, date(2026, 5, 4))
            apply(upload, result, stage=False)

            after = list_assignments(base)
            changed = {line[0] for line in set(before) ^ set(after)}
            assert {number for some in listed_people(result).values() for number in some} == changed
            assert rebuild_status(write=False) == []
            assert tasks.check_counts(False) == []
            assert check(content(entries, base))[1].is_empty


def test_a_version_issued_after_what_was_worked_out_counts(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        make_version("late")
        upload, result = check(csv_of([row("Z1")]))
        result.stage(ignore_progress)
        ask("late", reference="OIC-LATE")

        try:
            apply(upload, result, stage=False)
        except MovedError:
            upload, result = check(csv_of([row("Z1")]))
            apply(upload, result)
        else:
            raise AssertionError("the check did not mention this directive")

        assert [line[0] for line in list_assignments("Z1")] == ["Z1"]
        assert rebuild_status(write=False) == []
        assert tasks.check_counts(False) == []


def test_a_pass_recorded_in_between_is_in_the_spans(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        version = make_version("between")
        ask("between", reference="OIC-BETWEEN")
        unit = make_unit("Westshire Police")
        person = make_person(unit, staff_number="Z2", since=date(2025, 1, 1))
        post = row("Z2", unit_path="Westshire Police")
        upload, result = check(
            csv_of([post, {**post, "valid_from": "2026-06-02", "rank_or_grade": "Sergeant"}])
        )
        result.stage(ignore_progress)
        activity = db.session.get_one(ModuleVersion, version).activity_id
        make_record(person, activity, date(2026, 5, 4))

        apply(upload, result, stage=False)

        assert person_by_staff_number("Z2") == person
        assert rebuild_status(write=False) == []
        assert tasks.check_counts(False) == []


def test_a_job_cancelled_while_it_is_worked_out_writes_nothing_and_may_be_applied_later(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        make_version("stopped")
        ask("stopped", reference="OIC-STOPPED")
        upload, result = check(csv_of([row(f"C{n}") for n in range(600)]))
        with transaction():
            run_id = services.begin_import(upload, by=None, at=clock.now()).id
            services.save_check(run_id, result, clock.now())
        before, sentences = newest_stamp(), []

        def stop(_step, sentence):
            sentences.append(sentence)
            if sentence.startswith("Worked out"):
                raise CancelledError

        with pytest.raises(CancelledError):
            services.check_and_apply(run_id, result.digest, by=None, tell=stop)

        assert sentences[-1] == "Worked out 500 of 600 people"
        assert (newest_stamp(), list_assignments("C")) == (before, [])
        services.check_and_apply(run_id, result.digest, by=None)
        assert len(list_assignments("C")) == 600
