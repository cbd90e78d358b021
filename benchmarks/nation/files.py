"""The completion file of a nation beside PostgreSQL's client writing the same cells, and what it adds."""

import http.client
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from psycopg import ClientCursor

from benchmarks import files
from benchmarks.figures import Figure
from benchmarks.nation.cluster import Cluster, connected
from benchmarks.nation.made import EVERYONE, Nation
from benchmarks.nation.pages import TOP
from benchmarks.serving import Watch
from benchmarks.statements import reader
from benchmarks.world import REPORT
from config import Config

PATH = f"{REPORT}/completions.csv"
FLAT = 8.0  # MiB that a download may add
CELLS = "cells"  # a database of the file's own cells, for the client alone


def measure(cluster: Cluster, nation: Nation, folder: Path) -> list[Figure]:
    """CSV of everybody, twice; then a workbook of 20,000 rows and JSON in this process."""
    file = folder / "nation.csv"
    before = nation.processor_seconds()
    done = [download(nation, file) for _ in range(2)]
    portal, database = ((b - a) / len(done) for a, b in zip(before, nation.processor_seconds(), strict=True))
    took, rise = min(seconds for seconds, _ in done), done[-1][1]
    rows, size = _lines(file) - 1, file.stat().st_size / 2**20
    client = _by_client(cluster, file, folder / "client.csv")
    config = Config(mode="demo", instance=nation.instance, database_url=nation.url)
    with reader(config, EVERYONE, nation.password, times=1) as read:
        statements = read(PATH).statements
    joined = _joined(nation.url, folder / "joined.csv", statements)
    with files.report_of(config) as report:
        made = files.made_here(report, "n")
    what = f"CSV of {rows:,} rows"
    ratio = took / client
    return [
        Figure("n", what, took, "s", client, "psql writing the cells", ratio, "×", 3, fails_build=True),
        Figure("n", f"{what}, the same reads", took, "s", joined, "the same statements", took / joined, "×"),
        Figure("n", f"{what}, processor time of the portal", portal, "s"),
        Figure("n", f"{what}, processor time of PostgreSQL", database, "s"),
        Figure("n", f"{what}, size", size, "MiB"),
        Figure("n", f"{what}, memory added", rise, "MiB", judged=rise, judged_unit="MiB", target=FLAT),
        Figure("n", f"{what}, statements", len(statements), "statements"),
        *made,
    ]


def by_jobs(nation: Nation) -> list[Figure]:
    """Everybody's workbook, and one force's, with its document: what no page waits for."""
    everyone = {"completions.xlsx": "workbook of everybody, by a job"}
    force = {
        f"completions.{kind}?{urlencode({'unit': TOP})}": f"{what} of one force, by a job"
        for kind, what in (("xlsx", "workbook"), ("pdf", "PDF"))
    }
    with connected(nation.url) as connection:  # of a nation that is kept: they would be given as they are
        connection.execute("DELETE FROM prepared_file")
    with nation.browser(EVERYONE) as browser:
        return files.by_a_job(browser, nation.server, everyone | force, "n")


def download(nation: Nation, file: Path) -> tuple[float, float]:
    """Seconds until the last byte of everybody's file is there, and MiB that this added to the server."""
    with nation.browser(EVERYONE) as browser:
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    with (
        closing(http.client.HTTPConnection("127.0.0.1", nation.server.port, timeout=600)) as connection,
        Watch(nation.server, every=0.1) as watch,
    ):
        begun = time.perf_counter()
        connection.request("GET", PATH, headers={"Cookie": cookies, "User-Agent": "benchmark"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{PATH}: {answer.status}")
        with file.open("wb") as out:
            shutil.copyfileobj(answer, out, 2**16)
        took = time.perf_counter() - begun
    return took, watch.peak - watch.first


def _by_client(cluster: Cluster, file: Path, out: Path) -> float:
    """Seconds in which ``psql`` writes the very cells, kept as a table of texts, as CSV; the best of two."""
    cluster.drop(CELLS)
    cluster.create(CELLS)
    url = cluster.url(CELLS)
    with connected(url) as connection, file.open("rb") as source:
        head = source.readline().decode().strip().split(",")
        connection.execute(f"CREATE TABLE cells ({', '.join(f'{name} text' for name in head)})")
        with connection.cursor().copy("COPY cells FROM STDIN (FORMAT csv)") as copy:
            while some := source.read(2**20):
                copy.write(some)
        connection.execute("VACUUM ANALYZE cells")
    times = []
    for _ in range(2):
        begun = time.perf_counter()
        ask = ["psql", "-X", "-q", url, "-c", f"\\copy (SELECT * FROM cells) TO '{out}' (FORMAT csv, HEADER)"]
        subprocess.run(ask, check=True)
        times.append(time.perf_counter() - begun)
    cluster.drop(CELLS)
    return min(times)


def _joined(url: str, out: Path, statements: Sequence[tuple[str, Any]]) -> float:
    """Seconds in which PostgreSQL sends the answers to the same statements as CSV through Python's client."""
    begun = time.perf_counter()
    with connected(url) as connection, out.open("wb") as file, connection.cursor() as cursor:
        filler = ClientCursor(connection)  # COPY takes no parameters: this client puts the values in
        for text, values in statements:
            if text.lstrip().startswith(("SELECT", "WITH")):
                asked = filler.mogrify(text, values)
                with cursor.copy(f"COPY ({asked}) TO STDOUT (FORMAT csv)") as copy:
                    for piece in copy:
                        file.write(piece)
    return time.perf_counter() - begun


def _lines(file: Path) -> int:
    with file.open("rb") as source:
        return sum(1 for _ in source)
