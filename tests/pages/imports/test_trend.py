"""The trend on the page of imports, and what a file that was applied would change now."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from portal.domain.imports.models import ImportContent
from portal.domain.people.models import PersonName
from portal.platform.db import db
from tests.domain.imports.desk import administrator, csv_of, row, run_id, sections, upload_and_check
from tests.page_reading import H, words
from tests.pages.account.browsing import let_in

FIRST, SECOND, LATER = (datetime(2026, 6, day, 12, tzinfo=UTC) for day in (1, 2, 12))


pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(FIRST, tick=True):
        yield


def load(client, *rows, **fields):
    """Upload a roster of these rows, apply it, and return its page."""
    return client.press(upload_and_check(client, csv_of(rows), **fields), "Apply the import")


def lines(page, caption):
    """The cells of the table with this caption, line by line."""
    (table,) = (t for t in page.all("table") if words(next(t.iter(H + "caption"))) == caption)
    cells = [
        [words(cell) for cell in line if cell.tag in {H + "th", H + "td"}] for line in table.iter(H + "tr")
    ]
    return cells[1:]


def kept_files():
    return db.session.scalar(select(func.count(ImportContent.run_id)))


def test_rows_changes_and_refused_rows_are_shown_by_profile_and_day(client):
    administrator(client)
    load(client, row(), row("R2"), save_as="HR")
    upload_and_check(client, csv_of([row("R3", unit_path="")]))
    with time_machine.travel(SECOND, tick=True):
        let_in(client, "ADMIN")
        load(client, row(), row("R2", surname="Price"), save_as="HR")
        page = client.page("/imports")

        total = lines(page, "Imports of the last 30 days by profile")
        assert [line[:5] for line in total] == [
            ["No profileRoster", "1", "1", "0", "1"],
            ["HRRoster", "2", "4", "3", "0"],
        ]
        assert lines(page, "Imports by profile and day, newest first") == [
            ["No profileRoster", "1 June 2026", "1", "1", "0", "1"],
            ["HRRoster", "2 June 2026", "1", "2", "1", "0"],
            ["HRRoster", "1 June 2026", "1", "2", "2", "0"],
        ]
        shown = re.findall('aria-label="([^"]*hanges[^"]*)"', page.html)
        assert shown == ["No changes.", "Changes on 2 days; most, 2, on 1 June 2026."]


def test_a_file_that_was_applied_shows_what_it_would_change_now_while_it_is_kept(client):
    administrator(client)
    earlier = load(client, row())
    applied = load(client, row(), row("R2"))
    assert "The file itself was deleted." in client.page(f"/imports/{run_id(earlier)}").text
    load(client, row("R2", surname="Price"), save_as="Corrections")
    page = client.page(f"/imports/{run_id(applied)}")

    page = client.press(page, "See what this file would change now")

    assert sections(page)["Names and addresses that are corrected"] == [
        ["R2", "Price, Priya, r2@westshire.example", "Shah, Priya, r2@westshire.example"]
    ]
    assert db.session.scalar(select(PersonName.surname).where(PersonName.staff_number == "R2")) == "Price"
    client.press(client.page(page.links["Cancel this import"]), "Cancel and delete the file")
    assert kept_files() == 2, "one of each profile"
    with time_machine.travel(LATER, tick=True):
        let_in(client, "ADMIN")
        client.page("/imports")
        assert kept_files() == 0
