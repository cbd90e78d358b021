"""What the tests of the audit desk share: a force, acts, and what a page of them says."""

import pytest
from flask import Flask

from portal.platform.audit import AuditEvent, log
from portal.platform.db import transaction
from tests.factories.people import make_grant, make_unit
from tests.page_reading import Page, words
from tests.pages.account.browsing import make_account

DESK = "/audit"


@pytest.fixture
def force(app: Flask, database: None) -> dict[str, int]:
    """D6001 and D9001 read the whole trail, D6002 the north's; D1001 is of the north, D2001 of the south."""
    top = make_unit("Force")
    units = {"top": top, "north": make_unit("North", top), "south": make_unit("South", top)}
    places = {"D6001": "top", "D9001": "top", "D6002": "north", "D1001": "north", "D2001": "south"}
    people = {number: make_account(number, unit=units[unit]) for number, unit in places.items()}
    make_grant(people["D6001"], "auditor")
    make_grant(people["D9001"], "administrator")
    make_grant(people["D6002"], "auditor", units["north"])
    return people | units


def act(action: str, by: int | None = None, on: int | None = None, **detail: object) -> AuditEvent:
    """An act, logged now."""
    with transaction():
        return log(action, actor_id=by, subject_id=on, **detail)


def table(page: Page) -> list[list[str]]:
    """The cells of each act of a page."""
    return [[words(cell) for cell in row] for row in page.all("tr")][1:]


def sentences(page: Page) -> list[str]:
    """What the acts of a page say, without their details."""
    return [row[1].split(" Details of")[0] for row in table(page)]
