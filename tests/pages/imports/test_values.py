"""Files as other systems write them: what is beyond doubt is read, the rest is asked about once."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.imports import columns
from portal.domain.people.models import Identifier, Post
from portal.domain.people.queries import person_by_staff_number
from portal.domain.records.models import ImportedRecord, Record
from portal.platform.db import db, transaction
from portal.platform.tables.table_files import open_sheet
from tests.domain.imports.desk import administrator, csv_of, run_id, sections, selected_values, upload
from tests.domain.imports.rosters import run
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit

EXPORT = ("Collar No", "Course name", "Completed on", "Result", "Status")


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        yield


def export_row(number, course, when, result="85%", status="Completed"):
    return dict(zip(EXPORT, (number, course, when, result, status), strict=True))


@pytest.fixture
def force(client):
    place = make_unit("Westshire Police")
    people = [make_person(place, staff_number=f"W{n}") for n in range(1, 5)]
    make_version("respond", title="Respond: at the scene")
    make_version("protect", title="Protect: after the scene")
    administrator(client)
    return people


def records():
    """Who achieved what on which day, with the score."""
    rows = db.session.execute(
        select(Record.person_id, Record.achieved_on, ImportedRecord.score_scaled)
        .join(ImportedRecord, ImportedRecord.record_id == Record.id)
        .order_by(Record.person_id, Record.achieved_on)
    )
    return [(person, day, None if score is None else float(score)) for person, day, score in rows]


def test_an_export_of_another_system_goes_in_as_it_is(client, app, tmp_path, force):
    rows = [
        export_row("W1", "OIC - Respond (NCALT)", "14/03/2026 10:22"),
        export_row("W2", "OIC - Respond (NCALT)", "03/04/2026 00:00", "17/20"),
        export_row("W3", "Protect", "03/04/2026 09:00", "Passed"),
        export_row("W4", "Manual handling", "01/02/2026 09:00"),
        export_row("W4", "Protect", "", "", "In progress"),
    ]
    page = upload(client, csv_of(rows, EXPORT), "completions", "export.csv", shape="completion")
    picked = selected_values(page)
    assert [picked[f"column_{name}"] for name in ("person", "requirement", "achieved_at", "outcome")] == list(
        "0124"
    )
    page = client.press(
        page, "Check the file", **picked, fixed_source_system="Chronicle", save_as="Chronicle"
    )

    assert page.h1 == "Say what values of export.csv mean"
    assert "“OIC - Respond (NCALT)”, 2 rows" in page.text
    assert "“Protect”" not in page.text, "a title's first word is beyond doubt"
    answers = selected_values(page)
    assert answers == {"answer_0": "module/respond", "answer_1": ""}
    page = client.press(page, "Check the file", **answers)
    assert "Say what “Manual handling” means" in page.text
    page = client.press(page, "Check the file", **answers | {"answer_1": "-"})

    assert page.h1 == "Every row is good", page.text
    assert sections(page)["Left out"] == [["Manual handling", "1"], ["In progress", "1"]]
    client.press(page, "Apply the import")
    assert records() == [
        (force[0], date(2026, 3, 14), 0.85),
        (force[1], date(2026, 4, 3), 0.85),
        (force[2], date(2026, 4, 3), None),
    ]
    later = tmp_path / "later.csv"
    later.write_bytes(csv_of([export_row("W4", "OIC - Respond (NCALT)", "20/05/2026 10:00")], EXPORT))
    result = run(app, "records", "import", later, "--profile", "Chronicle")
    assert result.exit_code == 0, result.stderr
    assert records()[-1] == (force[3], date(2026, 5, 20), 0.85)
    later.write_bytes(csv_of([export_row("W4", "OIC - Reflect", "21/05/2026 10:00")], EXPORT))
    result = run(app, "records", "import", later, "--profile", "Chronicle")
    assert result.exit_code == 1
    assert "Line 2: “Course name”: “OIC - Reflect” is new." in result.stderr


def matrix(client, rows, heads=("Staff number", "Protect", "Training: Respond")):
    """Check a file with a row for each person."""
    content = csv_of([dict(zip(heads, row, strict=True)) for row in rows], heads)
    page = upload(client, content, "completions", "matrix.csv", shape="person")
    return client.press(page, "Check the file", **selected_values(page), fixed_source_system="LMS")


def test_words_for_not_completed_in_a_matrix_are_left_out_and_counted(client, force):
    page = matrix(
        client,
        [
            ("W1", "14/03/2026", "Not started"),
            ("W2", "-", "15/Mar/2026"),
            ("W3", "In progress", "Not started"),
            ("W4", "", "n/a"),
        ],
    )

    assert page.h1 == "Every row is good", page.text
    assert sections(page)["Left out"] == [
        ["Not started", "2"],
        ["-", "1"],
        ["In progress", "1"],
        ["n/a", "1"],
    ]
    client.press(page, "Apply the import")
    assert records() == [(force[0], date(2026, 3, 14), None), (force[1], date(2026, 3, 15), None)]


@pytest.mark.parametrize(
    ("days", "lines", "sentence"),
    [
        (
            ("14/03/2026", "03/14/2026", "02/03/2026", "2026-03-01"),
            ["2", "3", "4"],
            "mixes two orders of day and month, as in “14/03/2026” and “03/14/2026”",
        ),
        (("1772323200", "-", "85.00", "1772323300"), ["2", "4", "5"], "nothing in this column is a date"),
    ],
    ids=["two orders", "no dates"],
)
def test_a_column_that_cannot_be_read_says_why_of_each_of_its_rows(client, force, days, lines, sentence):
    page = matrix(client, [(f"W{n}", day, "") for n, day in enumerate(days, start=1)])

    assert page.h1 != "Every row is good"
    assert page.text.count(sentence) == len(lines)
    assert "is not a date" not in page.text
    assert not records()


@pytest.mark.parametrize(
    ("days", "day", "instant"),
    [
        (("14 Nov 2025", "30 Feb 2026"), "30 Apr 2026", "30 Apr 2026 09:15"),
        (("14-March-2026", "30-Feb-2026"), "30-April-2026", "30-April-2026 09:15"),
        (("14/03/2026 10:22", "30/02/2026 09:00"), "30/04/2026", "30/04/2026 09:15"),
        (("2026-03-14", "2026-02-30"), "2026-04-30", "2026-04-30 09:15"),
    ],
    ids=["words", "whole words", "numbers", "ISO"],
)
def test_reasons_have_the_columns_and_days_of_the_file(client, force, days, day, instant):
    rows = [export_row(number, "Respond", when) for number, when in zip(("W1", "W2"), days, strict=True)]
    rows += [export_row("W0000", "Respond", days[0]), export_row("", "Respond", days[0])]
    page = upload(client, csv_of(rows, EXPORT), "completions", "export.csv", shape="completion")

    page = client.press(page, "Check the file", **selected_values(page), fixed_source_system="LMS")

    assert page.h1 == "3 rows are bad", page.text
    fault = f"“Completed on” '{days[1]}' is not a date. Write it as {day}, or with the time as {instant}."
    assert fault in page.text
    assert "“Collar No” 'W0000' belongs to nobody in the portal." in page.text
    assert "“Collar No” is empty." in page.text
    rows = [export_row("W1", "Respond", instant), export_row("W2", "Respond", day)]
    page = upload(client, csv_of(rows, EXPORT), "completions", "export.csv", shape="completion")
    page = client.press(page, "Check the file", **selected_values(page), fixed_source_system="LMS")
    assert page.h1 == "Every row is good", "what the reason says to write is read"


def test_reasons_against_a_matrix_have_its_columns_and_days(client, force):
    page = matrix(client, [("W1", "14 Nov 2025", ""), ("W0000", "30 Feb 2026", "")])

    assert "“Staff number” 'W0000' belongs to nobody in the portal." in page.text
    assert "“When it was achieved” '30 Feb 2026' is not a date. Write it as 30 Apr 2026" in page.text


def test_a_page_opens_the_kept_file_once(client, force, monkeypatch):
    opened = []
    monkeypatch.setattr(
        columns, "open_sheet", lambda *args, **kwargs: opened.append(args) or open_sheet(*args, **kwargs)
    )

    def opens(do):
        opened.clear()
        page = do()
        return len(opened), page

    rows = [export_row("W1", "OIC - Respond", "14/03/2026 10:22"), export_row("W2", "Chess", "15/03/2026")]
    opens_of_upload, page = opens(
        lambda: upload(client, csv_of(rows, EXPORT), "completions", "export.csv", shape="completion")
    )
    assert opens_of_upload == 1 + 1, "the upload, and the page of columns to which it leads"
    picked = selected_values(page)
    opens_of_columns, page = opens(
        lambda: client.press(page, "Check the file", **picked, fixed_source_system="Chronicle")
    )
    assert page.h1 == "Say what values of export.csv mean"
    assert opens_of_columns == 1 + 1, "the columns, and the page of values to which they lead"
    answers = selected_values(page)
    opens_of_answers, page = opens(
        lambda: client.press(page, "Check the file", **answers | {"answer_1": "-"})
    )
    assert page.h1 == "Every row is good", page.text
    assert opens_of_answers == 1, "the check is of the file that the questions are of"
    assert opens(lambda: client.press(page, "Apply the import"))[0] == 1


def test_days_that_may_be_read_in_two_ways_are_asked_about(client, force):
    rows = [export_row("W1", "Respond", "03/04/2026"), export_row("W2", "Respond", "05/06/2026")]
    page = upload(client, csv_of(rows, EXPORT), "completions", "export.csv", shape="completion")
    page = client.press(page, "Check the file", **selected_values(page), fixed_source_system="LMS")

    assert "In the file: 03/04/2026, 05/06/2026" in page.text
    page = client.press(page, "Check the file", **selected_values(page))
    assert "in the future" in page.text, "day first is proposed, and 5 June is after today"


def test_people_are_found_by_whichever_number_is_theirs(client, force):
    with transaction():
        db.session.add(Identifier(person_id=force[0], scheme="payroll", value="778201"))
    row = export_row("778201", "Respond", "2026-03-04")
    page = upload(client, csv_of([row], EXPORT), "completions", "export.csv", shape="completion")

    assert selected_values(page)["person_by"] == "payroll"
    page = client.press(page, "Check the file", **selected_values(page), fixed_source_system="LMS")
    assert page.h1 == "Every row is good", page.text


def test_a_wrong_answer_is_taken_back_before_anything_is_recorded(client, force):
    rows = [export_row("W1", "Refresher", "2026-03-04")]
    page = upload(client, csv_of(rows, EXPORT), "completions", "export.csv", shape="completion")
    fixed = {"fixed_source_system": "LMS"}
    columns = client.press(page, "Check the file", **selected_values(page), **fixed)
    page = client.press(columns, "Check the file", answer_0="module/respond")
    assert sections(page)["New records"][0][3] == "respond (module)"

    page = client.page(f"/imports/{run_id(page)}/columns")
    page = client.press(page, "Check the file", **selected_values(page), **fixed, ask_again="y")
    page = client.press(page, "Check the file", answer_0="module/protect")

    assert sections(page)["New records"][0][3] == "protect (module)"


def test_every_other_course_is_left_out_with_one_tick(client, force):
    rows = [export_row("W1", "Respond", "2026-03-04")]
    rows += [export_row("W2", f"Course {n}", "2026-03-04") for n in range(6)]
    page = upload(client, csv_of(rows, EXPORT), "completions", "export.csv", shape="completion")
    page = client.press(
        page, "Check the file", **selected_values(page), fixed_source_system="LMS", save_as="LMS"
    )
    page = client.press(page, "Check the file", **selected_values(page), others_requirement="y")

    assert page.h1 == "Every row is good", page.text
    assert sections(page)["New records"][0][3] == "respond (module)"
    assert len(sections(page)["Left out"]) == 6


def test_units_ranks_and_roles_are_read_as_the_portal_knows_them(client):
    administrator(client)
    top = make_unit("Westshire Police")
    make_unit("Team A", make_unit("Response", top))
    make_person(top, staff_number="W1", rank="Constable", role="response")
    columns = ("Employee number", "Last name", "First name", "Rank", "Role", "Unit", "Start date")
    rows = [
        ("N1", "Rees", "Owen", "Constable", "response", "Team A", "1/3/2026"),
        ("N2", "Shah", "Priya", "PC", "Respnse", "Westshire Police > Response > Team A", "14/3/2026"),
        ("N3", "Okoro", "Ada", "Dog handler", "response", "The old team", "14/3/2026"),
    ]
    content = csv_of([dict(zip(columns, row, strict=True)) for row in rows], columns)

    page = upload(client, content)
    page = client.press(page, "Check the file", **selected_values(page), save_as="HR")

    asked = {"answer_1": "Constable", "answer_2": "", "answer_3": "response"}
    assert selected_values(page) == asked
    page = client.press(page, "Check the file", **asked)
    assert "Say what “The old team” means" in page.text
    assert "Say what “Dog handler” means" in page.text
    answers = asked | {"answer_0": "Westshire Police/Response/Team A", "answer_2": "Dog handler"}
    page = client.press(page, "Check the file", **answers)
    assert page.h1 == "Every row is good", page.text
    client.press(page, "Apply the import")
    posts = {
        number: db.session.scalar(select(Post).where(Post.person_id == person_by_staff_number(number)))
        for number in ("N1", "N2", "N3")
    }
    assert {post.unit_id for post in posts.values()} == {posts["N1"].unit_id}
    assert [post.rank_or_grade for post in posts.values()] == ["Constable", "Constable", "Dog handler"]
    assert [post.designated_role for post in posts.values()] == ["response"] * 3
    assert [post.valid_from for post in posts.values()] == [
        date(2026, 3, 1),
        date(2026, 3, 14),
        date(2026, 3, 14),
    ]


def test_the_portals_own_format_stays_strict(app, tmp_path, force):
    path = tmp_path / "own.csv"
    path.write_text(
        "staff_number,requirement_kind,requirement,achieved_at,score_scaled,source_system,evidence\n"
        "W1,module,Respond,14/03/2026,85%,LMS,\n"
    )
    result = run(app, "records", "import", path)

    assert result.exit_code == 1
    assert "there is no module 'Respond'" in result.stderr
    assert "'14/03/2026' is not a date. Write it as 2026-04-30, or with the time as 2026-04-30T09:15" in (
        result.stderr
    )
    assert "'85%' is not a number" in result.stderr
