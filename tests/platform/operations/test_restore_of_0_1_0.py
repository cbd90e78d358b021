"""A backup that release 0.1.0 made is restored and upgraded, and its reports say what they said then."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from portal.platform.operations import readiness
from tests.platform.operations import older
from tests.running import command, fresh_database, settings

HEAD_OF_RELEASE = "0024"
FILE = "portal.sqlite"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_a_backup_of_release_0_1_0_is_restored_and_upgraded(kind, request, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    address = ""
    if kind == "postgresql":
        address = fresh_database(request.getfixturevalue("postgresql"), "release_0_1_0")
    make_release(here, address)
    (back_up_sqlite if kind == "sqlite" else back_up_postgresql)(here, address)
    if kind == "postgresql":
        address = fresh_database(request.getfixturevalue("postgresql"), "restored_0_1_0")
    portal = settings(there, database_url=address)

    restored = command(portal, "restore", str(here / "b"))

    assert restored.returncode == 0, restored.stderr
    assert f"Upgraded from revision {HEAD_OF_RELEASE} to {readiness.head()}." in restored.stdout
    check_completions(portal, there / "before.csv")
    reconciled = command(portal, "directives", "reconcile", "--rebuild")
    assert (reconciled.returncode, reconciled.stdout) == (0, "0 differences.\n"), reconciled.stderr
    check_completions(portal, there / "after.csv")


def make_release(folder: Path, address: str) -> None:
    """The database of release 0.1.0, with facts and what it had derived from them."""
    made = command(settings(folder, database_url=address), "db", "upgrade", HEAD_OF_RELEASE)
    assert made.returncode == 0, made.stderr
    url = address.replace("postgresql://", "postgresql+psycopg://") or f"sqlite:///{folder / FILE}"
    engine = create_engine(url, poolclass=NullPool)
    older.fill_database(engine, HEAD_OF_RELEASE)
    engine.dispose()


def back_up_sqlite(folder: Path, _: str) -> None:
    """The backup as ``backup`` of 0.1.0 made it."""
    with closing(sqlite3.connect(folder / FILE)) as source, closing(sqlite3.connect(folder / "b")) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def back_up_postgresql(folder: Path, address: str) -> None:
    """The backup as ``backup`` of 0.1.0 made it."""
    tool = shutil.which("pg_dump")
    assert tool
    words = ("--format=custom", "--no-owner", f"--file={folder / 'b'}")
    subprocess.run([tool, f"--dbname={address}", *words], check=True)


def check_completions(portal: dict[str, str], file: Path) -> None:
    written = command(
        portal, "report", "completions", *older.POSITION, "--format", "csv", "--output", str(file)
    )
    assert written.returncode == 0, written.stderr
    rows, expected = older.report_of_release(file)
    assert rows == expected
