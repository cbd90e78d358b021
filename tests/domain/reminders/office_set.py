"""A relay of the tests' own that the portal's settings name, and those whom mail about accounts goes to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from flask import Flask
from sqlalchemy import update

from portal.domain.people.models import PersonName
from portal.platform.db import db, transaction
from tests.domain.reminders.post_office import Office, open_office
from tests.factories.people import make_grant, make_unit
from tests.kept import made_once
from tests.pages.account.browsing import make_account


@contextmanager
def set_office(app: Flask, **more: object) -> Iterator[Office]:
    """The relay is open and named while this lasts; ``more`` are other settings."""
    before = app.config["PORTAL"]
    with open_office() as opened:
        given: dict[str, object] = {
            "smtp_host": "127.0.0.1",
            "smtp_port": opened.port,
            "smtp_tls": "none",
            "smtp_from": "Learning portal <learning@westshire.example>",
            "smtp_per_minute": 60_000,
            "smtp_seconds": 60,
            **more,
        }
        app.config["PORTAL"] = replace(before, **given)
        try:
            yield opened
        finally:
            app.config["PORTAL"] = before


@made_once
def make_administrators() -> dict[str, int]:
    """Three administrators of the force, one each of the north and the south, and D1001 of the north."""
    force = make_unit("Force")
    north, south = make_unit("North", force), make_unit("South", force)
    people = {"north": north, "south": south}
    for number, unit in (("D9001", force), ("D9002", force), ("D9003", force), ("D1001", north)):
        people[number] = make_account(number, unit=unit)
        set_surname(people[number], f"Name {number}")
    for number in ("D9001", "D9002", "D9003"):
        make_grant(people[number], "administrator")
    for number, unit in (("D9004", north), ("D9005", south)):
        people[number] = make_account(number, unit=unit)
        make_grant(people[number], "administrator", unit)
    return people


def set_surname(person: int, surname: str) -> None:
    """Name this person so."""
    with transaction():
        db.session.execute(update(PersonName).where(PersonName.person_id == person).values(surname=surname))
