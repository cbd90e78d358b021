"""Files that no system of a force should write, and some does: told what is wrong before anything is done."""

import csv
import io
from datetime import UTC, datetime

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from portal.platform.tables.isolated_reader import read_sheet_forgivingly
from tests.domain.imports.desk import (
    administrator,
    csv_of,
    press_new,
    row,
    selected_values,
    upload,
    upload_and_check,
)
from tests.domain.imports.rosters import run


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        yield


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(app, tmp_path, mark, name):
    path = tmp_path / "roster.csv"
    path.write_bytes(csv_of([row()]).replace(b",", mark.encode()))

    result = run(app, "people", "import", path)

    assert f"Line 1: its values are separated by {name}. Save the file as CSV with commas." in result.stderr


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")


@given(
    encoding=st.sampled_from(ENCODINGS),
    separator=st.sampled_from(",;\t|"),
    names=st.lists(
        st.sampled_from(["Zoë", "O'Neill", "Siân, Ann", "a; b", 'the "old" one', "£5"]), min_size=2
    ),
    titles=st.lists(st.sampled_from(["Training report", "Printed on 3 May 2026", "Restricted"]), max_size=3),
    totals=st.sampled_from(["", "Total", "Grand total: 3", "12 rows"]),
)
def test_a_table_is_found_however_it_is_written(encoding, separator, names, titles, totals):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerows([title] for title in titles)
    writer.writerow(["Number", "Name", "Unit", "Day"])
    lines = [[f"N{n}", name, "Team A", "2026-03-04"] for n, name in enumerate(names)]
    writer.writerows(lines)
    if totals:
        writer.writerow([totals, "", "", ""])

    columns, rows, notes, *_ = read_sheet_forgivingly(out.getvalue().encode(encoding), "people.csv")

    assert columns == ["Number", "Name", "Unit", "Day"]
    assert [cells for _, cells in rows] == lines
    assert [line for line, _ in rows] == [len(titles) + 2 + n for n in range(len(lines))]
    assert any("above the columns" in note for note in notes) == bool(titles)
    assert any("of totals" in note for note in notes) == bool(totals)


def test_a_file_says_how_it_was_read(client):
    administrator(client)
    head, line = csv_of([row()]).decode().splitlines()
    written = f"Our people\n\n{head}\n{line}\n{head}\nTotal,1\n".replace(",", ";").encode("cp1252")

    page = upload(client, written)

    assert "Read as UTF-8, separated by semicolons." in page.text
    assert "Left out: 1 line above the columns’ names." in page.text
    assert "Left out: 1 line of totals at the end." in page.text
    page = press_new(client, client.press(page, "Check the file", **selected_values(page)))
    assert page.h1 == "Every row is good"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            {"staff_number": "N/1"},
            "staff_number 'N/1' has a “/” in it, which cannot be part of a page's address.",
        ),
        ({"staff_number": "accounts"}, "staff_number 'accounts' is the address of a page."),
        ({"staff_number": ".."}, "staff_number '..' has nothing but dots in it."),
        ({"staff_number": "9" * 51}, "staff_number has more than 50 characters."),
        ({"surname": "x" * 201}, "surname has more than 200 characters."),
        ({"unit_path": "Westshire Police/" + "x" * 201}, "A unit's name has more than 200 characters."),
        ({"unit_path": "/".join("abcdefghijklmnopqrstu")}, "unit_path has more than 20 names."),
        ({"valid_from": "0206-01-01"}, "valid_from '0206-01-01' lies before 1900."),
    ],
)
def test_values_that_no_page_could_show_are_bad(client, values, reason):
    administrator(client)

    page = upload_and_check(client, csv_of([row(**values)]))

    assert page.h1 == "1 row is bad"
    assert reason in page.text


def test_a_control_character_is_not_put_on_a_page(client):
    administrator(client)

    page = upload_and_check(client, csv_of([row(surname="Sh\x00ah")]))

    assert "surname has a control character in it." in page.text


def test_who_is_managed_by_somebody_on_a_bad_row_does_not_break_the_check(client):
    administrator(client)
    bad = row("R2", line_manager_staff_number="Z9")

    page = upload_and_check(client, csv_of([bad, row("R1", line_manager_staff_number="R2")]))

    assert page.h1 == "1 row is bad"
    assert "'Z9' is nobody's staff number" in page.text
