"""A worker repeats its routines beside its jobs, whatever becomes of one run, and ends them with itself."""

import signal
from contextlib import nullcontext

import pytest

from portal.commands.jobs import make_worker_setup
from portal.platform.jobs import worker
from portal.platform.jobs.registry import Routine
from portal.platform.jobs.worker import Worker, WorkerSetup
from tests.waiting import PATIENCE


@pytest.fixture
def _handlers():
    """The handlers of signals, which a worker replaces, as they were."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
def test_a_routine_is_repeated_though_one_run_fails_and_is_told_when_the_worker_ends(monkeypatch):
    runs, ended = [], []

    def run(stopping):
        runs.append(stopping)
        if len(runs) == 1:
            raise RuntimeError("such as a database that restarts")
        if len(runs) == 3:
            ended.append(stopping.wait(PATIENCE))

    class Short(Worker):
        def must_end(self):
            return len(runs) >= 3

        def maintain_jobs(self):
            """There is no database here."""

    monkeypatch.setattr(worker, "RECOVERY_SECONDS", 0.01)
    routine = Routine("hum", run, seconds=0.01)
    setup = WorkerSetup(nullcontext, 30, 90, lambda now: None, (routine,))

    Short(setup, 0).run_until_told_to_end()

    assert ended == [True]


def test_the_worker_of_the_portal_sends_webhooks_and_watches_a_folder(app):
    names = [routine.name for routine in make_worker_setup(app).routines]

    assert names == ["watched folder", "webhooks", "presence"]
