"""``db upgrade`` says what it will do, does all of it or nothing, one at a time, and not under a server."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate.cli import db as migration_commands
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from config import Config
from portal.commands.upgrade import upgrade_to_release
from portal.platform import presence
from portal.platform.backups import copies
from portal.platform.db import db
from portal.platform.engines import with_driver
from portal.platform.operations import readiness
from tests.conftest import SECRET
from tests.databases import portal_on
from tests.forked import Forked
from tests.platform.operations import older
from tests.running import ROOT, fresh_database, settings
from tests.waiting import PATIENCE, until

BEFORE = "0026"
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
LOCK = int.from_bytes(b"portal")


@pytest.fixture(scope="module", params=KINDS)
def template(request, tmp_path_factory) -> tuple[str, Path]:
    """The database of release 0.2.0, only copied: the server's address, or the folder of the file."""
    folder, server, url = tmp_path_factory.mktemp("release"), "", ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        url = fresh_database(server, "upgrade_template")
    config = Config(mode="demo", database_url=url, secret_key=SECRET, instance=folder)
    with portal_on(config) as app, app.app_context():
        copies.upgrade_database(db.engine, BEFORE)
        older.fill_database(db.engine)
    return server, folder / "portal.sqlite"


@pytest.fixture
def url(template, tmp_path) -> str:
    """The address of a database of release 0.2.0; of SQLite in this test's folder."""
    server, file = template
    if server:
        return fresh_database(server, "upgraded", "upgrade_template")
    shutil.copy(file, tmp_path)
    return ""


@pytest.fixture
def portal(url, tmp_path) -> Iterator[Flask]:
    """A portal on that database."""
    with portal_on(Config(mode="demo", database_url=url, secret_key=SECRET, instance=tmp_path)) as app:
        yield app


def revision_of(app: Flask) -> set[str]:
    with app.app_context(), db.engine.connect() as connection:
        return readiness.revisions_of(connection)


def facts_of(app: Flask) -> dict[str, list[str]]:
    with app.app_context():
        return older.facts_in(db.engine)


def run(app: Flask, *words: str):
    return app.test_cli_runner().invoke(upgrade_to_release, words)


def test_a_dry_run_states_each_migration_with_its_stop_and_rows_and_changes_nothing(portal):
    done = run(portal, "--dry-run")

    pending = sorted(readiness.known_revisions())
    pending = pending[pending.index(BEFORE) + 1 :]
    assert done.exit_code == 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert [line.split()[0] for line in lines] == pending
    stops = {line.split()[0] for line in lines if "needs a stop" in line}
    assert {"0032", "0038"} <= stops
    count = len(older.FACTS["person_name"]["rows"])
    assert f"(less than 5 seconds for {count} rows of person_name; needs a stop)" in done.stdout
    assert "It takes less than 5 seconds: an estimate from the rows that there are" in done.stdout
    assert "The portal must not run meanwhile" in done.stdout
    assert "docs/operating/upgrade-notes.md" in done.stdout
    assert revision_of(portal) == {BEFORE}


@pytest.mark.slow
def test_an_upgrade_killed_in_the_middle_changed_nothing_and_runs_again_to_the_newest_migration(
    portal, url, tmp_path
):
    before = facts_of(portal)
    killed = Forked(
        str(ROOT / "tests/commands/killed_upgrade.py"),
        ["0034", "db", "upgrade"],
        settings(tmp_path, database_url=url),
        tmp_path / "out",
    )
    assert killed.wait(PATIENCE) == -9

    assert (revision_of(portal), facts_of(portal)) == ({BEFORE}, before)
    done, again = run(portal), run(portal)
    head = readiness.head()
    assert (done.exit_code, again.exit_code) == (0, 0), done.output
    assert (revision_of(portal), facts_of(portal)) == ({head}, before)
    assert f"  {head} is done.\nThe database is at {head}. It took " in done.stdout
    assert again.stdout == f"The database is at {head}: there is nothing to upgrade.\n"
    assert run(portal, "--dry-run", BEFORE).output == (
        f"Error: The database is at {head}, beyond {BEFORE}: going back is to restore a backup, see"
        " docs/operating/upgrade.md.\n"
    )
    assert run(portal, "9999").output == "Error: This release has no migration 9999.\n"


@pytest.mark.parametrize("words", [("upgrade",), ("upgrade", "--dry-run"), ("check",), ("current",)])
def test_of_a_database_that_is_too_old_the_release_is_named_that_it_must_pass_through(portal, words):
    with portal.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0025'"))

    done = portal.test_cli_runner().invoke(migration_commands, words)

    assert done.exit_code == 1
    assert done.output == (
        "Error: The database is of a release before 0.2.0 (0025): install release 0.2.0 and upgrade the"
        " database with it first, then with this release.\n"
    )
    assert revision_of(portal) == {"0025"}


@contextmanager
def locked(url: str, folder: Path) -> Iterator[None]:
    """Hold what an upgrade holds on this database."""
    address = make_url(with_driver(url) or f"sqlite:///{folder / 'portal.sqlite'}")
    statement = f"SELECT pg_advisory_lock({LOCK})" if url else "BEGIN IMMEDIATE"
    engine = create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with closing(engine.connect()) as connection:
        connection.exec_driver_sql(statement)
        yield
        if not url:
            connection.exec_driver_sql("ROLLBACK")


@pytest.mark.slow
def test_two_upgrades_at_once_wait_for_whoever_holds_the_lock_and_run_once(portal, url, tmp_path):
    files = [tmp_path / "first", tmp_path / "second"]
    with locked(url, tmp_path):
        both = [Forked("flask", ["--app", "wsgi", "db", "upgrade"],
                       settings(tmp_path, database_url=url), file) for file in files]  # fmt: skip
        until(
            lambda: all(
                file.exists() and "waiting for at most ten minutes" in file.read_text() for file in files
            )
        )
        assert revision_of(portal) == {BEFORE}

    assert [process.wait(PATIENCE) for process in both] == [0, 0], [file.read_text() for file in files]
    assert revision_of(portal) == {readiness.head()}
    assert sorted("0040 is done" in file.read_text() for file in files) == [False, True]


def test_time_is_estimated_from_the_rows_that_there_are(portal, monkeypatch):
    script = readiness.migration_scripts().get_revision("0038")
    monkeypatch.setattr(readiness, "SECONDS_EACH", 0)
    with portal.app_context(), db.engine.connect() as connection:
        (step,) = [each for each in readiness.plan_upgrade(connection, "head") if each.revision == "0038"]
        count = connection.scalar(text("SELECT count(*) FROM person_name"))
        rate = script.module.seconds_per_million_rows[connection.dialect.name]["person_name"]

    assert step.rows == {"person_name": count}
    assert step.seconds == pytest.approx(rate * count / 1_000_000)


def test_a_stop_is_needed_while_a_server_runs_only_where_a_migration_says_so(portal, tmp_path):
    with (tmp_path / presence.FILE).open("w") as server:
        fcntl.flock(server, fcntl.LOCK_SH)
        refused = run(portal)
        assert (refused.exit_code, revision_of(portal)) == (1, {BEFORE})
        assert refused.output.endswith(
            "Error: The portal is running: stop the server and its workers first. Nothing was changed.\n"
        )

    assert run(portal, "0038").exit_code == 0
    with (tmp_path / presence.FILE).open("w") as server:
        fcntl.flock(server, fcntl.LOCK_SH)
        served = run(portal, "0039")
    assert (served.exit_code, revision_of(portal)) == (0, {"0039"})
    assert "The portal may serve meanwhile." in served.stdout


@pytest.mark.sweep
@pytest.mark.slow
def test_a_table_that_something_else_reads_is_said_in_a_sentence(portal, url):
    if not url:
        pytest.skip("readers do not keep SQLite from writing")
    with closing(create_engine(make_url(with_driver(url)), poolclass=NullPool).connect()) as reader:
        reader.exec_driver_sql("SELECT 1 FROM person_name")  # its transaction stays open
        refused = run(portal)

    assert (refused.exit_code, revision_of(portal)) == (1, {BEFORE})
    assert "Error: A table is in use, and the upgrade did not wait longer for it" in refused.output
    assert "Nothing was changed. (LockNotAvailable" in refused.output


def test_every_migration_says_in_a_sentence_what_it_does():
    for script in readiness.migration_scripts().walk_revisions():
        sentence = " ".join(script.longdoc.partition("\n\n")[0].split())
        assert 20 <= len(sentence) <= 200, script.revision
        assert sentence.endswith("."), script.revision
