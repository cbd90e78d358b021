"""What a file that was applied would change now."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from portal.domain.imports.models import ImportContent
from portal.domain.people.models import PersonName
from portal.platform.db import db
from tests.domain.imports.desk import administrator, csv_of, row, run_id, sections, upload_and_check
from tests.pages.account.browsing import let_in

FIRST, LATER = (datetime(2026, 6, day, 12, tzinfo=UTC) for day in (1, 12))


pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(FIRST, tick=True):
        yield


def load(client, *rows, **fields):
    """Upload a roster of these rows, apply it, and return its page."""
    return client.press(upload_and_check(client, csv_of(rows), **fields), "Apply the import")


def kept_files():
    return db.session.scalar(select(func.count(ImportContent.run_id)))


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
