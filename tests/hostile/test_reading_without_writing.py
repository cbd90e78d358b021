"""Every page that only reads is read while nothing can be written: a writer never ends, or the disk is full.

What must be recorded in order to be shown or taken is refused with a sentence, sooner than a writer gives up.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask_migrate import upgrade

from portal.platform.db import READER_SECONDS
from portal.platform.write_lock import BUSY_SECONDS
from tests.databases import close_database
from tests.hostile.desk_to_read import ROOMS
from tests.hostile.reading import (
    copied,
    fill,
    full_disk,
    let_time_pass,
    portal_at,
    signed_in,
    writer_that_never_ends,
)
from tests.logged import Log
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account
from tests.running import fresh_database

# Shown or handed over only where it is recorded who asked.
RECORDED = {
    "monitoring.briefing_pdf",
    "monitoring.completions_csv",
    "monitoring.completions_json",
    "monitoring.completions_pdf",
    "monitoring.completions_xlsx",
    "monitoring.people_csv",
    "monitoring.people_xlsx",
    "monitoring.download_file",
    "assurance.download_board",
    "packs.download_pack",
    "assurance.download_document",
    "monitoring.inspection_pack_zip",
    "authoring.download_items",
    "events.print_syndicates",
    "exercises.debrief_pdf",
    "exercises.debrief_zip",
    "audit.list_acts",
    "audit.show_disclosures",
    "audit.download_acts",
    "people.accounts_csv",
    "returns.comparison_json",
    "returns.download_received",
    "returns.download_return",
    "returns.national_csv",
    "returns.national_json",
    "returns.national_xlsx",
}
RECORDED_OF_OTHERS = {
    "people.show_person",
    "people.show_account",
    "people.close_account",
    "people.open_attempt",
    "people.subject_access",
    "records.show_record",
    "decisions.ask_decision",
    "decisions.request",
    "reminders.nudge_person",
}
SENTENCES = ("The portal is busy", "The portal cannot save anything at the moment")
WITHIN = BUSY_SECONDS / 2
# Logged with a writer's patience: no page waits for their thread.
FILES = {"monitoring.download_file", "packs.download_pack"}
Addresses = dict[str, tuple[str, bool]]
Statuses = dict[str, int]
Made = tuple[Path, str, Addresses, Statuses]


# Where, what stands in the way, and which share of the pages is read: one in so many.
CASES = [
    ("sqlite", "writer", 8),
    pytest.param("sqlite", "writer", 1, marks=pytest.mark.sweep),
    pytest.param("sqlite", "read-only", 1, marks=pytest.mark.sweep),
    pytest.param("sqlite", "full disk", 1, marks=pytest.mark.sweep),
    pytest.param("postgresql", "writer", 1, marks=[pytest.mark.postgresql, pytest.mark.sweep]),
    pytest.param("postgresql", "read-only", 1, marks=[pytest.mark.postgresql, pytest.mark.sweep]),
]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A folder, the server of its database, every address and what it usually answers; only copied."""
    folder, url = tmp_path_factory.mktemp("reading") / "instance", ""
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"), "reading")
    app = portal_at(folder, url)
    with app.app_context(), pytest.MonkeyPatch.context() as monkeypatch:
        upgrade()
        addresses = fill(app, monkeypatch)
        close_database()
    with _on_a_copy(folder, folder.with_name("usual"), url) as copy:
        with copy.app_context():
            client = signed_in(copy)
        usual = {address: status for address, (status, _, _) in _read(client, addresses).items()}
    return folder, url, addresses, usual


@pytest.fixture
def portal(made: Made, tmp_path: Path) -> Iterator[Flask]:
    """A portal on a copy, where everything that a page might note is due."""
    with _on_a_copy(made[0], tmp_path / "instance", made[1]) as app:
        yield app


@contextmanager
def _on_a_copy(folder: Path, target: Path, url: str) -> Iterator[Flask]:
    database = fresh_database(url, "reading_copy", template="reading") if url else ""
    app = portal_at(copied(folder, target), database)
    try:
        yield app
    finally:
        _let_go(app)


def _let_go(app: Flask) -> None:
    with app.app_context():
        close_database()


@contextmanager
def reader_of(app: Flask, way: str) -> Iterator[tuple[PortalClient, AbstractContextManager[None]]]:
    """Somebody signed in, and what makes the database refuse every change while they read."""
    with app.app_context():
        client = signed_in(app)
        let_time_pass(app)
    if way == "writer":
        yield client, writer_that_never_ends(app)
        return
    if way == "full disk":
        yield client, full_disk()
        return
    _let_go(app)
    config = app.config["PORTAL"]
    if config.database_url:
        with psycopg.connect(config.database_url, autocommit=True) as admin:
            admin.execute("ALTER DATABASE reading_copy SET default_transaction_read_only = on")
        again = portal_at(config.instance, config.database_url)
    else:
        again = portal_at(
            config.instance, f"sqlite:///file:{config.instance / 'portal.sqlite'}?mode=ro&uri=true"
        )
    moved = PortalClient(again)
    for cookie in client._cookies.values():
        moved.set_cookie(cookie.key, cookie.value)
    try:
        yield moved, nullcontext()
    finally:
        _let_go(again)


def _read(client: PortalClient, addresses: Addresses) -> dict[str, tuple[int, bool, bool]]:
    """Of each address: its status, whether it came in time, and whether it says why it was refused."""
    read = {}
    with client.application.app_context():
        for address in addresses:
            begun = time.monotonic()
            answer = client.get(address)
            took = time.monotonic() - begun
            said = answer.status_code == 503 and any(one in answer.text for one in SENTENCES)
            read[address] = (answer.status_code, took < WITHIN or answer.status_code == 200, said)
    return read


@pytest.mark.parametrize(("made", "way", "one_in"), CASES, indirect=["made"])
def test_every_page_that_only_reads_is_read(
    made: Made, portal: Flask, way: str, one_in: int, log: Log
) -> None:
    every, usual = made[2:]
    addresses = {address: every[address] for address in sorted(every)[::one_in]}
    with reader_of(portal, way) as (client, unwritable), unwritable:
        read = _read(client, addresses)

    wrong = []
    for address, (status, in_time, said) in read.items():
        endpoint, own = addresses[address]
        is_given = usual[address] != 404  # what is not there is not handed over, and so not recorded
        if is_given and (endpoint in RECORDED or (endpoint in RECORDED_OF_OTHERS and not own)):
            right = status == 503 and said
        elif (endpoint, way) == ("operations.readyz", "full disk"):
            right = status == 503
        else:
            right = status != 503 and (way == "read-only" or status == usual[address])
        if not right or not (in_time or endpoint in FILES):
            wrong.append(f"{address} ({endpoint}): {status}, in time: {in_time}, says why: {said}")
    assert not wrong, "\n".join(wrong)
    noted = [datetime.fromisoformat(line["at"]) for line in log.lines("not_noted")]
    assert all(later - earlier > timedelta(seconds=59) for earlier, later in pairwise(noted))
    assert READER_SECONDS < 1


@pytest.mark.parametrize("made", ["sqlite"], indirect=True)
def test_every_page_of_the_desk_and_of_returns_is_there_to_be_read(made: Made) -> None:
    """So that what is asked above is asked of the pages, and not of their absence."""
    addresses, usual = made[2:]

    of_rooms = {address: usual[address] for address in addresses if addresses[address][0].startswith(ROOMS)}

    assert len(of_rooms) > 50
    assert {address: status for address, status in of_rooms.items() if status != 200} == {}


def test_who_may_not_read_a_page_is_refused_at_once_though_that_cannot_be_recorded(tmp_path: Path) -> None:
    portal = portal_at(tmp_path / "instance")
    with portal.app_context():
        upgrade()
        make_account("L1")
        client = PortalClient(portal)
        let_in(client, "L1")
        with writer_that_never_ends(portal):
            begun = time.monotonic()
            status = client.get("/monitoring").status_code
            assert (status, time.monotonic() - begun < WITHIN) == (403, True)
    _let_go(portal)
