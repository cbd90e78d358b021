"""``records import``: prior completions become records, once."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy import func, select

from portal.domain.catalogue.models import Activity
from portal.domain.people.models import FactNote
from portal.domain.records.models import ImportedRecord, Record
from portal.domain.records.services import normalise_reference
from portal.platform.audit import AuditEvent
from portal.platform.db import Stamp, db, stamp, transaction
from tests.domain.imports.rosters import run, write_csv
from tests.factories.people import make_person

COLUMNS = (
    "staff_number",
    "requirement_kind",
    "requirement",
    "achieved_at",
    "score_scaled",
    "source_system",
    "evidence",
)


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        make_person(staff_number="R1")
        make_person(staff_number="R2")
        with transaction():
            at = stamp()
            for key in ("recognise", "report"):
                db.session.add(Activity(recorded_at=at, kind="module", key=key))
        yield


def csv_row(**values):
    return {
        "staff_number": "R1",
        "requirement_kind": "module",
        "requirement": "recognise",
        "achieved_at": "2026-04-30",
        "score_scaled": "0.85",
        "source_system": "College Learn",
        "evidence": "Certificate 1234",
        **values,
    }


def import_rows(app, tmp_path, *rows, options=()):
    path = write_csv(tmp_path / "records.csv", rows, COLUMNS)
    return run(app, "records", "import", path, "--profile", "default", *options)


def list_records():
    return db.session.scalars(select(Record).order_by(Record.achieved_at)).all()


def count_rows(table):
    return db.session.scalar(select(func.count()).select_from(table))


def test_a_completion_becomes_a_record_with_its_source_and_evidence(app, tmp_path):
    result = import_rows(app, tmp_path, csv_row())

    assert result.exit_code == 0
    assert "Recorded: 1\nAlready recorded: 0\nPeople: 1\n" in result.stdout
    (record,) = list_records()
    assert (record.source, record.achieved_on) == ("imported", date(2026, 4, 30))
    assert record.achieved_at == datetime(2026, 4, 30, 11, tzinfo=UTC)  # noon in London
    assert normalise_reference(record.reference) == record.reference
    assert record.recorded_at == db.session.scalar(select(func.max(Stamp.recorded_at)))
    beside = db.session.get(ImportedRecord, record.id)
    assert (beside.source_system, beside.score_scaled) == ("College Learn", Decimal("0.85"))
    note = db.session.scalars(select(FactNote)).one()
    assert (note.fact_table, note.fact_id, note.kind, note.text) == (
        "record",
        record.id,
        "evidence",
        "Certificate 1234",
    )


def test_an_instant_counts_on_its_london_day(app, tmp_path):
    import_rows(
        app,
        tmp_path,
        csv_row(achieved_at="2026-04-30T23:30:00Z"),
        csv_row(achieved_at="2026-05-02T00:30:00+01:00"),
    )

    assert [(r.achieved_at, r.achieved_on) for r in list_records()] == [
        (datetime(2026, 4, 30, 23, 30, tzinfo=UTC), date(2026, 5, 1)),
        (datetime(2026, 5, 1, 23, 30, tzinfo=UTC), date(2026, 5, 2)),
    ]


def test_what_is_held_is_skipped_and_counted(app, tmp_path):
    import_rows(app, tmp_path, csv_row())
    before = (count_rows(Record), count_rows(FactNote), count_rows(Stamp), count_rows(AuditEvent))

    again = import_rows(
        app,
        tmp_path,
        csv_row(),
        csv_row(achieved_at="2026-04-30T12:00:00+01:00", evidence="The same instant"),
    )

    assert again.exit_code == 0
    assert "Recorded: 0\nAlready recorded: 2\n" in again.stdout
    assert "Nothing to do." in again.stdout
    assert (count_rows(Record), count_rows(FactNote), count_rows(Stamp), count_rows(AuditEvent)) == before


def test_one_file_that_says_it_twice_records_it_once(app, tmp_path):
    result = import_rows(
        app,
        tmp_path,
        csv_row(),
        csv_row(evidence=""),
        csv_row(staff_number="R2"),
        csv_row(requirement="report"),
    )

    assert "Recorded: 3\nAlready recorded: 1\nPeople: 2\n" in result.stdout
    assert [note.text for note in db.session.scalars(select(FactNote))] == ["Certificate 1234"] * 3


def test_a_dry_run_counts_and_records_nothing(app, tmp_path):
    stamps = count_rows(Stamp)

    result = import_rows(app, tmp_path, csv_row(), options=["--dry-run"])

    assert "Recorded: 1" in result.stdout
    assert (count_rows(Record), count_rows(Stamp)) == (0, stamps)


BAD = [
    ({"staff_number": ""}, "Line 3: staff_number is empty."),
    ({"staff_number": "R9"}, "Line 3: staff_number 'R9' belongs to nobody in the portal."),
    (
        {"requirement_kind": "course"},
        "Line 3: requirement_kind is 'course'. Write one of: module, event, guide.",
    ),
    ({"requirement": "juggling"}, "Line 3: requirement: there is no module 'juggling' in the portal."),
    ({"requirement_kind": "event"}, "Line 3: requirement: there is no event 'recognise' in the portal."),
    ({"achieved_at": ""}, "Line 3: achieved_at is empty."),
    ({"achieved_at": "30/04/2026"}, "Line 3: achieved_at '30/04/2026' is not a date"),
    ({"achieved_at": "2026-02-30"}, "Line 3: achieved_at '2026-02-30' is not a date"),
    ({"achieved_at": "2026-04-30T09:15:00"}, "Line 3: achieved_at '2026-04-30T09:15:00' is not a date"),
    ({"achieved_at": "2026-06-02"}, "Line 3: achieved_at 2026-06-02 is in the future."),
    ({"achieved_at": "2026-06-01T14:00:00Z"}, "Line 3: achieved_at 2026-06-01T14:00:00Z is in the future."),
    ({"score_scaled": "85"}, "Line 3: score_scaled '85' is not a number from 0 to 1"),
    ({"score_scaled": "1.0001"}, "Line 3: score_scaled '1.0001' is not a number from 0 to 1"),
    ({"score_scaled": "0.12345"}, "Line 3: score_scaled '0.12345' is not a number from 0 to 1"),
    ({"score_scaled": "NaN"}, "Line 3: score_scaled 'NaN' is not a number from 0 to 1"),
    ({"source_system": ""}, "Line 3: source_system is empty."),
]


@pytest.mark.parametrize(("different", "reason"), BAD)
def test_a_bad_row_is_told_with_its_line_and_nothing_is_recorded(app, tmp_path, different, reason):
    result = import_rows(app, tmp_path, csv_row(), csv_row(**different))

    assert result.exit_code == 1
    assert reason in result.stderr
    assert result.stdout == ""
    assert count_rows(Record) == 0


def test_an_unknown_profile_is_wrong_use(app, tmp_path):
    path = write_csv(tmp_path / "records.csv", [csv_row()], COLUMNS)

    assert run(app, "records", "import", path, "--profile", "other").exit_code == 2
