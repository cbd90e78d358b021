"""(c) The completion file of the whole force beside the database client writing the same cells."""

import csv
import io
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import load
from benchmarks.figures import Figure
from benchmarks.serving import Watch
from benchmarks.statements import reads_of
from benchmarks.world import EIGHT, REPORT, WHOLE_FORCE, World, lessons

PATH = f"{REPORT}/completions.csv"
DOWNLOADS = 2
MANAGERS, EACH = 4, 3  # downloads at once, and of each manager; the portal lets one have 30 in five minutes
SECONDS = 3.0
LEARNER = 250  # ms within which a learner's page comes while files are downloaded
FLAT = 8.0  # MiB that a download may add


def measure(world: World) -> list[Figure]:
    """Downloads one after the other; the first warms the server and is not judged."""
    browser = world.browser(WHOLE_FORCE)
    body = browser.page(PATH).body
    times, rises = [], []
    for _ in range(DOWNLOADS):
        with Watch(world.server, every=0.05) as watch:
            begun = time.perf_counter()
            body = browser.page(PATH).body
            times.append(time.perf_counter() - begun)
        rises.append(watch.peak - watch.first)
    browser.close()
    alone = min(times)
    reads = reads_of(world.instance, WHOLE_FORCE, world.password, PATH)
    rows = body.count(b"\r\n") - 1
    cells = min(_cells(world.instance, body) for _ in range(3))
    joined = min(_joined(world.database, world.instance / "floor.csv", reads.statements) for _ in range(3))
    what = f"CSV of {rows:,} rows"
    took = alone
    return [
        Figure(
            "c", what, took, "s", cells, "sqlite3 writing the cells", took / cells, "×", 3, fails_build=True
        ),
        Figure("c", f"{what}, the same reads", took, "s", joined, "the same statements", took / joined, "×"),
        Figure("c", f"{what}, size", len(body) / 2**20, "MiB"),
        Figure(
            "c", f"{what}, memory added", max(rises), "MiB", judged=max(rises), judged_unit="MiB", target=FLAT
        ),
        Figure("c", f"{what}, statements", len(reads.statements), "statements"),
        *_beside_learners(world, alone, rows),
    ]


def _beside_learners(world: World, alone: float, rows: int) -> list[Figure]:
    """Four managers download while eight learners read: what each side has of the other."""
    learners = [world.browser(staff_number) for staff_number in EIGHT]
    managers = [world.browser(WHOLE_FORCE) for _ in range(MANAGERS)]
    path = f"/learning/modules/recognise/lessons/{lessons('recognise')[0]}"
    read = [partial(browser.page, path) for browser in learners]
    load.run(read, 1)
    quiet = load.run(read, SECONDS)
    files: list[load.Load] = []
    beside = threading.Thread(
        target=lambda: files.append(
            load.each([[partial(one.page, PATH)] * EACH for one in managers]),
        )
    )
    beside.start()
    pages = []
    while beside.is_alive():
        pages.append(load.run(read, 0.5))
    beside.join()
    for browser in [*learners, *managers]:
        browser.close()
    times = sorted(one for some in pages for one in some.times)
    done = load.Load(times, sum(one.seconds for one in pages))
    p95, took = done.percentile(0.95), files[0].percentile(0.5) / 1000
    what = f"CSV of {rows:,} rows, {MANAGERS} at a time beside eight learners"
    return [
        Figure("c", f"{what}, p50", took, "s", alone, "one alone"),
        Figure(
            "c", f"{what}: a lesson, p95", p95, "ms", quiet.percentile(0.95), "no file", p95, "ms", LEARNER
        ),
        Figure("c", f"{what}: a lesson, longest", 1000 * times[-1], "ms"),
    ]


def _cells(folder: Path, body: bytes) -> float:
    """Seconds in which SQLite's client writes the very cells, kept as a table, as CSV."""
    database, file = folder / "cells.sqlite", folder / "floor.csv"
    if not database.exists():
        head, *rows = csv.reader(io.StringIO(body.decode()))
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(f"CREATE TABLE cells ({', '.join(head)})")
            connection.executemany(f"INSERT INTO cells VALUES ({', '.join('?' * len(head))})", rows)
    begun = time.perf_counter()
    client = shutil.which("sqlite3")
    if client:
        with file.open("wb") as out:
            command = [client, "-csv", "-header", str(database), "SELECT * FROM cells"]
            subprocess.run(command, stdout=out, check=True)
    else:
        _write(database, file, [("SELECT * FROM cells", ())])
    return time.perf_counter() - begun


def _joined(database: Path, file: Path, statements: Sequence[tuple[str, Any]]) -> float:
    """Seconds in which Python's own client sends the same statements and writes what comes as CSV."""
    begun = time.perf_counter()
    _write(database, file, [(text, values) for text, values in statements if text.startswith("SELECT")])
    return time.perf_counter() - begun


def _write(database: Path, file: Path, statements: Sequence[tuple[str, Any]]) -> None:
    with closing(sqlite3.connect(database)) as connection, file.open("w", newline="") as out:
        writer = csv.writer(out)
        for statement in statements:
            writer.writerows(connection.execute(*statement))
