"""The four steps of an import as a person walks them."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from portal.db import Stamp, db
from portal.imports.models import ImportContent, ImportRun
from portal.people.models import Person
from tests.imports.desk import administrator, csv_of, row, sections, to_check


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        yield


def count(table):
    return db.session.scalar(select(func.count()).select_from(table))


def test_a_roster_goes_through_the_four_steps(client):
    administrator(client)
    before = count(Person)

    page = to_check(client, csv_of([row(), row("R2", surname="Price")]))

    assert page.h1 == "Every row is good"
    assert [line[1] for line in sections(page)["People who join"]] == ["R1", "R2"]
    assert count(Person) == before

    page = client.press(page, "Apply the import")

    assert page.h1 == "roster.csv was applied"
    assert count(Person) == before + 2
    assert count(ImportContent) == 0
    run = db.session.scalars(select(ImportRun)).one()
    assert run.stamp == db.session.scalar(select(func.max(Stamp.recorded_at)))
    assert run.sha256 in page.text
    assert "roster.csv" in client.page("/imports").text
