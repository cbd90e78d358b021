"""Migrations go up, down and up again, and leave no difference to the models."""

import ast
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import Engine, event, inspect, make_url, text

from config import Config
from portal.domain.directives.services import reconcile_all
from portal.domain.status.models import StatusCount, StatusCountSnapshot, StatusGroup, StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.domain.status.tasks import check_counts
from portal.platform.backups import copies
from portal.platform.db import db, transaction
from portal.platform.operations import readiness
from tests.conftest import SECRET
from tests.databases import portal_on
from tests.migrations.schema_list import list_schema, read_list
from tests.platform.operations import older
from tests.running import fresh_database

RELEASED = "0026"  # the newest migration of release 0.2.0
SCHEMA = Path(__file__).with_name("release_0_2_0.txt")
TEXTS_OF_SQLITE = "a46ffe3d9146bc606c612857168e2498cfb9ce8b8b3d3cd430ed11c6c6f7927f"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty(request, tmp_path) -> Iterator[Flask]:
    url = ""
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"), "updown")
    with portal_on(Config(mode="demo", database_url=url, secret_key=SECRET, instance=tmp_path)) as app:
        yield app


def test_up_down_and_up(empty):
    with empty.app_context():
        upgrade()
        check()
        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect() as connection:
                assert (
                    connection.scalar(text("SELECT count(*) FROM pg_proc WHERE proname = 'refuse_change'"))
                    == 0
                )
        upgrade()
        check()


def test_the_first_migration_makes_the_schema_of_release_0_2_0(empty):
    with empty.app_context():
        copies.upgrade_database(db.engine, RELEASED)

        assert list_schema(db.engine) == read_list(SCHEMA, db.engine.dialect.name)


def test_the_first_migration_writes_its_statements_to_the_letter(tmp_path):
    """A restore compares these texts, so a backup of 0.2.0 would be refused if one differed."""
    with portal_on(Config(mode="demo", secret_key=SECRET, instance=tmp_path)) as app, app.app_context():
        copies.upgrade_database(db.engine, RELEASED)
        texts = copies.schema_of(db.engine)

    of_library = ("table search_words_", "table alembic_version")  # whose texts are SQLite's and Alembic's
    ours = sorted(f"{name}: {words}" for name, words in texts.items() if not name.startswith(of_library))
    assert sha256("\n".join(ours).encode()).hexdigest() == TEXTS_OF_SQLITE


def earlier_revisions() -> list[Any]:
    """Every earlier revision on both databases; a few of them in the shorter runs of each."""
    cases = []
    for revision in sorted(readiness.known_revisions() - {readiness.head()}):
        is_short = revision in ("0026", "0034", "0048")
        marks = [] if is_short else [pytest.mark.sweep]
        cases.append(pytest.param("sqlite", revision, marks=marks))
        cases.append(pytest.param("postgresql", revision, marks=[pytest.mark.postgresql, *marks]))
    return cases


@pytest.mark.slow
@pytest.mark.parametrize(("empty", "revision"), earlier_revisions(), indirect=["empty"])
def test_a_database_of_every_earlier_revision_is_upgraded(empty, whole_schema, revision, tmp_path):
    with empty.app_context():
        upgrade(revision=revision)
        older.fill_database(db.engine)
        before = older.facts_in(db.engine)

        upgrade()

        check()
        copies.refuse_differences(copies.schema_of(db.engine), whole_schema(db.engine))
        assert all(before.values())
        assert older.facts_in(db.engine) == before
        with transaction():
            assert reconcile_all() == []
        assert rebuild_status(False) == []
        assert check_counts(False) == []
    report = ("completions", *older.POSITION, "--format", "csv", "--output", str(tmp_path / "report.csv"))
    written = empty.test_cli_runner().invoke(args=["report", *report])
    assert written.exit_code == 0, written.output
    rows, expected = older.report_of_release(tmp_path / "report.csv")
    assert rows == expected


@pytest.fixture(scope="module")
def whole_schema(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Engine], copies.Schema]:
    """The schema that the migrations make in a database that was empty, on the kind of this engine."""
    made: dict[str, copies.Schema] = {}

    def make(engine: Engine) -> copies.Schema:
        kind = engine.dialect.name
        if kind not in made:
            url = make_url(f"sqlite:///{tmp_path_factory.mktemp('whole') / 'whole.sqlite'}")
            if kind == "postgresql":
                server = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
                fresh_database(server, "whole")
                url = engine.url.set(database="whole")
            with copies.open_engine(url) as fresh:
                copies.upgrade_database(fresh, readiness.head())
                made[kind] = copies.schema_of(fresh)
        return made[kind]

    return make


def test_migrations_import_nothing_of_the_portal():
    """What the portal does later must not change what an older database is upgraded to."""
    given = {*sys.stdlib_module_names, "alembic", "sqlalchemy", "migrations"} - {"importlib"}
    files = [path for path in readiness.MIGRATIONS.rglob("*.py") if path.name != "env.py"]
    assert len(files) > 20
    assert {
        f"{path.name}: {name}" for path in files for name in imports_of(path) if name not in given
    } == set()
    assert "portal" not in imports_of(readiness.MIGRATIONS / "env.py")


def imports_of(path: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in it."""
    packages: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            packages.add((node.module or ".").partition(".")[0])
    return packages


def test_status_tables_are_renamed_whatever_sqlite_is_set_to(tmp_path):
    with copies.open_engine(make_url(f"sqlite:///{tmp_path / 'legacy.sqlite'}")) as engine:

        @event.listens_for(engine, "connect")
        def rename_as_old_builds_do(driver, _):
            driver.execute("PRAGMA legacy_alter_table = ON")
            driver.execute("PRAGMA foreign_keys = OFF")

        with portal_on(Config(mode="demo", secret_key=SECRET, instance=tmp_path)) as app, app.app_context():
            copies.upgrade_database(engine, RELEASED)

        groups = inspect(engine).get_foreign_keys("status_count")
    assert {key["referred_table"] for key in groups} == {"directive", "status_group"}


def test_status_tables_are_declared_with_the_names_that_they_have(empty):
    with empty.app_context():
        upgrade()
        made = inspect(db.engine)
        for model in (StatusPeriod, StatusGroup, StatusCount, StatusCountSnapshot):
            table = model.__table__
            keys = [made.get_pk_constraint(table.name), *made.get_foreign_keys(table.name)]
            keys += made.get_unique_constraints(table.name)
            assert {key["name"] for key in keys} == {constraint.name for constraint in table.constraints}
