"""A portal's folder with a backup and a change since, for whoever restores it: as files and as commands."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from portal.platform.operations import readiness
from tests.running import command, copied, settings

MARK = "2030-01-01 00:00:00.000000"  # a stamp that the database has and the backup does not
NAME = "portal.sqlite"


def rows(file: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def is_marked(file: Path) -> bool:
    """Whether the whole database is the one that had been there."""
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert rows(file, "SELECT version_num FROM alembic_version") == [(readiness.head(),)]
    assert rows(file, "SELECT count(*) FROM person") > [(50,)]
    return bool(rows(file, f"SELECT 1 FROM stamp WHERE recorded_at = '{MARK}'"))


def change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(statement)


def die_after(statement: str, file: Path) -> None:
    """Commit into the write-ahead log and end without a goodbye, so that the log stays beside the file."""
    program = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA journal_mode = WAL'); c.execute(sys.argv[2]); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(file), statement], check=True)


def make_template(small_force: Path, folder: Path) -> Path:
    """The small force with its backup ``b``, and a stamp that the backup does not have."""
    copied(small_force, folder)
    done = command(settings(folder), "backup", str(folder / "b"))
    assert done.returncode == 0, done.stderr
    change(folder / NAME, f"INSERT INTO stamp (recorded_at) VALUES ('{MARK}')")
    return folder


def restore(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return command(settings(folder), "restore", str(folder / "b"), *words)


def kept_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{NAME}.before-restore-*Z"))


def leftovers(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.name.startswith(f".{NAME}")]
