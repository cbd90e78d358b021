"""A workbook with several sheets: the list is found, or asked for once."""

from datetime import date

import pytest
from sqlalchemy import func, select

from portal.domain.imports.models import ImportRun
from portal.domain.records.models import Record
from portal.platform.db import db
from tests.domain.imports.desk import administrator, row, sections, selected_values, upload
from tests.domain.imports.rosters import COLUMNS, run
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit
from tests.platform.tables.written_workbooks import ods, xls, xlsx

HEAD = ["Collar No", "Course name", "Completed on"]
NOTES = [["Contact", "Extension"], ["Training desk", "2201"]]


@pytest.fixture
def force(client):
    place = make_unit("Westshire Police")
    for number in ("W1", "W2"):
        make_person(place, staff_number=number)
    make_version("respond", title="Respond: at the scene")
    administrator(client)


def completions(number, day=14):
    return [HEAD, [number, "Respond", date(2026, 3, day)]]


def send(client, content, name="export.xlsx", **fields):
    return upload(client, content, "completions", name, shape="completion", **fields)


def records():
    return db.session.scalar(select(func.count(Record.id)))


def test_the_likeliest_sheet_is_proposed_with_its_first_rows(client, force):
    content = ods({"Read me": [["Printed on 3 May"]], "Contacts": NOTES, "May": completions("W1")})

    page = send(client, content, "export.ods")

    assert page.h1 == "Choose the sheet of export.ods"
    assert "2026-03-14" in page.text
    assert "Read me: there is no table in it." in page.text
    checked = [box for box in page.all("input") if box.get("checked") is not None]
    assert [box.get("value") for box in checked] == ["2"], "its columns are named as completions are"
    run_id = db.session.scalars(select(ImportRun.id)).one()
    assert client.page(f"/imports/{run_id}/columns").h1 == page.h1, "no columns before a sheet is chosen"
    assert client.press(page, "Continue", sheet="7").title.startswith("Error: ")
    page = client.press(page, "Continue", sheet="2")
    assert page.h1 == "Match the columns of export.ods"
    assert "Read from the sheet “May”. Not read: Read me, Contacts." in page.text
    page = client.press(page, "Check the file", **selected_values(page), fixed_source_system="LMS")
    assert page.h1 == "Every row is good", page.text
    client.press(page, "Apply the import")
    assert records() == 1


def test_a_profile_remembers_the_sheet_and_a_command_reads_it(client, app, force, tmp_path):
    content = xlsx({"April": completions("W1"), "May": completions("W1", 15)})
    page = client.press(send(client, content), "Continue", sheet="1")
    page = client.press(
        page, "Check the file", **selected_values(page), fixed_source_system="LMS", save_as="LMS"
    )
    assert [cells[4] for cells in sections(page)["New records"]] == ["15 March 2026"]

    path = tmp_path / "later.xlsx"
    path.write_bytes(xlsx({"April": completions("W2"), "May": completions("W2", 15)}))
    result = run(app, "records", "import", path, "--profile", "LMS")
    assert result.exit_code == 0, result.stderr
    path.write_bytes(xlsx({"Contacts": NOTES, "June": completions("W2", 16)}))
    result = run(app, "records", "import", path, "--profile", "LMS")
    assert result.exit_code == 0, "only one sheet has the profile’s columns: " + result.stderr
    assert records() == 2
    path.write_bytes(xlsx({"June": completions("W2", 17), "July": completions("W2", 18)}))
    result = run(app, "records", "import", path, "--profile", "LMS")
    assert result.exit_code == 1
    assert "Several sheets of the workbook may be the list: “June”, “July”." in result.stderr

    page = send(client, path.read_bytes(), profile="LMS")
    assert "“LMS” remembers your choice." in page.text
    client.press(page, "Continue", sheet="1")
    result = run(app, "records", "import", path, "--profile", "LMS")
    assert result.exit_code == 0, result.stderr
    assert records() == 3


def test_a_force_under_merged_names_is_proposed_before_those_who_left(client):
    administrator(client)
    row_of = row()
    groups = {"Person": COLUMNS[:4], "Post": COLUMNS[4:]}
    over = [name if n == 0 else "" for name, names in groups.items() for n in range(len(names))]
    force_rows = [over, list(COLUMNS), *([row_of[name] for name in COLUMNS] for _ in range(2))]
    left = [["Staff number", "Surname", "Left on"], *(["W9", "Rees", "2025-01-01"] for _ in range(5))]
    same = [list(COLUMNS), *([row_of[name] for name in COLUMNS] for _ in range(9))]
    spans = [(0, 0, 0, 3), (0, 4, 0, len(COLUMNS) - 1)]
    content = xlsx({"Establishment": force_rows, "Leavers": left, "Former staff": same}, spans)

    page = upload(client, content, name="hr.xlsx")

    (checked,) = [box for box in page.all("input") if box.get("checked") is not None]
    assert checked.get("value") == "0", page.text
    page = client.press(page, "Continue", sheet="0")
    assert "Person: surname" in page.text
    picked = selected_values(page)
    assert [picked[f"column_{name}"] for name in COLUMNS] == [str(n) for n in range(len(COLUMNS))]


def test_another_sheet_can_be_chosen_while_columns_are_matched(client, force):
    content = xlsx(
        {"Contacts": NOTES, "May": completions("W1"), "June": [*completions("W1"), ["W2", "x", "y"]]}
    )
    page = client.press(send(client, content), "Continue", sheet="0")
    assert "Read from the sheet “Contacts”." in page.text

    page = client.press(client.page(page.links["Choose another sheet"]), "Continue", sheet="2")

    assert "Read from the sheet “June”." in page.text
    assert db.session.scalars(select(ImportRun.rows)).all() == [2]


def test_a_roster_is_read_from_an_old_workbook_with_merged_names_and_not_from_a_picture(client):
    administrator(client)
    page = upload(client, b"\x89PNG\r\n\x1a\n" + bytes(200), name="roster.csv")
    assert "This is a picture, not a table. Save the table as XLSX or CSV, and upload that." in page.text
    values = row()
    over = ["" for _ in COLUMNS]
    over[1] = "Name"
    rows = [over, list(COLUMNS), [values[name] for name in COLUMNS]]

    page = upload(client, xls({"Roster": rows}, [(0, 1, 0, 2)]), name="roster.xls")

    assert "The columns’ names were joined from lines 1 and 2." in page.text
    assert "Name: surname" in page.text
