"""Files that no system of a force should write, and some does: told what is wrong before anything is done."""

from datetime import UTC, datetime

import pytest
import time_machine

from tests.domain.imports.desk import administrator, csv_of, row, upload, upload_and_check


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        yield


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(client, mark, name):
    administrator(client)

    page = upload(client, csv_of([row()]).replace(b",", mark.encode()))

    assert f"Line 1: its values are separated by {name}. Save the file as CSV with commas." in page.text


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
