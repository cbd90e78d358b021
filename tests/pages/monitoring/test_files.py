"""The completion file: the contract's columns, the page's rows, types, and no formula that runs."""

import io
import json
import re
from codecs import BOM_UTF8
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pypdf import PdfReader
from sqlalchemy import select

from portal.domain.records.models import ImportedRecord, Record
from portal.domain.reports import completion_files, queries
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.domain.status.facts import add, make_record
from tests.factories.access_tokens import bearer, make_token
from tests.factories.people import make_person
from tests.page_reading import PortalClient
from tests.pages.monitoring.reading import csv_rows, parsed, sheet, sheet_of, xlsx_rows
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

pytestmark = pytest.mark.usefixtures("today")

CONTRACT = (
    "force, staff_number, surname, forenames, rank_or_grade, designated_role, unit, unit_path, "
    "line_manager_staff_number, directive, requirement_kind, requirement, requirement_title, version, "
    "assigned_on, due_on, status, started_at, satisfied_at, late_days, score_scaled, mastery_score, "
    "attempts, valid_until, exclusion_reason, source, record_reference, as_at, as_known_on"
).split(", ")
INSTANTS = {"started_at", "satisfied_at", "as_known_on"}
NUMBERS = {"version", "late_days", "score_scaled", "mastery_score", "attempts"}


@pytest.fixture
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def auditor(client):
    return enter(client, make_world(), "D6001")


def test_the_csv_has_the_contracts_columns_lines_and_order(auditor):
    response = auditor.get(f"{REPORT}/completions.csv")
    text = response.data.decode("utf-8")
    lines = text.split("\r\n")

    assert lines[0].split(",") == CONTRACT
    assert lines[-1] == ""
    assert "\n" not in text.replace("\r\n", "")
    assert [row["staff_number"] for row in parsed(text)][::2] == ["C1", "N1", "N2", "D1001", "S1", "S2"]
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=OIC-2026-completions-2026-06-01.csv"
    )
    assert response.headers["Cache-Control"] == "no-store"


CELLS = {  # how a Table Schema reads the text of a cell
    "string": str,
    "integer": int,
    "number": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


@pytest.mark.parametrize("name", ["completions", "people"])
def test_the_table_schema_beside_a_file_describes_each_of_its_cells(auditor, name):
    schema = auditor.get(f"{REPORT}/{name}.schema.json").json
    rows = parsed(auditor.get(f"{REPORT}/{name}.csv").data.decode("utf-8"))

    assert schema.keys() == {"$schema", "fields", "missingValues"}
    assert schema["$schema"] == "https://datapackage.org/profiles/2.0/tableschema.json"
    assert [field["name"] for field in schema["fields"]] == list(rows[0])
    for field in schema["fields"]:
        constraints = field["constraints"]
        assert field.keys() == {"name", "type", "description", "constraints"}
        assert constraints.keys() <= {"required", "enum", "pattern"}
        assert field["description"]
        cells = {row[field["name"]] for row in rows}
        assert not (constraints["required"] and cells & set(schema["missingValues"]))
        for cell in cells - set(schema["missingValues"]):
            CELLS[field["type"]](cell)
            assert cell in constraints.get("enum", [cell])
            assert re.fullmatch(constraints.get("pattern", ".*"), cell, re.DOTALL)
    assert any("enum" in field["constraints"] for field in schema["fields"])


def test_a_csv_begins_with_a_byte_order_mark_where_it_is_asked(client, app):
    auditor = enter(client, make_world(), "D6001")
    token = bearer(make_token())
    for name in ("completions.csv", "people.csv"):
        plain = auditor.get(f"{REPORT}/{name}").data
        api = f"/api/v1/directives/OIC-2026/files/{name}"

        assert plain.startswith(b"force,")
        assert auditor.get(f"{REPORT}/{name}?bom=yes").data == BOM_UTF8 + plain
        assert app.test_client().get(f"{api}?bom=yes", headers=token).data == BOM_UTF8 + plain
    assert auditor.get(f"{REPORT}/people.csv?bom=no").status_code == 400
    assert auditor.get(f"{REPORT}/people.xlsx?bom=yes").status_code == 400
    wrong = app.test_client().get(f"{api}?bom=no", headers=token)
    assert (wrong.status_code, wrong.json["detail"]) == (400, "bom: write yes.")


def test_what_was_achieved_on_a_day_of_which_no_time_was_told_leaves_as_that_day(client, app):
    world = make_world()
    day = date(2026, 4, 2)
    for staff_number, at in (("S1", clock.noon(day)), ("N2", datetime(2026, 4, 2, 8, 30, tzinfo=UTC))):
        make_record(world.people[staff_number], world.activities[1], day, achieved_at=at)
    auditor = enter(client, world, "D6001")
    told = {"S1": "2026-04-02", "N2": "2026-04-02T08:30:00Z"}

    assert _achieved(csv_rows(auditor)) == told
    assert _achieved(auditor.get(f"{REPORT}/completions.json").json["rows"]) == told
    assert _achieved(xlsx_rows(auditor)) == {"S1": day, "N2": datetime(2026, 4, 2, 9, 30)}
    api = app.test_client()
    records = api.get("/api/v1/records", headers=bearer(make_token())).json["items"]
    assert _achieved(records, "achieved_at") == told


def _achieved(rows: list[dict[str, Any]], name: str = "satisfied_at") -> dict[str, Any]:
    return {
        row["staff_number"]: row[name] for row in rows if row[name] and row["staff_number"] in {"S1", "N2"}
    }


def test_one_row_says_what_the_facts_say(auditor):
    rows = csv_rows(auditor)
    shah = next(row for row in rows if row["staff_number"] == "D1001")
    brennan = next(row for row in rows if row["staff_number"] == "N1")

    assert shah | {"requirement": ""} == {
        "force": "Westshire Police",
        "staff_number": "D1001",
        "surname": "Shah",
        "forenames": "Priya",
        "rank_or_grade": "Constable",
        "designated_role": "response",
        "unit": "Response, North",
        "unit_path": "Westshire Police/Local Policing/Response, North",
        "line_manager_staff_number": "D2001",
        "directive": "OIC-2026",
        "requirement_kind": "module",
        "requirement": "",
        "requirement_title": "x",
        "version": "1",
        "assigned_on": "2026-01-01",
        "due_on": "2026-04-30",
        "status": "overdue",
        "started_at": "2026-04-19T12:00:00Z",
        "satisfied_at": "",
        "late_days": "",
        "score_scaled": "",
        "mastery_score": "0.8000",
        "attempts": "0",
        "valid_until": "",
        "exclusion_reason": "",
        "source": "",
        "record_reference": "",
        "as_at": "2026-06-01",
        "as_known_on": shah["as_known_on"],
    }
    assert brennan["status"] == "satisfied"
    assert brennan["satisfied_at"] == "2026-04-18T12:00:00Z"
    assert (brennan["late_days"], brennan["source"]) == ("0", "imported")
    assert brennan["record_reference"].startswith("OIC-")


@pytest.mark.slow
def test_a_line_manager_out_of_sight_has_no_number_in_any_file(app, client, tmp_path):
    """Columns stay; whoever sees the whole force reads every number."""
    world = make_world()
    for number, manager in (("M1", "D2001"), ("M2", "D2002")):  # the second one's is of another department
        make_person(world.units["south"], staff_number=number, manager=world.people[manager])
    token = make_token(unit=world.units["local"])
    for viewer, hidden in (("D2003", ""), ("D6001", "D2002")):
        reader = enter(PortalClient(app), world, viewer)
        files = {name: reader.get(f"{REPORT}/{name}") for name in MANAGERS_IN}
        rows = {name: rows_of(name, answer) for name, answer in files.items()}
        if viewer == "D2003":
            for path in ("completions", "files/completions.csv", "files/people.csv"):
                answer = client.get(f"{API}/{path}", headers=bearer(token))
                rows[f"API {path}"] = rows_of(path, answer)
        for name, found in rows.items():
            by_person = {row["staff_number"]: row["line_manager_staff_number"] or "" for row in found}
            assert (by_person["M1"], by_person["M2"]) == ("D2001", hidden), (viewer, name)
        assert "D2002" not in pdf_words(reader.get(f"{REPORT}/completions.pdf").data), viewer
    path = tmp_path / "completions.csv"
    run(app, "--directive", "OIC-2026", "--format", "csv", "--output", str(path))
    (row, _) = (row for row in parsed(path.read_text("utf-8")) if row["staff_number"] == "M2")
    assert row["line_manager_staff_number"] == "D2002", "the command line sees everyone"


API = "/api/v1/directives/OIC-2026"
MANAGERS_IN = ("completions.csv", "completions.xlsx", "completions.json", "people.csv", "people.xlsx")


def rows_of(name, answer):
    assert answer.status_code == 200, name
    if name.endswith("xlsx"):
        return sheet(answer)
    if name.endswith("csv"):
        return parsed(answer.get_data(as_text=True))
    return answer.json["items" if name == "completions" else "rows"]


def pdf_words(body):
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)


def test_a_corrected_record_keeps_its_score_and_says_its_instant_to_the_microsecond(client):
    world = make_world()
    person, of = world.people["C1"], ("person_id", "activity_id", "source", "reference")
    old = db.session.scalars(select(Record).where(Record.person_id == person).order_by(Record.id)).first()
    again = {name: getattr(old, name) for name in of}
    first, day = old.id, old.achieved_on
    with transaction():
        db.session.add(ImportedRecord(record_id=first, source_system="x", score_scaled=Decimal("0.75")))
    instant = datetime(2026, 4, 29, 7, 30, 0, 250_000, tzinfo=UTC)
    add(Record(**again, replaces_id=first, achieved_at=instant, achieved_on=day), people=[person])

    rows = csv_rows(enter(client, world, "D6001"))

    row = next(row for row in rows if row["record_reference"] == again["reference"])
    assert (row["score_scaled"], row["satisfied_at"]) == ("0.7500", "2026-04-29T07:30:00.250000Z")


def test_a_text_that_a_spreadsheet_might_run_is_neutral_in_csv_and_whole_in_the_workbook(auditor):
    in_csv = next(row for row in csv_rows(auditor) if row["staff_number"] == "S1")
    in_book = next(row for row in xlsx_rows(auditor) if row["staff_number"] == "S1")

    assert (in_csv["surname"], in_csv["forenames"]) == ("'=Whitlock", "'@James")
    assert (in_book["surname"], in_book["forenames"]) == ("=Whitlock", "@James")


def test_workbook_and_json_hold_the_cells_of_the_csv_typed(auditor, app, tmp_path):
    in_csv, in_book = csv_rows(auditor), xlsx_rows(auditor)
    path = tmp_path / "completions.json"
    result = run(app, "--directive", "OIC-2026", "--format", "json", "--output", str(path))
    in_json = json.loads(path.read_text("utf-8"))["rows"]

    assert result.exit_code == 0, result.output
    assert len(in_csv) == len(in_book) == len(in_json) == 12
    for text, cells, values in zip(in_csv, in_book, in_json, strict=True):
        assert list(cells) == list(values) == CONTRACT
        for name in CONTRACT:
            written = text[name].removeprefix("'")
            assert as_text(name, cells[name]) == written, name
            assert json_text(name, values[name]) == written, name


def as_text(name, cell):
    """A typed cell of the workbook as the CSV writes it."""
    if cell == "":
        return ""
    if name in INSTANTS:
        assert isinstance(cell, datetime)
        utc = cell.replace(tzinfo=ZoneInfo("Europe/London")).astimezone(ZoneInfo("UTC"))
        return utc.isoformat().replace("+00:00", "Z" if name != "as_known_on" else ".000001Z")
    if name in NUMBERS:
        assert isinstance(cell, float)
        return f"{cell:.4f}" if name.endswith("score") or name == "score_scaled" else f"{cell:.0f}"
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def json_text(name, value):
    """A typed value of the JSON as the CSV writes it."""
    if value is None:
        return ""
    if name in {"mastery_score", "score_scaled"}:
        return f"{value:.4f}"
    return str(value)


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=["report", "completions", *arguments])


def test_the_json_defines_its_percentage(auditor, app, tmp_path):
    path = tmp_path / "completions.json"
    run(app, "--directive", "OIC-2026", "--format", "json", "--output", str(path))

    found = json.loads(path.read_text("utf-8"))

    assert list(found) == ["definition", "totals", "rows"]
    definition = found["definition"]
    assert (definition["numerator"], definition["denominator"]) == (2, 5)
    assert definition["percentage"] == 40
    assert definition["exclusions"] == {"secondment": 1}
    assert (definition["as_at"], definition["forecast"]) == ("2026-06-01", False)
    assert definition["versions"] == [{"number": 1, "effective_on": "2026-01-01"}]
    assert found["totals"]["overdue"] == 3
    assert found["totals"]["exempt"] == 1


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_command_writes_what_an_auditor_downloads(auditor, app, tmp_path, form):
    path = tmp_path / f"completions.{form}"
    path.write_text("an older file")

    result = run(
        app,
        "--directive",
        "OIC-2026",
        "--as-at",
        "30 April 2026",
        "--as-known-on",
        "2026-04-30",
        "--format",
        form,
        "--output",
        str(path),
    )

    assert result.exit_code == 0, result.output
    assert "Wrote 12 rows about 6 people" in result.output
    query = "?as_at=2026-04-30&as_known_on=2026-04-30"
    if form == "csv":
        assert path.read_bytes() == auditor.get(f"{REPORT}/completions.csv{query}").data
    else:
        assert sheet_of(path) == xlsx_rows(auditor, query)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--directive", "NONE-1"], "There is no directive NONE-1."),
        (["--directive", "OIC-2026", "--as-at", "2 June 2026"], "cannot be shown for a future date"),
        (
            ["--directive", "OIC-2026", "--as-known-on", "soon"],
            "Enter a date, or a date and time, such as 9:00 on 15 May 2026.",
        ),
    ],
)
def test_the_command_refuses_with_a_sentence_and_writes_nothing(auditor, app, tmp_path, arguments, reason):
    result = run(app, *arguments, "--format", "csv", "--output", str(tmp_path / "out.csv"))

    assert result.exit_code == 1
    assert reason in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_workbook_that_no_spreadsheet_holds_is_refused_with_a_sentence_and_the_csv_is_not(
    auditor, monkeypatch
):
    monkeypatch.setattr(completion_files, "SHEET_ROWS", 11)

    page = auditor.page(f"{REPORT}/completions.xlsx", 409)

    assert "This file would have 12 rows" in page.text
    assert "download the CSV" in page.text
    assert len(csv_rows(auditor)) == 12
    assert len(xlsx_rows(auditor, "?status=overdue")) == 6


def test_every_export_is_audited_with_what_was_asked(auditor):
    auditor.get(f"{REPORT}/completions.csv?q=Shah&status=overdue&as_at=2026-05-20")

    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "completions.exported")).one()
    assert event.actor_id is not None
    assert event.detail["directive"] == "OIC-2026"
    assert event.detail["format"] == "csv"
    assert event.detail["rows"] == 2
    assert event.detail["as_at"] == "2026-05-20"
    assert event.detail["filters"] == ["q", "status"]
    assert "Shah" not in str(event.detail)


def test_a_file_is_read_some_rows_at_a_time_and_whole(client, monkeypatch):
    monkeypatch.setattr(queries, "BATCH", 2)  # people at a time
    monkeypatch.setattr(completion_files, "BATCH", 3)  # rows
    world = make_world()
    for number in range(7):
        world.person(f"X{number}", "north", surname=f"Name {number}")
    enter(client, world, "D6001")

    rows = csv_rows(client)

    assert len(rows) == 26
    keys = [(row["unit_path"], row["surname"].removeprefix("'"), row["staff_number"]) for row in rows]
    assert keys == sorted(keys)
    assert len({(row["staff_number"], row["requirement"]) for row in rows}) == 26
