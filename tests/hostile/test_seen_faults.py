"""A real server, its processes and its database killed: what is counted stays right, and alerts tell it."""

import http.client
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hostile.portals import in_session
from tests.postgres import SAFE, Postgres
from tests.running import Server, copied, make_force
from tests.scrapes import PROMTOOL, Figures, check_alerts, read_figures
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.sweep]
SEEN = {"METRICS_NETWORKS": "127.0.0.0/8"}
ASKED = 40


def ask(server: Server, path: str) -> tuple[int, str]:
    """Status and body, on a connection of its own; 0 without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def scrape(server: Server) -> Figures:
    """The figures of a server that answers."""
    status, body = ask(server, "/metrics")
    assert status == 200
    return read_figures(body)


def count(figures: Figures) -> float:
    """How many sign-in pages were answered."""
    return figures.value("portal_requests_total", endpoint="sign_in.sign_in", status="200")


def is_job_open(figures: Figures) -> bool:
    """Whether a worker has something to start, or to do."""
    return any(
        value for (name, _), value in figures.values.items() if name in {"portal_job_due", "portal_jobs"}
    )


def test_processes_are_one_sum_that_never_falls_when_one_is_killed(small_force: Path, tmp_path: Path) -> None:
    server = Server(copied(small_force, tmp_path / "instance"), more=SEEN).start()
    try:
        assert server.process
        for _ in range(ASKED):
            assert ask(server, "/sign-in")[0] == 200
        until(lambda: count(scrape(server)) == ASKED)
        _leader, *others = in_session(server.process.pid)
        for other in others:
            with suppress(ProcessLookupError):
                os.kill(other, signal.SIGKILL)
        until(lambda: ask(server, "/healthz")[0] == 200)
        before = count(scrape(server))
        answered = sum(ask(server, "/sign-in")[0] == 200 for _ in range(ASKED))

        assert before == ASKED
        until(lambda: count(scrape(server)) == ASKED + answered)
        assert answered == ASKED
    finally:
        server.kill()


@pytest.fixture
def database() -> Iterator[Postgres]:
    """A database server to be killed."""
    server = Postgres(SAFE)
    try:
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            server.start()
        server.end()


@pytest.mark.postgresql
def test_a_database_that_is_restarted(database: Postgres, tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    make_force(instance, people=20, database_url=database.address)
    server = Server(instance, database.address, more=SEEN).start()
    try:
        until(lambda: not is_job_open(scrape(server)))
        healthy = scrape(server)
        database.kill()
        statuses = {ask(server, "/people/D1001")[0] for _ in range(3)}
        gone = scrape(server)
        database.start()
        until(lambda: ask(server, "/readyz")[0] == 200)
        until(lambda: not is_job_open(scrape(server)))
        back = scrape(server)
    finally:
        server.kill()

    assert healthy.value("portal_check_passed", check="database") == 1
    assert gone.value("portal_check_passed", check="database") == 0
    assert gone.get("portal_database_bytes") is None
    assert back.value("portal_check_passed", check="database") == 1
    assert count(back) >= count(healthy)
    if PROMTOOL:
        assert check_alerts(tmp_path, gone, {"PortalDatabaseDown"}) == ""
        assert check_alerts(tmp_path, back, {"PortalBackupOld"}) == ""  # none was ever made
    assert statuses <= {200, 303, 500, 503}
