"""A backup is believed when it was taken while people wrote, and comes back whole elsewhere."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import InterfaceError, OperationalError

from portal.commands.release import state_command_origins
from tests.running import command, copied, fresh_database, settings

OUT_OF_REACH = "postgresql+psycopg://portal@127.0.0.1:9/portal"
INSERT = "INSERT INTO stamp (recorded_at) VALUES (strftime('%Y-%m-%d %H:%M:%f', 'now') || printf('%03d', ?))"


def _write_until(database: Path, stop: threading.Event, written: list[int]) -> None:
    connection = sqlite3.connect(database, isolation_level=None, timeout=15)
    while not stop.is_set() and len(written) < 20_000:
        connection.execute(INSERT, (len(written) % 1000,))
        written.append(1)
    connection.close()


@pytest.mark.sweep
@pytest.mark.slow
def test_a_backup_under_load_is_restored_elsewhere(small_force, tmp_path):
    here = copied(small_force, tmp_path / "here")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stop, written = threading.Event(), []
    writer = threading.Thread(target=_write_until, args=(here / "portal.sqlite", stop, written))
    writer.start()
    try:
        made = command(settings(here), "backup", str(tmp_path / "portal.backup"))
    finally:
        stop.set()
        writer.join()
    assert made.returncode == 0, made.stderr
    assert written

    done = command(settings(elsewhere), "restore", str(tmp_path / "portal.backup"))

    assert done.returncode == 0, done.stderr
    assert "is not in it" in done.stdout
    report = ("report", "completions", "--directive", "OIC-2026", "--format", "csv", "--output")
    for place in (here, elsewhere):
        command(settings(place), *report, str(tmp_path / f"{place.name}.csv"), "--as-at", "2026-04-30")
    first, second = (tmp_path / f"{p.name}.csv" for p in (here, elsewhere))
    cut = [line.rsplit(",", 1)[0] for line in first.read_text().splitlines()]
    assert cut == [line.rsplit(",", 1)[0] for line in second.read_text().splitlines()]
    assert len(cut) > 100


@pytest.mark.slow
def test_a_restore_over_data_must_be_meant(small_force, tmp_path):
    here = copied(small_force, tmp_path / "here")
    _leave_a_job(here / "portal.sqlite")
    assert command(settings(here), "backup", str(tmp_path / "b")).returncode == 0

    refused = command(settings(here), "restore", str(tmp_path / "b"))
    meant = command(settings(here), "restore", str(tmp_path / "b"), "--replace")

    assert (refused.returncode, "--replace" in refused.stderr) == (1, True)
    assert meant.returncode == 0
    with closing(sqlite3.connect(here / "portal.sqlite")) as connection:
        ((state, reason),) = connection.execute("SELECT state, reason FROM job").fetchall()
    assert (state, "restored from a backup" in reason) == ("failed", True)


def _leave_a_job(database: Path) -> None:
    """A job under way as the backup is made."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO job (reference, kind, arguments, state, done, total, said, asked_at, reason, runs)"
            " VALUES ('a', 'reconcile', '{}', 'running', 0, 0, '', datetime('now'), '', 1)"
        )


@pytest.mark.slow
def test_what_is_no_backup_changes_nothing(small_force, tmp_path):
    here = copied(small_force, tmp_path / "here")
    (tmp_path / "letter.txt").write_text("Dear portal")
    (tmp_path / "damaged").write_bytes(b"SQLite format 3\x00" + b"x" * 5000)

    for name, sentence in (("letter.txt", "not a backup"), ("damaged", "damaged")):
        done = command(settings(here), "restore", str(tmp_path / name), "--replace")
        assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr
    assert command(settings(here), "directives", "reconcile", "--dry-run").returncode == 0


@pytest.mark.slow
@pytest.mark.postgresql
def test_postgresql_is_restored_into_an_empty_database(postgresql, force_template, tmp_path):
    here = settings(tmp_path, database_url=fresh_database(postgresql, "backup_here", force_template))
    there = settings(tmp_path, database_url=fresh_database(postgresql, "backup_there"))
    file = str(tmp_path / "portal.dump")

    made, done = command(here, "backup", file), command(there, "restore", file)

    assert (made.returncode, done.returncode) == (0, 0), made.stderr + done.stderr
    report = ("report", "completions", "--directive", "OIC-2026", "--format", "csv", "--output")
    files = [tmp_path / "here.csv", tmp_path / "there.csv"]
    for place, output in zip((here, there), files, strict=True):
        assert command(place, *report, str(output), "--as-at", "2026-04-30").returncode == 0
    assert files[0].read_text() == files[1].read_text()
    assert command(there, "restore", file).returncode == 1  # holds data now
    assert command(there, "restore", file, "--replace").returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ("backup", "b"),
        ("restore", "dump"),
        ("people", "import", "roster.csv"),
        ("directives", "reconcile"),
        ("directives", "issue", "roster.csv"),
        ("reminders", "send"),
        ("db", "upgrade"),
    ],
    ids=" ".join,
)
def test_a_command_says_in_one_sentence_that_the_database_is_out_of_reach(tmp_path, words):
    (tmp_path / "dump").write_bytes(b"PGDMP" + bytes(100))
    (tmp_path / "roster.csv").write_text("staff_number\n")
    files = [str(tmp_path / word) if word in ("b", "dump", "roster.csv") else word for word in words]

    done = command(settings(tmp_path, database_url=OUT_OF_REACH), *files)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: The database ")
    assert "Connection refused" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.glob("*b")) == []


def test_the_doctor_reports_a_database_that_is_out_of_reach_among_its_findings(tmp_path):
    done = command(settings(tmp_path, database_url=OUT_OF_REACH), "doctor")

    assert done.returncode == 1
    (said,) = [line for line in done.stdout.splitlines() if line.startswith("PROBLEM database:")]
    assert "Connection refused" in said
    assert "disk:" in done.stdout
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_command_says_in_one_sentence_that_the_database_went_away_meanwhile(error):
    group = click.Group()

    @group.command("act")
    def act() -> None:
        raise error("SELECT 1", {}, Exception("the server closed the connection\nunexpectedly"))

    state_command_origins(group)

    done = CliRunner().invoke(group, ["act"])

    assert done.exit_code == 1
    assert done.output == (
        "Error: The database cannot be used: Exception: the server closed the connection unexpectedly.\n"
    )
