"""The four steps of an import as a person walks them."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
import time_machine
import xlsxwriter
from sqlalchemy import func, select

from portal.domain.imports import columns, services
from portal.domain.imports.models import ImportContent, ImportProfile, ImportRun
from portal.domain.imports.services import Upload
from portal.domain.people.models import Person, PersonName
from portal.domain.people.queries import person_by_staff_number
from portal.pages.imports.forms import MOST_BYTES
from portal.pages.imports.views import ENVELOPE
from portal.platform import clock
from portal.platform.db import Stamp, db, transaction
from portal.platform.tables.table_files import open_sheet
from tests.domain.imports.bad import BAD, bad_roster, corrected_roster
from tests.domain.imports.desk import (
    activity,
    administrator,
    csv_of,
    press_new,
    row,
    run_id,
    sections,
    selected_values,
    upload,
    upload_and_check,
)
from tests.domain.imports.rosters import COLUMNS, TEAM, run, write_csv
from tests.domain.status.facts import make_record
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit
from tests.page_reading import H, words
from tests.pages.account.browsing import let_in
from tests.pages.learning.asking import ask
from tests.pages.monitoring.counting import statements


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        yield


def count(table):
    return db.session.scalar(select(func.count()).select_from(table))


def apply(client, content, **fields):
    page = client.press(upload_and_check(client, content, **fields), "Apply the import")
    assert "was applied" in page.h1, page.text
    return page


def test_a_roster_goes_through_the_four_steps(client):
    administrator(client)
    before = count(Person)

    page = upload_and_check(client, csv_of([row(), row("R2", surname="Price")]))

    assert page.h1 == "Every row is good"
    assert [line[1] for line in sections(page)["People who join"]] == ["R1", "R2"]
    assert count(Person) == before

    page = client.press(page, "Apply the import")

    assert page.h1 == "roster.csv was applied"
    assert count(Person) == before + 2
    assert count(ImportContent) == 1, "for a week: see test_applied_file.py"
    kept = db.session.scalars(select(ImportRun)).one()
    assert kept.stamp == db.session.scalar(select(func.max(Stamp.recorded_at)))
    assert kept.sha256 in page.text
    assert kept.report is None  # names people, who may be erased later
    assert "roster.csv" in client.page("/imports").text


def test_a_workbook_is_checked_as_a_csv_is(client):
    administrator(client)
    line = row("X9", unit_path=TEAM)
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        sheet.write_row(1, 0, [line[name] for name in COLUMNS])
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_datetime(1, COLUMNS.index("valid_from"), datetime(2025, 1, 1), day)

    page = upload_and_check(client, content.getvalue(), name="roster.xlsx")

    assert sections(page) == sections(upload_and_check(client, csv_of([line])))
    assert sections(page)["People who join"][0][1:] == ["X9", "Constable, response", TEAM, "1 January 2025"]
    assert "was applied" in client.press(page, "Apply the import").h1


def test_a_file_beyond_the_limit_is_refused_with_a_page(client):
    administrator(client)
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="r.csv"\r\n\r\n'
    body += b"a" * (MOST_BYTES + ENVELOPE) + b"\r\n--x--\r\n"

    answer = client.post("/imports/roster/new", data=body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 413
    assert count(ImportRun) == 0


def test_every_bad_row_is_told_at_once_and_a_file_of_them_can_be_had(client):
    administrator(client)
    before = count(Person)

    page = upload_and_check(client, csv_of(bad_roster()))

    assert page.h1.endswith("rows are bad")
    assert "Apply the import" not in page.text
    lines = {line: reason for line, (_, reason, _) in enumerate(BAD, 3)}
    for line, reason in lines.items():
        assert any(cells[0] == str(line) and reason in cells[1] for cells in table(page, "Why it is bad")), (
            line,
            reason,
        )
    body = client.get(f"/imports/{run_id(page)}/bad-rows.csv").get_data(as_text=True)
    reported = list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"))))
    assert {line["line"] for line in reported} == {str(line) for line in lines}
    assert "'Z9' is nobody's staff number" in next(t["reason"] for t in reported if t["staff_number"] == "B7")
    digest = db.session.scalars(select(ImportRun.digest)).one()
    refused = client.post(f"/imports/{run_id(page)}/apply", data=token(page, expected=digest))
    assert refused.status_code == 409
    assert count(Person) == before

    apply(client, csv_of(corrected_roster()))

    assert person_by_staff_number("B12")


def table(page, head):
    for found in page.all("table"):
        if head in words(found):
            return [[words(cell) for cell in line.iter(H + "td")] for line in list(found.iter(H + "tr"))[1:]]
    return []


def token(page, **fields):
    return {"csrf_token": page.forms()[-1].fields["csrf_token"][0], **fields}


def test_the_check_tells_who_moves_leaves_comes_back_and_is_corrected(client):
    administrator(client)
    everyone = [row(f"R{n}", surname=f"Name {n}") for n in range(1, 7)]
    everyone[5]["valid_to"] = "2025-12-31"
    apply(client, csv_of(everyone))

    page = upload_and_check(
        client,
        csv_of(
            [
                {**everyone[0]},
                row("R1", surname="Name 1", valid_from="2026-06-01", designated_role="custody"),
                {**everyone[1], "valid_to": "2026-06-30"},
                {**everyone[2], "rank_or_grade": "Sergeant"},
                {**everyone[3], "surname": "Married"},
                row("R6", surname="Name 6", valid_from="2026-06-15"),
                row("R7", surname="Name 1"),
            ]
        ),
    )

    reported = sections(page)
    assert reported["People who move"][0][1:] == [
        "R1", f"Constable, response, {TEAM}", f"Constable, custody, {TEAM}", "1 June 2026"
    ]  # fmt: skip
    assert reported["People who leave"] == [["Name 2, Priya", "R2", "30 June 2026"]]
    assert reported["Posts that are corrected"][0][1:] == [
        "R3", "1 January 2025", "rank or grade: Constable becomes Sergeant"
    ]  # fmt: skip
    assert reported["Names and addresses that are corrected"][0][0] == "R4"
    assert [line[1] for line in reported["People who come back"]] == ["R6"]
    assert reported["People who join"][0][1] == "R7"
    assert reported["Possible duplicates"] == [["Name 1, Priya", "R7", "R1"]]
    assert ["Name 5, Priya", "R5"] in reported["People missing from the file"]
    assert "Nothing has been changed yet" in page.text


def test_a_unit_whose_people_all_go_to_a_new_path_was_perhaps_renamed(client):
    administrator(client)
    people = [row(f"R{n}", unit_path=f"Westshire Police/Old/Team {n % 2}") for n in range(4)]
    apply(client, csv_of(people))
    moved = [
        {**one, "valid_from": "2026-06-01", "unit_path": one["unit_path"].replace("Old", "New")}
        for one in people
    ]

    page = upload_and_check(client, csv_of([*people, *moved]))

    assert sections(page)["Units that were perhaps renamed or moved"] == [
        [
            "Westshire Police/Old", "Westshire Police/New", "4", "1 June 2026",
            'units rename "Westshire Police/Old" "Westshire Police/New" --on 2026-06-01',
        ]
    ]  # fmt: skip


def test_the_check_says_whom_each_directive_reaches_otherwise(client):
    administrator(client)
    make_version("protect")
    ask("protect")

    page = upload_and_check(client, csv_of([row("R1"), row("R2", designated_role="catering")]))

    assert sections(page)["Changes to directives"] == [["OIC-2026", "1", "0", "0"]]
    assert [line[:3] for line in sections(page)["OIC-2026: who joins, leaves or has a new due date"]] == [
        ["Shah, Priya", "R1", "Joins"]
    ]


def test_what_changed_since_the_check_is_shown_before_anything_is_done(client, app, tmp_path):
    administrator(client)
    apply(client, csv_of([row()]))
    page = upload_and_check(client, csv_of([row(designated_role="custody")]))
    run(app, "people", "import", write_csv(tmp_path / "r.csv", [row(), row(valid_from="2026-01-01")]))

    page = client.press(page, "Apply the import")

    assert "The portal has changed since this file was checked" in page.text
    assert page.h1 == "Every row is good"
    page = client.press(page, "Apply the import")
    assert "was applied" in page.h1


def test_a_change_that_does_not_concern_the_file_stops_nothing(client, app, tmp_path):
    administrator(client)
    version = make_version("protect")
    person = make_person(make_unit("Elsewhere"), staff_number="E1")
    page = upload_and_check(client, csv_of([row()]))
    make_record(person, activity(version), date(2026, 5, 1))

    assert "was applied" in client.press(page, "Apply the import").h1


def test_twice_is_once(client):
    administrator(client)
    apply(client, csv_of([row()]))
    before = count(Stamp)

    page = upload_and_check(client, csv_of([row()]))
    assert page.h1 == "Nothing to do"
    page = client.press(page, "Apply the import")

    assert "the portal had the same data already" in page.text
    assert count(Stamp) == before


def test_pressing_apply_a_second_time_does_nothing_again(client):
    administrator(client)
    page = upload_and_check(client, csv_of([row()]))
    client.press(page, "Apply the import")
    before = count(Stamp)

    again = client.post(f"/imports/{run_id(page)}/apply", data=token(page, expected="x"))

    assert again.status_code == 409
    assert count(Stamp) == before


def test_a_cancelled_import_changes_nothing_and_keeps_no_file(client):
    administrator(client)
    page = upload_and_check(client, csv_of([row()]))

    client.press(client.page(page.links["Cancel this import"]), "Cancel and delete the file")

    assert count(ImportContent) == 0
    assert "was cancelled" in client.page(f"/imports/{run_id(page)}").h1


def test_a_file_that_waits_for_a_week_is_removed_and_its_import_stays(client):
    administrator(client)
    page = upload_and_check(client, csv_of([row()]))
    with time_machine.travel(datetime(2026, 6, 9, 12, tzinfo=UTC), tick=True):
        let_in(client, "ADMIN")

        assert "left for a week" in client.page(f"/imports/{run_id(page)}").h1
        assert count(ImportContent) == 0


def test_columns_are_found_by_other_names_chosen_and_saved(client, app, tmp_path):
    administrator(client)
    theirs = {
        "Employee number": "X1", "Last name": "Rees", "First name": "Owen", "Rank": "Constable",
        "Where": TEAM, "Start date": "2025-03-01", "Shoe size": "9",
    }  # fmt: skip
    content = csv_of([theirs], tuple(theirs))

    page = upload(client, content)

    assert "Not used: Where, Shoe size" in page.text
    picked = selected_values(page)
    assert picked["column_staff_number"] == "0"
    page = client.press(page, "Check the file", **picked)
    assert "Choose the column for “Unit”" in page.text
    page = client.press(page, "Check the file", **picked, fixed_valid_from="2026-01-01")
    assert "Choose a column or enter one value for every row, not both" in page.text
    picked |= {
        "fixed_valid_from": "",
        "column_unit_path": "4",
        "fixed_designated_role": "response",
        "save_as": "HR",
    }
    page = press_new(client, client.press(page, "Check the file", **picked))
    assert page.h1 == "Every row is good"
    assert count(ImportProfile) == 1

    page = upload(client, content, profile="HR")
    assert "Matched as in “HR”" in page.text
    assert client.press(page, "Check the file", **selected_values(page)).h1 == "Every row is good"
    path = tmp_path / "hr.csv"
    path.write_bytes(content)
    result = run(app, "people", "import", path, "--profile", "HR")
    assert result.exit_code == 0, result.stderr
    assert db.session.get_one(PersonName, person_by_staff_number("X1")).surname == "Rees"
    other = csv_of([{"Number": "X1"}], ("Number",))
    path.write_bytes(other)
    result = run(app, "people", "import", path, "--profile", "HR")
    assert result.exit_code == 1
    assert "The file has no column “Employee number”" in result.stderr


def test_a_file_without_addresses_leaves_them_as_they_are(client):
    administrator(client)
    apply(client, csv_of([row("G1"), row("G2", email="")]))
    without = tuple(column for column in COLUMNS if column != "email")

    page = upload(client, csv_of([row("G1", surname="Newname"), row("G3")], without))
    page = client.press(page, "Check the file", **selected_values(page))

    assert "no address" not in page.text
    assert "was applied" in client.press(page, "Apply the import").h1
    g1 = db.session.get_one(PersonName, person_by_staff_number("G1"))
    assert (g1.surname, g1.email) == ("Newname", "g1@westshire.example")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty: its first line names the columns."),
        (b'"a\nb",c\n1,2\n', "name has more than 200 characters, or a line end in it."),
        (b"a,a\n1,2\n", "the column 'a' is there twice"),
        (b"\xff\xfe\n", "is not text in UTF-8, UTF-16 or Windows-1252"),
        (b"PK\x03\x04nothing", "is not a workbook that can be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused_beside_its_field(client, content, reason):
    administrator(client)

    page = upload(client, content)

    assert page.title.startswith("Error: ")
    assert reason in page.text
    assert count(ImportRun) == 0


def test_a_list_of_twenty_asks_as_often_as_one_of_two(client):
    person = administrator(client)
    counts = []
    for many in (2, 20):
        page = upload_and_check(client, csv_of([row(f"R{n}") for n in range(many)]))
        content = csv_of([row()])
        sheet = open_sheet(content, "r.csv")
        for _ in range(many):
            with transaction():
                upload_of_file = Upload("roster", "r.csv", content, sheet, columns.map_roster(sheet.columns))
                services.begin_import(upload_of_file, by=person, at=clock.now())
        for path in ("/imports", f"/imports/{run_id(page)}"):
            client.page(path)
            with statements() as run:
                client.page(path)
            counts.append(len(run))

    assert counts[:2] == counts[2:]
