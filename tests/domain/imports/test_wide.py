"""``records import`` with a column for each module, and people known by other numbers than their own."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.people.models import Identifier
from portal.domain.records.models import ImportedRecord, Record
from portal.platform.db import db, transaction
from tests.domain.imports.desk import administrator, csv_of, sections, selected_values, upload
from tests.domain.imports.rosters import run, write_csv
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit

COLUMNS = ("staff_number", "source_system", "evidence", "protect", "Respond")


@pytest.fixture(autouse=True)
def _world(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        make_version("protect", title="Protect: law and victims")
        make_version("respond", title="Respond: the first hour")
        unit = make_unit("Westshire Police")
        for number in ("R1", "R2"):
            make_person(unit, staff_number=number)
        yield


def line(number="R1", **values):
    return {"staff_number": number, "source_system": "College Learn", "evidence": "C1", **values}


def list_records():
    rows = db.session.execute(
        select(Activity.key, Record.achieved_on, Record.source, ImportedRecord.source_system)
        .join(Activity, Activity.id == Record.activity_id)
        .join(ImportedRecord, ImportedRecord.record_id == Record.id)
        .order_by(Record.id)
    )
    return [(key, day.isoformat(), source, system) for key, day, source, system in rows]


def load(app, tmp_path, rows, *options, columns=COLUMNS):
    path = write_csv(tmp_path / "wide.csv", rows, columns)
    return run(app, "records", "import", path, "--profile", "wide", *options)


def test_each_date_in_a_column_of_a_module_is_a_record(app, tmp_path):
    rows = [line(protect="2026-01-02", Respond=""), line("R2", protect="2026-01-03", Respond="2026-01-04")]

    dry = load(app, tmp_path, rows, "--dry-run")
    assert list_records() == []
    done = load(app, tmp_path, rows)

    assert dry.stdout.replace("Dry run: nothing was changed.", "Done.") == done.stdout
    assert list_records() == [
        ("protect", "2026-01-02", "imported", "College Learn"),
        ("protect", "2026-01-03", "imported", "College Learn"),
        ("respond", "2026-01-04", "imported", "College Learn"),
    ]
    assert "Recorded: 0\nAlready recorded: 3" in load(app, tmp_path, rows).stdout


@pytest.mark.parametrize(
    ("rows", "columns", "reason"),
    [
        ([line(protect="soon")], COLUMNS, "Line 2: achieved_at 'soon' is not a date"),
        (
            [line("R9", protect="2026-01-02")],
            COLUMNS,
            "Line 2: staff_number 'R9' belongs to nobody in the portal.",
        ),
        ([line(protect="2026-01-02", other="")], COLUMNS, "Line 1: the column 'other' is unknown."),
        ([line()], COLUMNS[:3], "no column is named after a module, guide or event"),
        ([{"staff_number": "R1", "protect": ""}], ("staff_number", "protect"), "'source_system' is missing"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_recorded(app, tmp_path, rows, columns, reason):
    result = load(app, tmp_path, rows, columns=columns)

    assert result.exit_code == 1
    assert reason in result.stderr
    assert list_records() == []


def test_people_are_known_by_the_number_of_another_system(client):
    administrator(client)
    with transaction():
        person = make_person(make_unit("Elsewhere"), staff_number="R7")
        db.session.add(Identifier(person_id=person, scheme="LMS", value="42"))
    content = csv_of([{"Who": "42", "Protect": "2026-02-03"}], ("Who", "Protect"))

    page = upload(client, content, "completions", "lms.csv", shape="person")
    fields = {**selected_values(page), "column_person": "0", "person_by": "LMS", "fixed_source_system": "LMS"}
    page = client.press(page, "Check the file", **fields)

    assert sections(page)["New records"] == [
        ["2", "Shah, Priya", "R7", "protect (module)", "3 February 2026", "LMS"]
    ]
