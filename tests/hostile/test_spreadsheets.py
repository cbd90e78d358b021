"""No cell of a CSV runs in a spreadsheet, whatever form its first sign has; nothing else is altered."""

import csv
import io
import unicodedata

import pytest
import time_machine

from portal.domain.people.models import PersonName
from portal.platform.db import db, transaction
from portal.platform.tables.columns import disarm_formula
from tests.domain.imports.desk import administrator, csv_of, row, run_id, upload_and_check
from tests.pages.monitoring.reading import csv_rows, xlsx_rows
from tests.pages.monitoring.world import TODAY, enter, make_world

SIGNS = [
    chr(code)
    for code in range(0x110000)
    if not 0xD800 <= code < 0xE000 and unicodedata.normalize("NFKC", chr(code)) in {"=", "+", "-", "@", "−"}
]
BEFORE = ["", " ", "\t", "\r", "\n", "\xa0", "\u3000", "\u200b", "\ufeff", "\0", "  \t\u2060"]


def test_every_form_of_the_four_signs_is_known():
    assert {"=", "+", "-", "@", "＝", "＋", "－", "＠"} < set(SIGNS)


@pytest.mark.parametrize("before", BEFORE)
def test_a_dangerous_beginning_is_neutralised(before):
    for sign in SIGNS:
        assert disarm_formula(f"{before}{sign}1+1") == f"'{before}{sign}1+1"


@pytest.mark.parametrize(
    "text",
    ["", " ", " Smith", "1=1", "a＝1", "O'Brien 00123", "'=1", "é@x", "Ł-Ó", "张＝", "№ 5", "(-1)"],
)
def test_nothing_else_is_altered(text):
    assert disarm_formula(text) == text


@pytest.mark.parametrize("name", ["＝cmd|' /C calc'!A0", "\u200b=1+1", "＠SUM(1)", " －2"])
def test_a_name_is_neutral_in_the_csv_of_a_report_and_whole_in_the_workbook(client, name):
    with time_machine.travel(TODAY, tick=False):
        auditor = enter(client, make_world(), "D6001")
        with transaction():
            person = db.session.query(PersonName).filter_by(staff_number="S1").one()
            person.surname = name

        in_csv = next(row for row in csv_rows(auditor) if row["staff_number"] == "S1")
        in_book = next(row for row in xlsx_rows(auditor) if row["staff_number"] == "S1")

    assert in_csv["surname"] == f"'{name}"
    assert in_book["surname"] == name


@pytest.mark.slow
def test_a_cell_of_the_bad_rows_is_neutral(client):
    administrator(client)
    page = upload_and_check(client, csv_of([row(surname="＝1+1", valid_from="never")]))

    body = client.get(f"/imports/{run_id(page)}/bad-rows.csv").get_data(as_text=True)

    (bad,) = csv.DictReader(io.StringIO(body.removeprefix("\ufeff")))
    assert bad["surname"] == "'＝1+1"
