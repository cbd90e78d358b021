"""Asking again: an answer of now is known to be the same without being made, until a stamp or midnight."""

import gzip
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from portal.domain.access_tokens import TokenScope
from portal.domain.people.models import PersonName
from portal.platform.audit import AuditEvent
from portal.platform.db import db, newest_stamp
from tests.domain.imports.rosters import COLUMNS as ROSTER
from tests.domain.imports.rosters import row as roster_row
from tests.pages.api.calling import COMPLETIONS, system
from tests.pages.api.test_writing import exclusion_file, record_file
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.world import TODAY, make_world

FILE = "/directives/OIC-2026/files/completions.csv"
LISTS = (
    "/people",
    "/people/D1001",
    "/directives",
    "/directives/OIC-2026/status",
    COMPLETIONS,
    "/records",
    FILE,
)
MIDNIGHT = TODAY.replace(hour=23, minute=0)  # in London, in summer


@pytest.fixture
def world(database):
    with time_machine.travel(TODAY, tick=False):
        yield make_world()


@pytest.fixture
def caller(app, world):
    return system(app, TokenScope.WRITE)


def ask_again(caller, path):
    """The path asked for, and asked for again with the tag of the first answer."""
    first = caller.ask(path)
    return first, caller.ask(path, headers={"If-None-Match": first.headers["ETag"]})


@pytest.mark.parametrize("path", LISTS)
def test_what_is_known_to_be_the_same_is_not_made_again(caller, path):
    tag = {"If-None-Match": caller.ask(path).headers["ETag"]}
    acts = db.session.scalar(select(func.count()).select_from(AuditEvent))
    with statements() as run:
        again = caller.ask(path, headers=tag)

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag["If-None-Match"])
    assert "RateLimit" in again.headers
    assert len([text for text in run if "SAVEPOINT" not in text]) == 2  # the token, and the newest stamp
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == acts  # nobody's data was sent


def names_file(surname):
    """A roster with another surname for somebody, and their post as it is."""
    name = db.session.execute(
        select(PersonName.staff_number, PersonName.email).where(PersonName.staff_number == "N2")
    ).one()
    changed = roster_row(name.staff_number, surname=surname, email=name.email or "")
    return "\n".join([",".join(ROSTER), ",".join(changed[column] for column in ROSTER)])


@pytest.mark.parametrize(
    ("address", "make_file"),
    [
        ("/roster", lambda: names_file("Newname")),
        ("/records", lambda: record_file("N2")),
        ("/exclusions", lambda: exclusion_file("N2")),
    ],
    ids=["name", "record", "exemption"],
)
def test_whatever_is_recorded_ends_every_tag(caller, address, make_file):
    tags = {path: caller.ask(path).headers["ETag"] for path in LISTS}
    before = newest_stamp()
    with time_machine.travel(TODAY + timedelta(minutes=5), tick=False):
        sent = caller.send(address, make_file())
        assert sent.get_json()["state"] == "applied", sent.text
        assert newest_stamp() > before
        for path, tag in tags.items():
            assert caller.ask(path, headers={"If-None-Match": tag}).status_code == 200, path


def test_a_name_alone_ends_a_tag_too(caller):
    caller.send("/roster", names_file("Before"))
    first = caller.ask("/people/N2")
    assert caller.send("/roster", names_file("After")).get_json()["state"] == "applied"

    second = caller.ask("/people/N2", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.get_json()["surname"], second.get_json()["surname"]) == ("Before", "After")


def test_midnight_ends_a_tag(caller):
    tag = {"If-None-Match": caller.ask(COMPLETIONS).headers["ETag"]}
    with time_machine.travel(MIDNIGHT - timedelta(seconds=1), tick=False):
        assert caller.ask(COMPLETIONS, headers=tag).status_code == 304
    with time_machine.travel(MIDNIGHT, tick=False):
        assert caller.ask(COMPLETIONS, headers=tag).status_code == 200


def test_a_tag_is_of_one_address_its_arguments_and_one_token(app, world, caller):
    other = system(app, unit=world.units["north"])
    people = ("/people", "/people?limit=2", "/people?as_at=2026-05-01", "/people/D1001", "/people/D2001")
    asked = [caller.ask(path).headers["ETag"] for path in (*people, "/records")]
    tags = [*asked, other.ask("/people").headers["ETag"]]

    assert len(set(tags)) == len(tags)
    for tag in tags[1:]:
        assert caller.ask("/people", headers={"If-None-Match": tag}).status_code == 200
    assert caller.ask("/people", headers={"If-None-Match": ", ".join(tags)}).status_code == 304


@pytest.mark.parametrize(
    "value", ["*", '"x"', "W/", "'", ",,,", '"' + "x" * 4_000 + '"'], ids=lambda v: v[:4]
)
def test_any_header_is_met_with_what_there_is(caller, value):
    status = 304 if value == "*" else 200
    assert caller.ask("/people", headers={"If-None-Match": value}).status_code == status
    assert caller.ask("/people/nobody", headers={"If-None-Match": value}).status_code == 404
    assert caller.ask("/people?limit=x", headers={"If-None-Match": value}).status_code == 400


def test_what_was_known_then_keeps_its_tag(caller):
    first, again = ask_again(caller, "/people?as_known_on=2026-05-01T00:00:00Z")
    assert again.status_code == 304
    assert not first.headers["ETag"].startswith("W/")
    with time_machine.travel(TODAY + timedelta(minutes=5), tick=False):
        caller.send("/records", record_file("N2"))
        tag = {"If-None-Match": first.headers["ETag"]}
        assert caller.ask("/people?as_known_on=2026-05-01T00:00:00Z", headers=tag).status_code == 304


def test_a_compressed_answer_is_known_again_too(caller):
    packed = {"Accept-Encoding": "gzip"}
    plain = caller.ask(COMPLETIONS)
    first = caller.ask(COMPLETIONS, headers=packed)

    again = caller.ask(COMPLETIONS, headers=packed | {"If-None-Match": first.headers["ETag"]})

    assert first.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(first.data) == plain.data
    assert first.headers["ETag"].startswith("W/")
    assert (again.status_code, again.data) == (304, b"")
