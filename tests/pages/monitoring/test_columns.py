"""The list of columns: types, order, and that a column added to it is in every file."""

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import get_args, get_type_hints

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.reports import completion_files, completion_rows
from portal.domain.reports.completion_rows import COLUMNS, Column, CompletionRow, DayOrInstant, PersonRow
from portal.platform.tables.columns import csv_text, disarm_formula
from tests.pages.monitoring.reading import csv_rows, xlsx_rows
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world


@pytest.fixture
def auditor(client):
    with time_machine.travel(TODAY, tick=False):
        yield enter(client, make_world(), "D6001")


@pytest.mark.parametrize(
    ("row", "columns"), [(CompletionRow, COLUMNS), (PersonRow, completion_rows.person_columns([]))]
)
def test_a_column_has_the_type_of_its_field(row, columns):
    hints = get_type_hints(row)
    for column in columns:
        kinds = get_args(hints[column.source_field]) or (hints[column.source_field],)
        expected = {date, datetime} if column.kind is DayOrInstant else {column.kind}
        assert expected == {*kinds} - {NoneType}, column.header
        assert column.optional == (NoneType in kinds), column.header


def test_the_files_have_a_column_for_each_field_in_its_order():
    assert tuple(column.header for column in COLUMNS) == CompletionRow._fields


def test_a_column_is_added_by_one_line_of_the_list(auditor, monkeypatch):
    added = Column("full_name", "Surname and forenames.", str, "name", field="test_name")
    monkeypatch.setattr(
        CompletionRow, "test_name", property(lambda row: f"{row.surname}, {row.forenames}"), raising=False
    )
    monkeypatch.setattr(completion_rows, "COLUMNS", (*COLUMNS, added))

    in_csv, in_book = csv_rows(auditor), xlsx_rows(auditor)
    in_json = json.loads(auditor.get(f"{REPORT}/completions.json").data)["rows"]
    dictionary = auditor.page("/monitoring/data-dictionary")
    in_dictionary = list(csv.DictReader(io.StringIO(auditor.get("/monitoring/data-dictionary.csv").text)))

    names = [f"{row['surname']}, {row['forenames']}" for row in in_json]
    assert "Shah, Priya" in names
    assert [row["full_name"] for row in in_json] == names
    assert [row["full_name"] for row in in_book] == names
    assert [row["full_name"] for row in in_csv] == list(map(disarm_formula, names))
    assert all(text in dictionary.text for text in ("full_name", "Surname and forenames."))
    assert in_dictionary[-1]["column"] == "full_name"


@given(st.lists(st.text(), min_size=2, max_size=4))
def test_cells_of_csv_are_what_the_standard_library_writes(texts):
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(map(disarm_formula, texts))

    assert ",".join(map(csv_text, texts)) == buffer.getvalue()


def test_a_value_is_written_by_its_type():
    columns = [Column("day", "", date, "", field="assigned_on"), Column("score", "", Decimal, "")]
    row = type("Row", (), {"assigned_on": date(2026, 4, 30), "score": Decimal("0.8000")})()

    assert "".join(completion_files.csv_pieces([row], columns)) == "day,score\r\n2026-04-30,0.8000\r\n"
