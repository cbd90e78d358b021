"""A restore replaces whatever is there in one step, by what is the portal's own, and keeps what was there."""

import os
import random
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from portal.platform import presence
from portal.platform.operations import readiness
from tests.forked import Forked
from tests.platform.backups.restored import (
    MARK,
    NAME,
    change,
    die_after,
    is_marked,
    kept_in,
    leftovers,
    make_template,
    restore,
    rows,
)
from tests.running import Server, command, copied, settings
from tests.waiting import PATIENCE, until


@pytest.fixture(scope="module")
def template(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Never used itself, only copied."""
    return make_template(small_force, tmp_path_factory.mktemp("restore") / "template")


@pytest.fixture
def here(template: Path, tmp_path: Path) -> Path:
    return copied(template, tmp_path / "here")


@pytest.mark.slow
def test_what_was_there_is_kept_and_what_was_done_is_said(here):
    change(here / "b", "INSERT INTO stamp (recorded_at) VALUES ('2029-01-01 00:00:00.000000')")

    done = restore(here, "--replace")

    assert done.returncode == 0, done.stderr
    (kept,) = kept_in(here)
    assert done.stdout.splitlines() == [
        f"Restored {here / 'b'}. What was recorded after 2029-01-01 00:00:00.000000 is not in it.",
        f"The database before is kept: {kept}",
        "0 people were signed in and have to sign in again.",
        "No role, token, account or second factor was changed after this backup.",
    ]
    assert (is_marked(here / NAME), is_marked(kept)) == (False, True)
    assert leftovers(here) == []


@pytest.mark.slow
def test_webhooks_of_a_restored_copy_are_paused_so_that_two_portals_do_not_tell_the_same(here):
    added = command(settings(here), "webhooks", "add", "HR", "https://hr.example/")
    assert added.returncode == 0, added.stderr
    assert command(settings(here), "backup", str(here / "c")).returncode == 0

    done = command(settings(here), "restore", str(here / "c"), "--replace")

    assert "1 webhook is paused: resume at /webhooks" in done.stdout, done.stderr
    assert rows(here / NAME, "SELECT paused FROM webhook") == [("restored",)]


def act_after_a_backup(portal: dict[str, str], backup: str) -> None:
    """Make tokens, a link and a backup; then revoke a token and a role."""
    for words in (
        ("tokens", "create", "kept", "--scope", "read"),
        ("tokens", "create", "leaked", "--scope", "write"),
        ("accounts", "invite", "D1001"),
        ("backup", backup),
        ("tokens", "revoke", "leaked"),
        ("people", "revoke", "D6001", "auditor"),
    ):
        done = command(portal, *words)
        assert done.returncode == 0, (words, done.stderr)


def check_what_was_revoked(portal: dict[str, str], restored: str) -> None:
    """The command has said what to do again, and no token works until somebody says so."""
    assert "2 access tokens are suspended: look at each" in restored
    assert "Changed after this backup, and not in it. Make each of these changes again:" in restored
    assert restored.index("Revoked the access token leaked") < restored.index("Ended the role Auditor")
    assert ", of D6001" in restored
    assert command(portal, "tokens", "list").stdout.count("suspended by a restore") == 2
    assert command(portal, "tokens", "revoke", "leaked").returncode == 0
    assert command(portal, "tokens", "resume", "leaked").returncode == 1
    assert command(portal, "tokens", "resume", "--all").stdout == "1 token resumed: kept.\n"
    assert "suspended" not in command(portal, "tokens", "list").stdout


@pytest.mark.slow
def test_what_was_revoked_after_a_backup_does_not_come_back(here):
    portal = settings(here)
    act_after_a_backup(portal, str(here / "c"))

    done = command(portal, "restore", str(here / "c"), "--replace")

    assert done.returncode == 0, done.stderr
    assert rows(here / NAME, "SELECT * FROM password_link") == []
    check_what_was_revoked(portal, done.stdout)


@pytest.mark.slow
def test_a_file_of_the_audit_trail_tells_what_a_new_server_does_not_know(here):
    portal = settings(here)
    columns = "happened_at,action,what,who_staff_number,on_whom_staff_number"
    later, earlier = "2031-01-01T09:00:00.5Z", "2019-01-01T09:00:00Z"
    audit = here / "audit.csv"
    audit.write_text(
        f"{columns}\r\n{later},role.revoked,Ended the role manager on North,D9001,D2001\r\n"
        f"{earlier},role.granted,Gave the role manager on North,D9001,D2001\r\n"
        f"{later},pass.recorded,Passed: record X,D1001,D1001\r\n"
    )
    (here / NAME).unlink()

    unknown = command(portal, "restore", str(here / "b"))
    told = command(portal, "restore", str(here / "b"), "--replace", "--audit", str(audit))
    audit.write_text("happened_at,what\r\n")
    refused = command(portal, "restore", str(here / "b"), "--replace", "--audit", str(audit))

    assert "or second factors were changed after this backup is not known here" in unknown.stdout
    assert told.stdout.splitlines()[-1] == (
        "  09:00 on 1 January 2031: Ended the role manager on North, by D9001, of D2001"
    )
    assert (refused.returncode, "is no file of the audit trail" in refused.stderr) == (1, True)


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_stood_in_the_log_alone_is_kept_and_never_applied_to_the_new_file(here):
    later = "2031-01-01 00:00:00.000000"
    die_after(f"INSERT INTO stamp (recorded_at) VALUES ('{later}')", here / NAME)
    assert (here / f"{NAME}-wal").stat().st_size > 0

    assert restore(here, "--replace").returncode == 0

    (kept,) = kept_in(here)
    since = f"SELECT recorded_at FROM stamp WHERE recorded_at >= '{MARK}'"
    assert rows(here / NAME, since) == []
    assert rows(kept, since) == [(MARK,), (later,)]


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


def is_held(file: Path) -> bool:
    """Whether a process holds a lock on this file, as the kernel lists them."""
    inode = file.stat().st_ino if file.exists() else 0
    return f":{inode} " in Path("/proc/locks").read_text()


@pytest.mark.slow
def test_a_worker_that_runs_is_noticed(here):
    worker = Forked("flask", ["--app", "wsgi", "jobs", "work"], settings(here), here / "out")
    try:
        until(lambda: is_held(here / presence.FILE))
        done = restore(here, "--replace")
        assert (done.returncode, "The portal is running" in done.stderr) == (1, True), done.stderr
    finally:
        worker.kill()


@pytest.mark.slow
def test_a_command_that_has_the_database_open_is_noticed(here):
    with closing(sqlite3.connect(here / NAME, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("SELECT count(*) FROM person").fetchone()
        done = restore(here, "--replace")
        assert (done.returncode, "A process has the database open" in done.stderr) == (1, True), done.stderr
    assert is_marked(here / NAME)


def test_nothing_starts_while_a_restore_is_under_way(tmp_path):
    with presence.hold_alone(tmp_path), pytest.raises(presence.RestoringError, match="restore is under way"):
        presence.hold_presence(tmp_path)


@pytest.mark.sweep
@pytest.mark.slow
def test_killed_at_any_change_of_a_name_the_one_or_the_other_database_is_whole(here, tmp_path):
    for number in range(1, 40):
        place = copied(here, tmp_path / str(number))
        die_after("INSERT INTO stamp (recorded_at) VALUES ('2031-01-01 00:00:00.000000')", place / NAME)
        words = [str(number), "restore", str(place / "b"), "--replace"]
        code = Forked("tests/platform/operations/dying.py", words, settings(place), place / "out").wait(
            PATIENCE
        )
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


@pytest.mark.sweep
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
    return sorted(readiness.known_revisions())


def make_older(folder: Path, revision: str) -> None:
    """A backup as the release of that revision made it, with a fact in it."""
    made = command(settings(folder), "db", "upgrade", revision)
    assert made.returncode == 0, made.stderr
    change(folder / NAME, f"INSERT INTO stamp (recorded_at) VALUES ('{MARK}')")
    change(folder / NAME, f"INSERT INTO person (id, recorded_at) VALUES (7, '{MARK}')")
    made = command(settings(folder), "backup", str(folder / "b"))
    assert made.returncode == 0, made.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "revision",
    [pytest.param(one, marks=[] if one == "0026" else pytest.mark.sweep) for one in revisions()],
)
def test_a_backup_of_each_older_release_is_upgraded_as_it_is_restored(tmp_path, revision):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    make_older(here, revision)

    done = command(settings(there), "restore", str(here / "b"))

    assert done.returncode == 0, done.stderr
    is_head = revision == readiness.head()
    assert (f"Upgraded from revision {revision} to {readiness.head()}." in done.stdout) is not is_head
    assert rows(there / NAME, "SELECT id FROM person") == [(7,)]
    assert rows(there / NAME, "SELECT version_num FROM alembic_version") == [(readiness.head(),)]
    assert command(settings(there), "directives", "reconcile").returncode == 0
    with (
        closing(sqlite3.connect(there / NAME)) as connection,
        pytest.raises(sqlite3.Error, match="append-only"),
    ):
        connection.execute("DELETE FROM stamp")


@pytest.mark.slow
def test_a_copied_backup_is_private(here):
    os.chmod(here / "b", 0o644)
    assert restore(here, "--replace").returncode == 0
    assert (here / NAME).stat().st_mode & 0o077 == 0
