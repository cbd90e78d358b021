"""A unit with a sergeant, two constables and two owners, under one directive; and what they press."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts import services
from portal.domain.directives.models import Directive
from portal.domain.status.queries import directive_statuses
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.domain.status.facts import add, make_activity, make_module_version, make_record, make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.kept import made_once
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import PASSWORD, another, let_in

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
TODAY = NOW.date()
ROAD = "/people/D1001"
BUTTONS = {"Grant": "grant", "Refuse": "refuse", "Show what would change": "preview"}


def count_rows(model: Any) -> int:
    """Rows of a table."""
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@dataclass
class Desk:
    """Ids and browsers by staff number."""

    app: Flask
    move_to: Callable[..., None]
    people: dict[str, int] = field(default_factory=dict)
    activities: dict[int, int] = field(default_factory=dict)
    browsers: dict[str, PortalClient] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    directive: int = 0
    unit: int = 0

    def move_clock(self, instant: str) -> None:
        """Move the clock; everyone signs in again."""
        self.move_to(instant, tick=False)
        self.browsers.clear()

    def browser_of(self, staff_number: str) -> PortalClient:
        """The browser of this person, signed in once."""
        if staff_number not in self.browsers:
            if staff_number not in self.accounts:  # hashing a password costs a tenth of a second
                with transaction():
                    services.set_password(self.people[staff_number], PASSWORD, clock.now())
                self.accounts.add(staff_number)
            client = self.browsers[staff_number] = another(self.app)
            let_in(client, staff_number)
        return self.browsers[staff_number]

    def ask(self, kind: str, by: str = "D2001", *, status: int = 200, **fields: str) -> Page:
        """Fill the form for D1001 and send it."""
        client = self.browser_of(by)
        return client.press(client.page(f"{ROAD}/ask/{kind}"), "Send request", status, **fields)

    def ask_for_exemption(self, by: str = "D2001", *, status: int = 200, **fields: str) -> Page:
        """An exemption for a secondment from today on."""
        given = {"about": "OIC-2026", "from_on": "1 June 2026", "reason": "secondment", **fields}
        return self.ask("exemption", by, status=status, **given)

    def path_of_waiting_request(self, by: str = "D4001") -> str:
        """The address of the newest request that this person may decide."""
        page = self.browser_of(by).page("/decisions")
        return next(href for href in page.links.values() if href.count("/") == 2 and "decisions/" in href)

    def decide(self, button: str, by: str = "D4001", *, status: int = 200, **more: str) -> Page:
        """Open the newest request that waits and press a button of the form that decides."""
        client = self.browser_of(by)
        page = client.page(self.path_of_waiting_request(by))
        return client.press(page, button, status, **{BUTTONS[button]: "y"}, **more)

    def file_rows(self) -> list[dict[str, str]]:
        """The rows of D1001 in the completion file, by requirement."""
        answer = self.browser_of("D2001").get("/monitoring/directives/OIC-2026/completions.csv")
        rows = csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")))
        return [row for row in rows if row["staff_number"] == "D1001"]

    def status_of(self, day: date = TODAY, known: datetime | None = None, who: str = "D1001") -> str:
        """The status of a person under the directive."""
        (whole,) = directive_statuses(self.people[who], day, known)
        return whole.status.key


def make_desk(app: Flask, move_to: Callable[..., None]) -> Desk:
    """The unit: D1001 has to complete two modules since April; D1002 has completed both."""
    return Desk(app, move_to, **make_ids())


@made_once
def make_ids() -> dict[str, Any]:
    unit = make_unit("Response")
    numbers = ("D1001", "D1002", "D2001", "D4001", "D4002")
    people = {number: make_person(unit, staff_number=number) for number in numbers}
    make_grant(people["D2001"], "manager", unit)
    make_grant(people["D4001"], "directive-owner")
    make_grant(people["D4002"], "directive-owner")
    activities = {1: make_activity(), 2: make_activity()}
    for activity in activities.values():
        make_module_version(activity)
        make_record(people["D1002"], activity, date(2026, 4, 18))
    directive = add(Directive(reference="OIC-2026"))
    make_version(directive, activities, effective_on=date(2026, 1, 1))
    return {"people": people, "activities": activities, "directive": directive, "unit": unit}
