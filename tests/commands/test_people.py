"""``people import``: what a person types, what they read, and what is held afterwards."""

from datetime import UTC, date, datetime

import pytest
import time_machine
import xlsxwriter
from sqlalchemy import func, select

from portal.domain.people.models import Person, PersonName, Post, UnitState
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import person_by_staff_number, unit_paths
from portal.platform.audit import AuditEvent
from portal.platform.db import OPEN_END, Stamp, db
from tests.domain.imports.rosters import COLUMNS, TEAM, row, run, write_csv


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        yield


def count(table):
    return db.session.scalar(select(func.count()).select_from(table))


def held(number="R1", key=""):
    rows = db.session.execute(
        select(Post.valid_from, Post.valid_to, Post.designated_role)
        .where(is_known_fact(Post), Post.person_id == person_by_staff_number(number), Post.post_key == key)
        .order_by(Post.valid_from)
    )
    return [
        (start.isoformat(), "" if end == OPEN_END else end.isoformat(), role) for start, end, role in rows
    ]


def load(app, tmp_path, *rows, options=()):
    return run(app, "people", "import", write_csv(tmp_path / "roster.csv", rows), *options)


def test_a_roster_makes_people_posts_and_units(app, tmp_path):
    manager = row("R2", surname="Price", rank_or_grade="Sergeant")

    result = load(app, tmp_path, row(line_manager_staff_number="R2"), manager)

    assert result.exit_code == 0
    assert "New people: 2\nNew posts: 2\n" in result.stdout
    assert (
        f"Units created: 3\n  Westshire Police\n  Westshire Police/Local Policing\n  {TEAM}" in result.stdout
    )
    post = db.session.scalars(select(Post).where(Post.person_id == person_by_staff_number("R1"))).one()
    assert unit_paths(date(2025, 1, 1))[post.unit_id] == TEAM
    assert post.line_manager_id == person_by_staff_number("R2")
    assert held() == [("2025-01-01", "", "response")]


def test_a_dry_run_says_the_same_and_changes_nothing(app, tmp_path):
    result = load(app, tmp_path, row(), options=["--dry-run"])

    assert result.exit_code == 0
    assert "New people: 1" in result.stdout
    assert "Read 1 row.\n" in result.stderr
    assert "Dry run: nothing was changed." in result.stdout
    assert (count(Person), count(Post), count(UnitState), count(Stamp)) == (0, 0, 0, 0)


def test_twice_is_the_same_as_once(app, tmp_path):
    rows = [row(), row("R2", post_key="acting", valid_from="2025-03-01", valid_to="2025-04-30"), row("R2")]
    load(app, tmp_path, *rows)
    before = (count(Person), count(Post), count(UnitState), count(Stamp), count(AuditEvent))

    result = load(app, tmp_path, *rows)

    assert result.exit_code == 0
    assert "Unchanged posts: 3" in result.stdout
    assert "Nothing to do." in result.stdout
    assert (count(Person), count(Post), count(UnitState), count(Stamp), count(AuditEvent)) == before


def test_a_later_post_cuts_the_one_before_for_good(app, tmp_path):
    load(app, tmp_path, row())
    load(app, tmp_path, row(valid_from="2025-03-01", valid_to="2025-03-31", designated_role="custody"))

    assert held() == [("2025-01-01", "2025-02-28", "response"), ("2025-03-01", "2025-03-31", "custody")]


def test_an_earlier_post_ends_the_day_before_the_one_held(app, tmp_path):
    load(app, tmp_path, row(valid_from="2025-03-01"))
    load(app, tmp_path, row(designated_role="custody"))

    assert held() == [("2025-01-01", "2025-02-28", "custody"), ("2025-03-01", "", "response")]


def test_the_same_first_day_is_a_correction(app, tmp_path):
    load(app, tmp_path, row())
    result = load(app, tmp_path, row(designated_role="custody", valid_to="2026-01-31"))

    assert "Corrected posts: 1" in result.stdout
    assert held() == [("2025-01-01", "2026-01-31", "custody")]
    assert count(Post) == 2  # the first is still there, replaced


def test_an_empty_end_opens_a_post_again(app, tmp_path):
    load(app, tmp_path, row(valid_to="2026-01-31"))
    load(app, tmp_path, row())

    assert held() == [("2025-01-01", "", "response")]


def test_withdrawing_voids_a_post_and_may_be_repeated(app, tmp_path):
    load(app, tmp_path, row(), row(valid_from="2025-03-01"))
    gone = {"staff_number": "R1", "valid_from": "2025-03-01", "withdraw": "yes"}

    first, second = (load(app, tmp_path, gone) for _ in range(2))

    assert "Withdrawn posts: 1" in first.stdout
    assert second.exit_code == 0
    assert "Nothing to do." in second.stdout
    assert held() == [("2025-01-01", "2025-02-28", "response")]


def test_another_key_may_overlap(app, tmp_path):
    load(app, tmp_path, row(), row(post_key="acting", valid_from="2025-03-01", valid_to="2025-03-31"))

    assert held() == [("2025-01-01", "", "response")]
    assert held(key="acting") == [("2025-03-01", "2025-03-31", "response")]


def test_who_and_what_is_missing_stays_and_is_listed(app, tmp_path):
    load(app, tmp_path, row(), row("R2"), row("R3"), row("R3", post_key="acting"))
    result = load(app, tmp_path, row(), row("R3"))

    assert "People missing from the file: 1\n  R2\n" in result.stdout
    assert "Posts missing from the file: 1\n  R3 from 1 January 2025 (acting)\n" in result.stdout
    assert held("R2") == [("2025-01-01", "", "response")]


def test_names_are_corrected_and_audited_without_their_words(app, tmp_path):
    load(app, tmp_path, row(), row("R2"))
    swapped = [row(email="r2@westshire.example"), row("R2", email="R1@westshire.example", surname="Price")]
    result = load(app, tmp_path, *swapped)

    assert "Corrected names: 2" in result.stdout
    named = db.session.get(PersonName, person_by_staff_number("R2"))
    assert (named.surname, named.email) == ("Price", "r1@westshire.example")
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "person.names_corrected")).all()
    assert {e.subject_id: e.detail for e in events} == {
        person_by_staff_number("R1"): {"parts": ["email"]},
        person_by_staff_number("R2"): {"parts": ["surname", "email"]},
    }


def test_a_unit_stands_from_its_first_post_even_where_that_comes_later(app, tmp_path):
    load(app, tmp_path, row(valid_from="2025-03-01"))
    load(app, tmp_path, row("R2", valid_from="2024-02-01"))

    assert TEAM in unit_paths(date(2024, 2, 1)).values()
    assert list(unit_paths(date(2025, 3, 1)).values()).count(TEAM) == 1


def test_a_slash_in_a_name_is_written_twice(app, tmp_path):
    load(app, tmp_path, row(unit_path="Westshire Police/Serious//Organised"))

    names = set(db.session.scalars(select(UnitState.name)))
    assert names == {"Westshire Police", "Serious/Organised"}


def test_a_file_with_a_byte_order_mark_and_columns_in_any_order(app, tmp_path):
    path = write_csv(tmp_path / "r.csv", [row()], columns=COLUMNS[::-1], encoding="utf-8-sig")

    assert run(app, "people", "import", path).exit_code == 0
    assert held() == [("2025-01-01", "", "response")]


def test_a_workbook_says_the_same_as_a_csv(app, tmp_path):
    path = tmp_path / "roster.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, COLUMNS)
        values = row("1001")
        for column, name in enumerate(COLUMNS):
            sheet.write_string(1, column, values[name])
        sheet.write_number(1, 0, 1001)
        sheet.write_datetime(1, COLUMNS.index("valid_from"), datetime(2025, 1, 1), day)
        sheet.write_formula(1, COLUMNS.index("surname"), '="Pr"&"ice"', None, "Price")

    assert run(app, "people", "import", path).exit_code == 0
    assert held("1001") == [("2025-01-01", "", "response")]
    assert db.session.get(PersonName, person_by_staff_number("1001")).surname == "Price"


BAD = [
    ({"staff_number": ""}, "Line 3: staff_number is empty."),
    ({"surname": ""}, "Line 3: surname is empty."),
    ({"forenames": " "}, "Line 3: forenames is empty."),
    ({"rank_or_grade": ""}, "Line 3: rank_or_grade is empty."),
    ({"designated_role": ""}, "Line 3: designated_role is empty."),
    ({"unit_path": ""}, "Line 3: unit_path is empty."),
    ({"unit_path": "Westshire Police//"}, "Line 3: The unit path 'Westshire Police//' has an empty name"),
    ({"valid_from": ""}, "Line 3: valid_from is empty."),
    ({"valid_from": "01/02/2025"}, "Line 3: valid_from '01/02/2025' is not a date."),
    ({"valid_from": "20250102"}, "Line 3: valid_from '20250102' is not a date."),
    ({"valid_to": "2025-02-30"}, "Line 3: valid_to '2025-02-30' is not a date."),
    ({"valid_to": "2024-12-31"}, "Line 3: valid_to 2024-12-31 lies before valid_from 2025-01-01."),
    ({"email": "r2"}, "Line 3: email 'r2' is not an email address."),
    ({"email": "R1@westshire.example"}, "Line 3: email 'r1@westshire.example' is that of R1 too."),
    ({"email": "held@westshire.example"}, "Line 3: email 'held@westshire.example' is that of HELD too."),
    ({"staff_number": "held"}, "Line 3: staff number 'held' is in the portal as 'HELD'."),
    ({"staff_number": "r1"}, "Line 3: staff number 'r1' is further up in this file as 'R1'."),
    ({"line_manager_staff_number": "R9"}, "Line 3: line_manager_staff_number 'R9' is nobody's staff number"),
    ({"withdraw": "maybe"}, "Line 3: withdraw is 'maybe'."),
    ({"withdraw": "yes"}, "Line 3: R2 has no post from 2025-01-01 to withdraw."),
    (
        {"staff_number": "R1", "email": "r1@westshire.example"},
        "Line 3: R1 has a post from 2025-01-01 on line 2",
    ),
    (
        {
            "staff_number": "R1",
            "email": "r1@westshire.example",
            "valid_from": "2025-02-01",
            "surname": "Price",
        },
        "Line 3: surname differs from that on line 2, same person.",
    ),
    (
        {"staff_number": "HELD", "email": "held@westshire.example", "valid_to": "2025-06-01"},
        "Line 3: valid_to 2025-06-01 overlaps the next post, which begins on 2025-06-01.",
    ),
    ({"surname": "Sh\x01ah"}, "Line 3: surname has a control character in it."),
    ({"surname": "S" * 2001}, "Line 3: surname is longer than 2,000 characters."),
]


@pytest.mark.parametrize(("different", "reason"), BAD)
def test_a_bad_row_is_told_with_its_line_and_nothing_is_changed(app, tmp_path, different, reason):
    load(app, tmp_path, row("HELD", valid_from="2025-06-01"))
    before = count(Post)

    result = load(
        app, tmp_path, row(), row("R2", **different) if "staff_number" not in different else row(**different)
    )

    assert result.exit_code == 1
    assert reason in result.stderr
    assert result.stdout == ""
    assert count(Post) == before


def test_every_bad_row_is_told(app, tmp_path):
    result = load(app, tmp_path, row(surname="", valid_from="soon"), row("R2"), row("R3", email="x"))

    assert [line for line in result.stderr.splitlines() if line.startswith("Line")] == [
        "Line 2: surname is empty.",
        "Line 2: valid_from 'soon' is not a date. Write it as 2026-04-30.",
        "Line 4: email 'x' is not an email address.",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"staff_number,shoe_size\n", "Line 1: the column 'shoe_size' is unknown."),
        (b"staff_number\n", "Line 1: the column 'surname' is missing."),
        (",".join([*COLUMNS, "surname"]).encode(), "Line 1: the column 'surname' is there twice."),
        (",".join(COLUMNS).encode() + b"\nR1,Shah\n", "Line 2: has 2 values where the first line names 10"),
        (",".join(COLUMNS).encode() + b"\nR1,\xff\n", "Line 2: is not UTF-8."),
        (",".join(COLUMNS).encode() + b'\n"R1"x,\n', "Line 2: is not CSV as RFC 4180 has it"),
        (b"PK\x03\x04 no workbook", "is not a workbook that can be read"),
    ],
)
def test_a_file_that_is_no_roster_is_refused(app, tmp_path, content, reason):
    path = tmp_path / "roster.csv"
    path.write_bytes(content)

    result = run(app, "people", "import", path)

    assert result.exit_code == 1
    assert reason in result.stderr


def test_wrong_use_has_its_own_code(app, tmp_path):
    assert run(app, "people", "import", tmp_path / "nowhere.csv").exit_code == 2
