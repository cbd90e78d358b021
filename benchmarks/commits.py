"""The floor of what must be durable: one row a commit, written by the database's own client."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks import load

COLUMNS = "attempt_id, item_id, choices, saved_at, recorded_at"
COPY = f"INSERT INTO bench_response ({COLUMNS}) VALUES (?, ?, ?, ?, ?)"


def rate(database: Path, clients: int, seconds: float) -> float:
    """Durable commits a second in ``database``: a response's row each, in a table of its own beside it."""
    with closing(_connect(database)) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS bench_response (id INTEGER PRIMARY KEY, {COLUMNS})")
        connection.execute(
            "CREATE INDEX IF NOT EXISTS ix_bench_response ON bench_response (attempt_id, item_id, id)"
        )
        row = connection.execute(f"SELECT {COLUMNS} FROM response LIMIT 1").fetchone()
    connections = [_connect(database) for _ in range(clients)]
    try:
        return load.run([_writer(connection, row) for connection in connections], seconds).rate
    finally:
        for connection in connections:
            connection.close()


def _connect(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 15000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _writer(connection: sqlite3.Connection, row: tuple[object, ...]) -> Callable[[], None]:
    def write() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(COPY, row)
        connection.execute("COMMIT")

    return write
