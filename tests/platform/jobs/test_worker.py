"""Real workers in processes of their own, on both databases: killed, ended, cancelled, two at once."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text

from portal.app import create_app, list_tasks
from portal.feature import list_features
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.jobs import registry, services, worker
from portal.platform.jobs.models import Job
from portal.platform.jobs.registry import set_tasks
from tests.databases import ON_BOTH, close_database, empty_portal
from tests.forked import Forked
from tests.platform.jobs.counting import COUNTING, KIND
from tests.running import settings
from tests.times import FIGURE
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow


@dataclass
class Crew:
    """A database, and the workers that run on it."""

    app: Flask
    file: Path
    url: str
    workers: list[Forked] = field(default_factory=list)

    def hire(self, number: int, threads: int = 1, lost_seconds: int = 300) -> None:
        """See to it that so many workers run; new ones run so many jobs at once."""
        self.workers = [one for one in self.workers if one.poll() is None]
        environment = settings(Path(self.app.instance_path), database_url=self.url)
        environment |= {
            "JOBS_LOST_SECONDS": str(lost_seconds),
            "SECRET_KEY": self.app.config["PORTAL"].secret_key,
        }
        environment |= {"JOBS_WORKERS": str(threads)}
        while len(self.workers) < number:
            log = Path(self.app.instance_path) / "workers.log"
            self.workers.append(Forked("tests.platform.jobs.counting", [], environment, log))

    def dismiss(self) -> None:
        """Tell every worker to end, and wait until all have."""
        for one in self.workers:
            if one.poll() is None:
                one.send_signal(signal.SIGTERM)
                one.wait(timeout=PATIENCE)

    def ask(self, to: int, **arguments: object) -> UUID:
        with self.app.app_context(), transaction():
            asked = {"to": to, "file": str(self.file), **arguments}
            return services.start_job(KIND, asked, by=None, at=clock.now())

    def cancel(self, *references: UUID) -> None:
        with self.app.app_context():
            for reference in references:
                with transaction():
                    services.cancel_job(reference, by=None, at=clock.now())

    def job(self, reference: UUID) -> Job:
        with self.app.app_context():
            return db.session.scalars(select(Job).where(Job.reference == reference)).one()

    def steps(self, reference: UUID) -> list[tuple[int, int]]:
        """The process and the number of each step of the job."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        found = [line.split() for line in lines if line.startswith(str(reference))]
        return [(int(process), int(step)) for _, process, step in found]

    def cut_connections(self) -> None:
        """Let PostgreSQL end every connection of the portal, as one that restarts does."""
        if not self.url:
            return  # SQLite has none
        with create_engine(self.url.replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
            connection.invalidate()
        with self.app.app_context():
            db.engine.dispose()

    def events(self) -> int:
        with self.app.app_context():
            events = select(func.count()).where(AuditEvent.action == "count.stepped")
            return db.session.scalar(events) or 0


@pytest.fixture(scope="module", params=ON_BOTH)
def crew(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    config = empty_portal(request, tmp_path_factory.mktemp("workers") / "instance", "workers")
    app = create_app(config)
    set_tasks((*list_tasks(list_features()), COUNTING))
    made = Crew(app, config.instance / "steps", config.database_url)
    yield made
    set_tasks(list_tasks(list_features()))
    for one in made.workers:
        one.kill()
    with app.app_context():
        close_database()


def test_of_eight_that_reach_for_a_job_at_once_one_gets_it(crew: Crew) -> None:
    reference, all_ready = crew.ask(1), Barrier(8, timeout=PATIENCE)

    def reach() -> bool:
        with crew.app.app_context():
            all_ready.wait()
            return registry.claim_job(reference, clock.now()) is not None

    with ThreadPoolExecutor(8) as threads:
        got = [one.result() for one in [threads.submit(reach) for _ in range(8)]]

    assert got.count(True) == 1
    assert crew.job(reference).runs == 1
    crew.cancel(reference)


def test_two_workers_share_the_jobs_and_never_run_one_twice(crew: Crew) -> None:
    crew.hire(2)
    long = [crew.ask(1_000) for _ in range(2)]
    until(lambda: all(crew.steps(one) for one in long))
    assert len({crew.steps(one)[0][0] for one in long}) == 2
    asked = [crew.ask(4) for _ in range(8)]
    crew.cancel(*long)

    until(lambda: all(crew.job(one).state == "done" for one in asked))

    for one in asked:
        assert [step for _, step in crew.steps(one)] == [0, 1, 2, 3]
        assert len({process for process, _ in crew.steps(one)}) == 1
        assert crew.job(one).runs == 1


def test_an_idle_worker_looks_for_a_job_every_half_second(crew: Crew, record_property) -> None:
    crew.hire(1)
    waits = []
    for pause in (0.0, 0.2, 0.7):
        time.sleep(pause)
        reference = crew.ask(0)
        until(lambda one=reference: crew.job(one).state == "done")
        job = crew.job(reference)
        waits.append((job.started_at - job.asked_at).total_seconds())

    assert worker.SWEEP_SECONDS <= 0.5
    record_property(FIGURE, f"a job waited for an idle worker for {min(waits):.1f} s")


def test_a_worker_runs_as_many_jobs_at_once_as_it_has_threads(crew: Crew) -> None:
    crew.dismiss()
    crew.hire(1, threads=2)
    asked = [crew.ask(1_000), crew.ask(1_000), crew.ask(1)]

    until(lambda: all(crew.steps(one) for one in asked[:2]))
    assert [crew.job(one).state for one in asked] == ["running", "running", "waiting"]
    crew.cancel(*asked[:2])
    until(lambda: crew.job(asked[2]).state == "done")

    assert len({process for one in asked for process, _ in crew.steps(one)}) == 1
    crew.dismiss()


def test_a_worker_outlives_the_loss_of_its_connections(crew: Crew) -> None:
    crew.hire(1)
    reference = crew.ask(1_000)
    until(lambda: bool(crew.steps(reference)))

    crew.cut_connections()
    crew.cancel(reference)
    following = crew.ask(1)
    until(lambda: crew.job(following).state == "done")

    assert [one.poll() for one in crew.workers].count(None) == 1


def test_a_job_whose_worker_is_killed_in_its_transaction_is_taken_up_again_and_applied_once(
    crew: Crew,
) -> None:
    crew.dismiss()
    crew.hire(2, lost_seconds=3)
    before, reference = crew.events(), crew.ask(20, inside=True)
    until(lambda: len(crew.steps(reference)) > 4)
    killed = crew.steps(reference)[0][0]

    os.kill(killed, signal.SIGKILL)
    assert crew.job(reference).state == "running"
    until(lambda: crew.job(reference).state == "done")

    steps = crew.steps(reference)
    other = steps[-1][0]
    assert other != killed
    assert [step for process, step in steps if process == other] == list(range(20))
    assert crew.events() - before == 20
    assert crew.job(reference).runs == 2
    crew.dismiss()


def test_a_cancelled_job_stops_before_it_applies(crew: Crew) -> None:
    crew.hire(1)
    before, reference = crew.events(), crew.ask(1_000)
    until(lambda: crew.job(reference).done > 0)

    crew.cancel(reference)
    next_one = crew.ask(1)
    until(lambda: crew.job(next_one).state == "done")

    assert crew.job(reference).state == "cancelled"
    assert len(crew.steps(reference)) < 1_000
    assert crew.events() == before


def test_a_worker_that_is_told_to_end_gives_its_job_back(crew: Crew) -> None:
    crew.hire(1)
    reference = crew.ask(1_000)
    until(lambda: bool(crew.steps(reference)))

    running = [one for one in crew.workers if one.poll() is None]
    for one in running:
        one.send_signal(signal.SIGTERM)

    assert {one.wait(timeout=PATIENCE) for one in running} == {0}
    assert (crew.job(reference).state, crew.job(reference).runs) == ("waiting", 0)
