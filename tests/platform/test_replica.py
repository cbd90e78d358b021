"""Reports come from a real streaming replica once it has replayed what they are pinned to."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import time_machine
from sqlalchemy import event, select

from config import Config
from portal.domain.catalogue.models import Activity
from portal.domain.people.queries import COMMAND_LINE
from portal.domain.reports.parameters import Order
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.pages.layout.report_position import parse_position_now
from portal.platform import clock, replica
from portal.platform.db import db, newest_stamp, stamp, transaction
from portal.platform.engines import REPLICA
from portal.platform.replica import newest_replayed_stamp
from tests.databases import forget_published_content, portal_on
from tests.domain.status.facts import make_record
from tests.page_reading import PortalClient
from tests.postgres import QUICK, Postgres, Replica
from tests.running import PASSWORD, command, settings
from tests.waiting import until

pytestmark = [pytest.mark.postgresql, pytest.mark.slow]

FORCE = ("--people", "20", "--seed", "5")
REPORT = "/monitoring/directives/OIC-2026"


class Visitor(PortalClient):
    """A browser each of whose requests has a session of its own, as a server gives it."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Ask for a page."""
        with self.application.app_context():
            return super().open(*args, **kwargs)

    def sign_in(self, staff_number: str) -> "Visitor":
        """Sign in with a password."""
        self.press(self.page("/sign-in"), "Sign in", name=staff_number, password=PASSWORD)
        return self


@pytest.fixture(scope="module")
def servers() -> Iterator[SimpleNamespace]:
    """A database with a small force, and its replica."""
    quick = (*QUICK, "hot_standby_feedback=on")
    primary = Postgres(quick)
    try:
        follower = Replica(primary, quick)
        try:
            yield SimpleNamespace(primary=primary, replica=follower)
        finally:
            follower.end()
    finally:
        primary.end()


@pytest.fixture(scope="module")
def portal(servers: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A portal that reads reports from the replica."""
    instance: Path = tmp_path_factory.mktemp("instance")
    for words in (("db", "upgrade"), ("demo", "create", *FORCE)):
        done = command(settings(instance, database_url=servers.primary.address), *words)
        assert done.returncode == 0, done.stderr
    forget_published_content()
    addresses = {"database_url": servers.primary.address, "replica_url": servers.replica.address}
    with portal_on(Config(mode="demo", instance=instance, demo_password=PASSWORD, **addresses)) as app:
        yield app
        with app.app_context():
            db.engines[REPLICA].dispose()


@pytest.fixture
def auditor(portal: Any) -> Visitor:
    """Signed in, and sees everyone."""
    return Visitor(portal).sign_in("D6001")


@contextmanager
def counted(portal: Any) -> Iterator[list[str]]:
    """The statements that the replica was asked within the block."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    with portal.app_context():
        engine = db.engines[REPLICA]
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def paused(follower: Replica) -> Iterator[None]:
    """The replica receives what is committed, and replays none of it."""
    with psycopg.connect(follower.address, autocommit=True) as admin:
        admin.execute("SELECT pg_wal_replay_pause()")
        state = "SELECT pg_get_wal_replay_pause_state()"
        try:
            until(lambda: admin.execute(state).fetchone() == ("paused",))
            yield
        finally:
            admin.execute("SELECT pg_wal_replay_resume()")


def record_something(portal: Any) -> str:
    """A fact's stamp, committed; the instant before it as an address takes it."""
    with portal.app_context():
        before = clock.format_utc(clock.now())
        with transaction():
            stamp()
        return before


def read_report() -> CompletionReport:
    """The report of this moment, with everyone."""
    return completion_report(COMMAND_LINE, "OIC-2026", parse_position_now("", ""))


def reports(asked: list[str]) -> bool:
    """Whether statuses were read, and not only the newest stamp."""
    return any("status_" in statement for statement in asked)


def test_reports_and_files_are_read_from_the_replica_and_are_the_same(portal, servers, auditor):
    with counted(portal) as asked:
        page, overview = auditor.page(REPORT), auditor.page("/monitoring")
        file = auditor.get(f"{REPORT}/completions.csv").text
    here = Config(mode="demo", instance=Path(portal.instance_path), database_url=servers.primary.address)
    with portal_on(here) as other:
        alone = Visitor(other).sign_in("D6001")

        assert alone.page(REPORT).text == page.text
        assert alone.page("/monitoring").text == overview.text
        assert alone.get(f"{REPORT}/completions.csv").text == file
    assert reports(asked)
    assert file.count("\n") > 20


def test_what_the_replica_has_not_replayed_is_read_from_the_database(portal, servers, auditor):
    with paused(servers.replica):
        before = record_something(portal)
        with counted(portal) as asked_now:
            auditor.page(REPORT)
        with counted(portal) as asked_before:
            auditor.page(f"{REPORT}?as_known_on={before}")
        with time_machine.travel(clock.now() + timedelta(seconds=10)), counted(portal) as asked_late:
            auditor.page(f"{REPORT}?as_known_on={before}")

    assert not reports(asked_now)  # the newest stamp is not there yet
    assert reports(asked_before)  # all that was known then is
    assert not reports(asked_late)  # names and erased texts would be ten seconds old


def test_what_is_replayed_after_the_position_was_read_is_not_counted(portal, servers):
    with portal.app_context():
        report = read_report()
        figures, position = report.shown, report.position
        lines = report.list_people(Order(), 0, 50)
        person_id = next(line.holder.person_id for line in lines if not line.status.held)
        db.session.remove()
        activities = db.session.scalars(select(Activity.id).where(Activity.kind == "module")).all()
        for activity_id in activities:
            make_record(person_id, activity_id, date(2025, 1, 2))
        newest = newest_stamp()
        db.session.remove()
        until(lambda: newest_replayed_stamp(db.engines[REPLICA]) >= newest)

        again = completion_report(COMMAND_LINE, "OIC-2026", position)

        assert again.shown == figures
        assert db.session().info["reads_from"] is db.engines[REPLICA]
        db.session.remove()
        assert read_report().shown != figures


def test_whoever_lost_a_role_is_refused_before_the_replica_knows(portal, servers):
    owner = Visitor(portal).sign_in("D4001")
    before = record_something(portal)
    owner.page(REPORT)
    with paused(servers.replica):
        environment = settings(Path(portal.instance_path), database_url=servers.primary.address)
        done = command(environment, "people", "revoke", "D4001", "directive-owner")
        assert done.returncode == 0, done.stderr

        response = owner.get(f"{REPORT}?as_known_on={before}")

    assert response.status_code in {302, 303, 403}


@pytest.fixture
def gone(servers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Kills the replica; after the test it runs again, and is asked again."""
    monkeypatch.setattr(replica, "_left_alone_until", [float("-inf")])
    yield servers.replica.kill
    servers.replica.start()


def test_a_replica_that_is_gone_is_not_missed(portal, gone, auditor, log):
    page = auditor.page(REPORT)
    gone()
    assert auditor.page(REPORT).h1 == page.h1
    assert auditor.page(REPORT).h1 == page.h1

    assert [line["reason"] for line in log.lines("replica.left_alone")] == ["OperationalError"]
