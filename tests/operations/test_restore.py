"""A restore replaces whatever is there in one step, by what is the portal's own, and keeps what was there."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from portal import presence
from portal.operations import checks
from tests.forked import Forked
from tests.running import Server, command, copied, settings

Change = Callable[[sqlite3.Connection], object]
MARK = "2030-01-01 00:00:00.000000"  # a stamp that the database has and the backup does not
NAME = "portal.sqlite"


def rows(file: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def is_marked(file: Path) -> bool:
    """Whether the whole database is the one that had been there."""
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert rows(file, "SELECT version_num FROM alembic_version") == [(checks.head(),)]
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


@pytest.fixture(scope="module")
def template(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portal's folder with its backup, and a change since; never used itself, only copied."""
    folder = copied(small_force, tmp_path_factory.mktemp("restore") / "template")
    done = command(settings(folder), "backup", str(folder / "b"))
    assert done.returncode == 0, done.stderr
    change(folder / NAME, f"INSERT INTO stamp (recorded_at) VALUES ('{MARK}')")
    return folder


@pytest.fixture
def here(template: Path, tmp_path: Path) -> Path:
    return copied(template, tmp_path / "here")


def restore(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return command(settings(folder), "restore", str(folder / "b"), *words)


def kept_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{NAME}.before-restore-*Z"))


def leftovers(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.name.startswith(f".{NAME}")]


def test_what_was_there_is_kept_and_what_was_done_is_said(here):
    change(here / "b", "INSERT INTO stamp (recorded_at) VALUES ('2029-01-01 00:00:00.000000')")

    done = restore(here, "--replace")

    assert done.returncode == 0, done.stderr
    (kept,) = kept_in(here)
    assert done.stdout.splitlines() == [
        f"Restored {here / 'b'}. What was recorded after 2029-01-01 00:00:00.000000 is not in it.",
        f"The database before is kept: {kept}",
        "0 people were signed in and have to sign in again.",
    ]
    assert (is_marked(here / NAME), is_marked(kept)) == (False, True)
    assert leftovers(here) == []


@pytest.mark.parametrize("damage", ["nothing is left", "a page is torn", "it is another file"])
def test_a_damaged_database_is_replaced_and_kept_as_it_was(here, damage):
    file = here / NAME
    content = bytearray(file.read_bytes())
    if damage == "nothing is left":
        content = bytearray(b"SQLite format 3\x00")
    elif damage == "a page is torn":
        content[4096 * 3 : 4096 * 40] = b"\x5a" * 4096 * 37
    else:
        content = bytearray(b"Dear portal, I am no database at all.\n" * 300)
    file.write_bytes(content)
    (here / f"{NAME}-wal").write_bytes(b"torn")

    refused, done = restore(here), restore(here, "--replace")

    assert (refused.returncode, "--replace" in refused.stderr) == (1, True), refused.stderr
    assert done.returncode == 0, done.stderr
    assert not is_marked(file)
    (kept,) = kept_in(here)
    assert damage == "a page is torn" or kept.read_bytes() == bytes(content)
    assert not (here / f"{NAME}-wal").exists()


def test_what_stood_in_the_log_alone_is_kept_and_never_applied_to_the_new_file(here):
    later = "2031-01-01 00:00:00.000000"
    die_after(f"INSERT INTO stamp (recorded_at) VALUES ('{later}')", here / NAME)
    assert (here / f"{NAME}-wal").stat().st_size > 0

    assert restore(here, "--replace").returncode == 0

    (kept,) = kept_in(here)
    since = f"SELECT recorded_at FROM stamp WHERE recorded_at >= '{MARK}'"
    assert rows(here / NAME, since) == []
    assert rows(kept, since) == [(MARK,), (later,)]


def without_check(connection: sqlite3.Connection) -> None:
    """Take a table's constraints away, as an editor of files can."""
    connection.execute("PRAGMA writable_schema = ON")
    changed = "replace(sql, 'CHECK (mastery_score BETWEEN 0 AND 1)', 'CHECK (1)')"
    connection.execute(f"UPDATE sqlite_master SET sql = {changed} WHERE name = 'submission'")
    connection.execute("PRAGMA writable_schema = OFF")


def without_references(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("INSERT INTO person_name (person_id, staff_number, surname, forenames)"
                       " VALUES (999999, 'Z9', 'No', 'Body')")  # fmt: skip


def make_toothless(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TRIGGER record_no_update")
    connection.execute("CREATE TRIGGER record_no_update BEFORE UPDATE ON record BEGIN SELECT 1; END")


MORE = "CREATE TRIGGER helper AFTER INSERT ON record BEGIN DELETE FROM sign_in_session; END"
HOSTILE: list[tuple[str, Change | str, str]] = [
    ("a trigger more", MORE, "trigger helper is not the portal's"),
    ("a trigger less", "DROP TRIGGER record_no_update", "trigger record_no_update is missing"),
    ("a trigger that refuses nothing", make_toothless, "trigger record_no_update differs"),
    ("a view more", "CREATE VIEW passes AS SELECT * FROM record", "view passes is not the portal's"),
    ("a table more", "CREATE TABLE notes (text)", "table notes is not the portal's"),
    ("a column more", "ALTER TABLE stamp ADD COLUMN extra TEXT", "table stamp differs"),
    ("an index less", "DROP INDEX ix_audit_event_happened_at", "ix_audit_event_happened_at is missing"),
    ("a constraint less", without_check, "table submission differs"),
    ("a reference to nobody", without_references, "damaged (a row names another that is missing)"),
    ("a later release", "UPDATE alembic_version SET version_num = '9999'", "made by a newer release"),
    ("no release", "DELETE FROM alembic_version", "says no release"),
    ("another program's", "DROP TABLE alembic_version", "says no release"),
]


@pytest.mark.parametrize(("change", "said"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
def test_what_is_not_the_portals_own_is_refused_and_changes_nothing(here, change, said):
    with closing(sqlite3.connect(here / "b", isolation_level=None)) as connection:
        connection.execute(change) if isinstance(change, str) else change(connection)
    before = (here / NAME).read_bytes()

    done = restore(here, "--replace")

    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.rstrip().endswith("Nothing was changed.")
    assert done.stderr.count("\n") == 1
    assert (here / NAME).read_bytes() == before
    assert (kept_in(here), leftovers(here)) == ([], [])


@pytest.mark.parametrize("cut", ["a torn page", "half a file", "the first page"])
def test_a_damaged_backup_is_refused_and_changes_nothing(here, cut):
    content = bytearray((here / "b").read_bytes())
    if cut == "torn page":
        content[4096 * 30 : 4096 * 60] = b"\xff" * 4096 * 30
    (here / "b").write_bytes(
        content if cut == "torn page" else content[: 4096 if "page" in cut else len(content) // 2]
    )

    done = restore(here, "--replace")

    assert (done.returncode, "damaged" in done.stderr) == (1, True), done.stderr
    assert is_marked(here / NAME)


def test_a_part_of_a_database_is_no_backup(here):
    shutil.copyfile(here / NAME, here / "live")
    die_after("INSERT INTO stamp (recorded_at) VALUES ('2031-01-01 00:00:00.000000')", here / "live")

    done = command(settings(here), "restore", str(here / "live"), "--replace")

    assert (done.returncode, "live-wal beside it holds the rest" in done.stderr) == (1, True), done.stderr


@pytest.mark.slow
def test_a_portal_that_runs_is_noticed(here):
    server = Server(here).start()
    try:
        done = restore(here, "--replace")
        assert (done.returncode, "The portal is running" in done.stderr) == (1, True), done.stderr
    finally:
        server.kill()
    assert restore(here, "--replace").returncode == 0
    assert not is_marked(here / NAME)


def test_a_worker_that_runs_is_noticed(here):
    worker = Forked("flask", ["--app", "wsgi", "jobs", "work"], settings(here), here / "out")
    try:
        for _ in range(600):
            if (here / presence.FILE).exists():
                break
            time.sleep(0.1)
        time.sleep(0.3)  # from the file to the lock on it
        done = restore(here, "--replace")
        assert (done.returncode, "The portal is running" in done.stderr) == (1, True), done.stderr
    finally:
        worker.kill()


def test_a_command_that_has_the_database_open_is_noticed(here):
    with closing(sqlite3.connect(here / NAME, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("SELECT count(*) FROM person").fetchone()
        done = restore(here, "--replace")
        assert (done.returncode, "A process has the database open" in done.stderr) == (1, True), done.stderr
    assert is_marked(here / NAME)


def test_nothing_starts_while_a_restore_is_under_way(tmp_path):
    with presence.alone(tmp_path), pytest.raises(presence.RestoringError, match="restore is under way"):
        presence.stay(tmp_path)


def test_killed_at_any_change_of_a_name_the_one_or_the_other_database_is_whole(here, tmp_path):
    for number in range(1, 40):
        place = copied(here, tmp_path / str(number))
        die_after("INSERT INTO stamp (recorded_at) VALUES ('2031-01-01 00:00:00.000000')", place / NAME)
        words = [str(number), "restore", str(place / "b"), "--replace"]
        code = Forked("tests/operations/dying.py", words, settings(place), place / "out").wait(60)
        replaced = not is_marked(place / NAME)
        held = rows(place / NAME, "SELECT 1 FROM stamp WHERE recorded_at > '2030-12-31'")
        assert bool(held) is not replaced
        assert all(is_marked(kept) for kept in kept_in(place))
        if replaced:
            assert kept_in(place)
            break
        assert code == 99, (place / "out").read_text()
    assert code in (0, 99)
    assert number > 1
    assert restore(place, "--replace").returncode == 0  # what was left behind hinders nobody
    assert leftovers(place) == []


@pytest.mark.slow
def test_killed_at_any_moment_the_one_or_the_other_database_is_whole(here, tmp_path):
    chance = random.Random(11)
    for number in range(6):
        place = copied(here, tmp_path / str(number))
        words = ["--app", "wsgi", "restore", str(place / "b"), "--replace"]
        process = Forked("flask", words, settings(place), place / "out")
        time.sleep(chance.uniform(0.05, 2.5))
        process.kill()
        is_marked(place / NAME)
        assert all(is_marked(kept) for kept in kept_in(place))
        assert restore(place, "--replace").returncode == 0
        assert not is_marked(place / NAME)


def revisions() -> list[str]:
    return sorted(checks.known_revisions())


def make_older(folder: Path, revision: str) -> None:
    """A backup as the release of that revision made it, with a fact in it."""
    made = command(settings(folder), "db", "upgrade", revision)
    assert made.returncode == 0, made.stderr
    change(folder / NAME, f"INSERT INTO stamp (recorded_at) VALUES ('{MARK}')")
    change(folder / NAME, f"INSERT INTO person (id, recorded_at) VALUES (7, '{MARK}')")
    made = command(settings(folder), "backup", str(folder / "b"))
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize(
    "revision",
    [pytest.param(one, marks=[] if one in ("0001", "0012") else pytest.mark.slow) for one in revisions()],
)
def test_a_backup_of_each_older_release_is_upgraded_as_it_is_restored(tmp_path, revision):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    make_older(here, revision)

    done = command(settings(there), "restore", str(here / "b"))

    assert done.returncode == 0, done.stderr
    is_head = revision == checks.head()
    assert (f"Upgraded from revision {revision} to {checks.head()}." in done.stdout) is not is_head
    assert rows(there / NAME, "SELECT id FROM person") == [(7,)]
    assert rows(there / NAME, "SELECT version_num FROM alembic_version") == [(checks.head(),)]
    assert command(settings(there), "directives", "reconcile").returncode == 0
    with (
        closing(sqlite3.connect(there / NAME)) as connection,
        pytest.raises(sqlite3.Error, match="append-only"),
    ):
        connection.execute("DELETE FROM stamp")


def test_a_copied_backup_is_private(here):
    os.chmod(here / "b", 0o644)
    assert restore(here, "--replace").returncode == 0
    assert (here / NAME).stat().st_mode & 0o077 == 0
