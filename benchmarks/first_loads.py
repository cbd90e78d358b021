"""(g) First loads of four sizes by command; with ``--large`` also one of 100,000 rows as a job."""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks import roster
from benchmarks.figures import Figure
from benchmarks.serving import ROOT, Server, Watch, environment
from benchmarks.world import flask
from config import Config
from portal.app import create_app
from portal.domain.imports import columns, queries, services
from portal.domain.imports.services import Upload
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services as jobs
from portal.platform.tables.table_files import open_sheet

SIZES = (2_000, 5_000, 15_000, 40_000)
LARGE = 100_000
PEOPLE = 60  # of the force before it, under a live directive of four modules
LAST = 1_200  # seconds after which a job has failed


def measure(large: bool) -> list[Figure]:
    """Seconds, memory and the longest wait for the lock, by the number of rows."""
    found = []
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        empty = Path(folder) / "empty"
        empty.mkdir(mode=0o700)
        flask(empty, "db", "upgrade")
        flask(empty, "demo", "create", "--people", str(PEOPLE))
        for rows in SIZES:
            found += _command(_copy(empty, rows), rows)
        if large:
            found += _job(_copy(empty, LARGE))
    return found


def _copy(empty: Path, rows: int) -> Path:
    """The force of its own with a roster of so many rows beside it."""
    instance = empty.with_name(f"rows-{rows}")
    shutil.copytree(empty, instance)
    roster.write(instance / "roster.csv", rows=rows)
    return instance


def _command(instance: Path, rows: int) -> list[Figure]:
    with _waits(instance) as waits:
        seconds, most = _run(instance, "people", "import", str(instance / "roster.csv"))
    what = f"first load of {rows:,} rows by command"
    return [
        Figure("g", what, seconds, "s"),
        Figure("g", f"{what}, a row", 1000 * seconds / rows, "ms"),
        Figure("g", f"{what}, memory", most, "MiB"),
        Figure("g", f"{what}, longest wait for the lock", max(waits), "s"),
    ]


def _run(instance: Path, *command: str) -> tuple[float, float]:
    """The seconds that a command took, and the most memory it held, in MiB.

    The memory is the child's own, as the kernel counts it for its address space: what ``wait4`` says of a
    child is at least what its parent held when it began.
    """
    begun, most = time.perf_counter(), 0.0
    with subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command],
        cwd=ROOT, env=environment(instance), stdout=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while process.poll() is None:
            most = max(most, _most_memory(process.pid))
            time.sleep(0.02)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}")
    return time.perf_counter() - begun, most


def _most_memory(pid: int) -> float:
    """The most MiB that a process has held since it became what it is; 0 once it has ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def _waits(instance: Path) -> Iterator[list[float]]:
    """How long somebody who asks for the write lock again and again waits for it each time."""
    over, waits = threading.Event(), [0.0]

    def ask() -> None:
        with closing(sqlite3.connect(instance / "portal.sqlite", 0, isolation_level=None)) as database:
            while not over.wait(0.02):
                begun = time.perf_counter()
                while not _taken(database) and not over.wait(0.002):
                    pass
                waits.append(time.perf_counter() - begun)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


def _taken(database: sqlite3.Connection) -> bool:
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    database.execute("ROLLBACK")
    return True


def _job(instance: Path) -> list[Figure]:
    """Checked, cancelled while it is worked out, and applied."""
    secret = (instance / "secret_key").read_text().strip()
    app = create_app(Config(mode="demo", secret_key=secret, instance=instance))
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "work"]
    with (
        app.app_context(),
        subprocess.Popen(command, cwd=ROOT, env=environment(instance), stdout=subprocess.DEVNULL) as worker,
    ):
        try:
            with Watch(Server(worker, 0)) as watch, _waits(instance) as waits:
                figures = _walk(instance)
        finally:
            worker.terminate()
        db.engine.dispose()
    what = f"first load of {LARGE:,} rows as a job"
    return [
        *figures,
        Figure("g", f"{what}, memory of the worker (PSS)", watch.peak, "MiB"),
        Figure("g", f"{what}, longest wait for the lock", max(waits), "s"),
    ]


def _walk(instance: Path) -> list[Figure]:
    content = (instance / "roster.csv").read_bytes()
    sheet = open_sheet(content, "roster.csv")
    brought = Upload("roster", "roster.csv", content, sheet, columns.map_roster(sheet.columns))
    with transaction():
        run_id = services.begin_import(brought, by=None, at=clock.now()).id
    before = _posts(instance)
    checked, told = _until_ended(instance, lambda: services.start_check(run_id, by=None), "done")
    digest = queries.get_run(run_id).digest or ""
    cancelled, _ = _until_ended(
        instance, lambda: services.start_apply(run_id, digest, by=None), "cancelled", "Worked out"
    )
    left = _posts(instance) - before
    applied, more = _until_ended(instance, lambda: services.start_apply(run_id, digest, by=None), "done")
    what = f"first load of {LARGE:,} rows as a job"
    return [
        Figure("g", f"{what}: its check", checked, "s"),
        Figure("g", f"{what}: cancelled while it is worked out", cancelled, "s"),
        Figure("g", f"{what}: posts after that", left, "posts", None, "", left, "posts", 0, fails_build=True),
        Figure("g", f"{what}: applied", applied, "s"),
        Figure("g", f"{what}: posts after that", _posts(instance) - before, "posts"),
        Figure("g", f"{what}: words of progress told", len(told) + len(more), "sentences"),
    ]


def _until_ended(
    instance: Path, start: Callable[[], UUID], ending: str, cancel_at: str = ""
) -> tuple[float, set[str]]:
    """Seconds until a job has ended as it should, and all that it said meanwhile."""
    begun = time.perf_counter()
    with transaction():
        job = start()
    told: set[str] = set()
    while time.perf_counter() - begun < LAST:
        state, said = _read(instance, "SELECT state, said FROM job WHERE reference = ?", job.hex)
        told.add(said)
        if state not in ("waiting", "running"):
            if state != ending:
                raise RuntimeError(f"The job ended as {state}, not {ending}.")
            return time.perf_counter() - begun, told - {""}
        if cancel_at and said.startswith(cancel_at):
            with transaction():
                jobs.cancel_job(job, by=None, at=clock.now())
            cancel_at = ""
        time.sleep(0.1)
    raise RuntimeError(f"The job was still {state} after {LAST} seconds.")


def _posts(instance: Path) -> int:
    found: int = _read(instance, "SELECT count(*) FROM post")[0]
    return found


def _read(instance: Path, statement: str, *values: str) -> tuple[Any, ...]:
    with closing(sqlite3.connect(instance / "portal.sqlite")) as database:
        row: tuple[Any, ...] = database.execute(statement, values).fetchone()
    return row
