"""The process that supervises the worker beside a server restarts it, and ends it when the server ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from portal.commands.jobs import make_worker_setup
from portal.platform.jobs import worker
from portal.platform.jobs.worker import Worker
from tests.running import ROOT
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

SCRIPT = """
import os, sys, time
from portal.platform.processes import Supervisor

def work():
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\n")
    if len(open(sys.argv[1]).readlines()) == 1:
        return  # of itself
    if len(open(sys.argv[1]).readlines()) == 2:
        os.kill(os.getpid(), 9)
    time.sleep(600)

supervisor = Supervisor(work)
sys.stdin.read()
supervisor.stop_child()
"""


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def kept(tmp_path: Path):
    """A process with a supervisor, and a function that waits for the workers it has started."""
    file = tmp_path / "begun"
    server = subprocess.Popen([sys.executable, "-c", SCRIPT, str(file)], cwd=ROOT, stdin=subprocess.PIPE)

    def begun(number: int) -> list[int]:
        until(lambda: file.exists() and file.read_text().count("\n") >= number)
        return [int(line) for line in file.read_text().split()]

    yield server, begun
    server.kill()
    server.wait()
    assert server.stdin
    server.stdin.close()


def test_a_worker_that_ends_or_is_killed_is_begun_anew_and_ends_with_the_server(kept):
    server, begun = kept
    first, second, third = begun(3)

    assert len({first, second, third}) == 3
    assert alive(third)
    server.stdin.close()
    assert server.wait(timeout=PATIENCE) == 0
    assert not alive(third)


def test_a_worker_ends_even_if_the_server_is_killed(kept):
    server, begun = kept
    third = begun(3)[2]

    server.send_signal(signal.SIGKILL)
    server.wait()

    until(lambda: not alive(third))


def test_an_embedded_worker_that_has_grown_gives_way_between_two_jobs(app, database, monkeypatch):
    embedded, separate = (Worker(make_worker_setup(app), 1, embedded=kind) for kind in (True, False))
    monkeypatch.setattr(worker, "peak_memory_mib", lambda: worker.MOST_MIB - 1)
    assert not embedded.must_end()

    monkeypatch.setattr(worker, "peak_memory_mib", lambda: worker.MOST_MIB + 1)

    embedded.runner.own.add(uuid4())
    assert not embedded.must_end()
    embedded.runner.own.clear()
    assert embedded.must_end()
    assert not separate.must_end()


def test_an_embedded_worker_ends_with_the_process_that_started_it(app, database, monkeypatch):
    embedded, separate = (Worker(make_worker_setup(app), 1, embedded=kind) for kind in (True, False))

    monkeypatch.setattr(os, "getppid", lambda: 1)

    assert embedded.must_end()
    assert not separate.must_end()
