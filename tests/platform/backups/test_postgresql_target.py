"""The same on PostgreSQL: built in a database beside, checked, and two names changed in one transaction."""

import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.platform.operations import readiness
from tests.examples import sweep_after
from tests.forked import Forked
from tests.platform.backups.test_restore import act_after_a_backup, check_what_was_revoked
from tests.running import command, fresh_database, settings

pytestmark = pytest.mark.postgresql
Portal = dict[str, str]
MARK = "2030-01-01 00:00:00+00"


def rows(address: str, statement: str) -> list[tuple]:
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else []


def is_marked(address: str) -> bool:
    """Whether the whole database is the one that had been there."""
    assert rows(address, "SELECT version_num FROM alembic_version") == [(readiness.head(),)]
    assert rows(address, "SELECT count(*) FROM person") > [(10,)]
    return bool(rows(address, f"SELECT 1 FROM stamp WHERE recorded_at = '{MARK}'"))


@pytest.fixture(scope="module")
def dump(postgresql: str, force_template: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the small force."""
    folder = tmp_path_factory.mktemp("dumped")
    here = settings(folder, database_url=fresh_database(postgresql, "dumped", force_template))
    done = command(here, "backup", str(folder / "b"))
    assert done.returncode == 0, done.stderr
    return folder / "b"


@pytest.fixture
def here(postgresql: str, force_template: str, tmp_path: Path) -> Iterator[Portal]:
    """A portal that changed since its backup; the databases of its name are dropped afterwards."""
    portal = settings(tmp_path, database_url=fresh_database(postgresql, "restored", force_template))
    rows(portal["DATABASE_URL"], f"INSERT INTO stamp (recorded_at) VALUES ('{MARK}')")
    yield portal
    for name in beside(postgresql):
        rows(postgresql, f"DROP DATABASE {name} WITH (FORCE)")


def test_what_was_revoked_after_a_backup_does_not_come_back(here: Portal, tmp_path: Path) -> None:
    act_after_a_backup(here, str(tmp_path / "c"))

    done = command(here, "restore", str(tmp_path / "c"), "--replace")

    assert done.returncode == 0, done.stderr
    assert rows(here["DATABASE_URL"], "SELECT * FROM password_link") == []
    check_what_was_revoked(here, done.stdout)


def at(server: str, name: str) -> str:
    return f"{server.rpartition('/')[0]}/{name}"


def beside(server: str) -> list[str]:
    found = rows(server, "SELECT datname FROM pg_database WHERE datname LIKE 'restored\\_%' ORDER BY 1")
    return [name for (name,) in found]


def test_what_was_there_is_kept_and_what_was_done_is_said(here, dump, postgresql):
    refused = command(here, "restore", str(dump))
    done = command(here, "restore", str(dump), "--replace")

    assert (refused.returncode, "say --replace" in refused.stderr) == (1, True), refused.stderr
    assert done.returncode == 0, done.stderr
    (kept,) = beside(postgresql)
    assert f"The database before is kept: the database {kept}" in done.stdout
    assert not is_marked(here["DATABASE_URL"])
    assert is_marked(at(postgresql, kept))
    assert command(here, "directives", "reconcile").returncode == 0


def test_a_database_that_does_not_exist_is_made(here, dump, postgresql):
    rows(postgresql, "DROP DATABASE restored")

    done = command(here, "restore", str(dump))

    assert done.returncode == 0, done.stderr
    assert "There was no database before." in done.stdout
    assert not is_marked(here["DATABASE_URL"])


def test_a_portal_that_runs_is_noticed(here, dump, postgresql):
    with psycopg.connect(here["DATABASE_URL"], application_name="portal"):
        done = command(here, "restore", str(dump), "--replace")

    assert done.returncode == 1
    assert "in use (1 connected: portal)" in done.stderr
    assert is_marked(here["DATABASE_URL"])
    assert beside(postgresql) == []


def test_a_role_without_the_right_is_told_so(here, dump, postgresql):
    rows(postgresql, "DROP ROLE IF EXISTS humble")
    rows(postgresql, "CREATE ROLE humble LOGIN")
    here["DATABASE_URL"] = here["DATABASE_URL"].replace("postgres@", "humble@")

    done = command(here, "restore", str(dump), "--replace")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "may not make and rename databases" in done.stderr


TOOTHLESS = """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RETURN NULL; END $$"""
CHANGED = {
    "DROP TRIGGER record_append_only ON record": "trigger public.record.record_append_only is missing",
    "ALTER TABLE stamp DISABLE TRIGGER stamp_append_only": "trigger public.stamp.stamp_append_only differs",
    TOOTHLESS: "function refuse_change() differs",
    "CREATE VIEW passes AS SELECT * FROM record": "view public.passes is not the portal's",
    "CREATE SCHEMA cellar": "schema cellar is not the portal's",
    "CREATE TABLE cellar.notes ()": "relation cellar.notes is not the portal's",
    "CREATE RULE r AS ON DELETE TO record DO INSTEAD NOTHING": "rule public.record.r is not the portal's",
    "DROP INDEX ix_audit_event_happened_at": "index public.ix_audit_event_happened_at is missing",
    "ALTER TABLE submission DROP CONSTRAINT ck_submission_score_in_range": "score_in_range is missing",
}


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (list(CHANGED), list(CHANGED.values())),
        (["UPDATE alembic_version SET version_num = '9999'"], ["made by a newer release"]),
        (["DELETE FROM alembic_version"], ["says no release"]),
    ],
    ids=["objects", "a later release", "no release"],
)
def test_what_is_not_the_portals_own_is_refused_and_changes_nothing(
    here, force_template, postgresql, tmp_path, statements, said
):
    other = settings(tmp_path, database_url=fresh_database(postgresql, "changed", force_template))
    for statement in statements:
        rows(other["DATABASE_URL"], statement)
    assert command(other, "backup", str(tmp_path / "b")).returncode == 0

    done = command(here, "restore", str(tmp_path / "b"), "--replace")

    assert done.returncode == 1
    assert [one for one in said if one not in done.stderr] == []
    assert done.stderr.rstrip().endswith("Nothing was changed.")
    assert is_marked(here["DATABASE_URL"])
    assert beside(postgresql) == []


def test_a_damaged_backup_is_refused(here, dump, postgresql, tmp_path):
    for name, content in (
        ("half", dump.read_bytes()[: dump.stat().st_size // 2]),
        ("letter", b"Dear portal"),
    ):
        (tmp_path / name).write_bytes(content)
        done = command(here, "restore", str(tmp_path / name), "--replace")
        assert done.returncode == 1
        assert "damaged" in done.stderr or "not a backup" in done.stderr
    assert is_marked(here["DATABASE_URL"])
    assert beside(postgresql) == []


@pytest.mark.parametrize("revision", sweep_after(1, "0026", "0048"))
def test_a_backup_of_an_older_release_is_upgraded_as_it_is_restored(postgresql, tmp_path, revision):
    old = settings(tmp_path, database_url=fresh_database(postgresql, "older"))
    assert command(old, "db", "upgrade", revision).returncode == 0
    rows(old["DATABASE_URL"], f"INSERT INTO person (id, recorded_at) VALUES (7, '{MARK}')")
    assert command(old, "backup", str(tmp_path / "b")).returncode == 0
    there = settings(tmp_path, database_url=fresh_database(postgresql, "newer"))

    done = command(there, "restore", str(tmp_path / "b"))

    assert done.returncode == 0, done.stderr
    assert f"Upgraded from revision {revision} to {readiness.head()}." in done.stdout
    assert rows(there["DATABASE_URL"], "SELECT id FROM person") == [(7,)]
    assert command(there, "directives", "reconcile").returncode == 0


def test_the_password_is_on_no_command_line(here, tmp_path):
    (tmp_path / "bin").mkdir()
    for tool in ("pg_dump", "pg_restore"):
        stub = tmp_path / "bin" / tool
        said = f'echo "{tool} $* PASSWORD=$PGPASSWORD" >> {tmp_path}/said'
        stub.write_text(f'#!/bin/sh\n{said}\nexec {shutil.which(tool)} "$@"\n')
        stub.chmod(0o755)
    here["PATH"] = f"{tmp_path}/bin:{os.environ['PATH']}"
    here["DATABASE_URL"] = here["DATABASE_URL"].replace("postgres@", "postgres:h%40sh-hush@")

    assert command(here, "backup", str(tmp_path / "b")).returncode == 0
    assert command(here, "restore", str(tmp_path / "b"), "--replace").returncode == 0

    lines = (tmp_path / "said").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["pg_dump", "pg_restore"]
    for line in lines:
        words, _, password = line.partition("PASSWORD=")
        assert password == "h@sh-hush"
        assert "hush" not in words


@pytest.mark.sweep
def test_killed_at_any_moment_the_one_or_the_other_database_is_whole(here, dump, postgresql, tmp_path):
    chance = random.Random(5)
    words = ["--app", "wsgi", "restore", str(dump), "--replace"]
    for _ in range(5):
        process = Forked("flask", words, here, tmp_path / "out")
        time.sleep(chance.uniform(0.1, 6))
        process.kill()
        is_marked(here["DATABASE_URL"])
    for _ in range(5):  # what a killed command began, its server may still be at
        done = command(here, "restore", str(dump), "--replace")
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr
    assert not is_marked(here["DATABASE_URL"])
    kept = [name for name in beside(postgresql) if "before_restore" in name]
    assert any(is_marked(at(postgresql, name)) for name in kept)
    assert beside(postgresql) == kept
