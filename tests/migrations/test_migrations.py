"""Migrations go up, down and up again, and leave no difference to the models."""

import ast
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import Engine, event, inspect, make_url, select, text

from config import Config
from portal.domain.directives.services import reconcile_all
from portal.domain.people.models import Post
from portal.domain.status.models import StatusCount, StatusCountSnapshot, StatusGroup, StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.domain.status.tasks import check_counts
from portal.platform.backups import copies
from portal.platform.db import db, stamp, touch, transaction
from portal.platform.operations import readiness
from tests.conftest import SECRET
from tests.databases import portal_on
from tests.domain.status.facts import make_activity, make_directive, make_record, make_version
from tests.factories.people import make_person, make_unit
from tests.platform.operations import older
from tests.running import fresh_database


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


@pytest.mark.slow
def test_the_tables_that_carried_messages_about_jobs_go(empty):
    tables = {"carrier_kv", "carrier_schedule", "carrier_task", "carrier_counter"}
    with empty.app_context():
        upgrade(revision="0025")
        if db.engine.dialect.name == "postgresql":
            with db.engine.begin() as connection:
                for table in sorted(tables - {"carrier_counter"}):  # which the first count made
                    connection.execute(text(f"CREATE TABLE {table} (id bigserial PRIMARY KEY)"))

        upgrade()

        check()
        assert not tables & set(inspect(db.engine).get_table_names())


def mover_and_learner() -> list[int]:
    """Two people under a directive of two modules: one completes a module, one moves to another unit."""
    unit, other = make_unit("North"), make_unit("South")
    activities = [make_activity(), make_activity()]
    make_version(make_directive(), {1: activities[0], 2: activities[1]})
    people = [make_person(unit), make_person(unit)]
    make_record(people[0], activities[0], date(2026, 4, 1))
    with transaction():
        held = db.session.execute(select(Post).where(Post.person_id == people[1])).scalar_one()
        said = {name: getattr(held, name) for name in ("person_id", "rank_or_grade", "designated_role")}
        days = {"valid_from": held.valid_from, "valid_to": date(2026, 6, 1) - timedelta(days=1)}
        ended = Post(recorded_at=stamp(), replaces_id=held.id, unit_id=held.unit_id, **said, **days)
        begun = Post(recorded_at=stamp(), unit_id=other, valid_from=date(2026, 6, 1), **said)
        db.session.add_all([ended, begun])
        touch(people=people)
    return people


def earlier_revisions() -> list[Any]:
    """Every earlier revision on both databases; a few of them in the shorter runs of each."""
    cases = []
    for revision in sorted(readiness.known_revisions() - {readiness.head()}):
        is_short = revision in ("0001", "0017", "0024")
        marks = [] if is_short else [pytest.mark.sweep]
        cases.append(pytest.param("sqlite", revision, marks=marks))
        cases.append(pytest.param("postgresql", revision, marks=[pytest.mark.postgresql, *marks]))
    return cases


@pytest.mark.slow
@pytest.mark.parametrize(("empty", "revision"), earlier_revisions(), indirect=["empty"])
def test_a_database_of_every_earlier_revision_is_upgraded(empty, whole_schema, revision, tmp_path):
    with empty.app_context():
        upgrade(revision=revision)
        older.fill_database(db.engine, revision)
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
            copies.upgrade_database(engine, "0025")

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


@pytest.mark.slow
def test_status_periods_and_counts_survive_the_renaming_both_ways(empty):
    with empty.app_context():
        upgrade()
        mover_and_learner()
        with transaction():
            directive_id = db.session.scalars(select(StatusPeriod.directive_id)).first()
            db.session.add(StatusCountSnapshot(directive_id=directive_id, day=date(2026, 4, 30).toordinal()))
        before = rows_of("status_period", "status_group", "status_count", "status_count_snapshot")

        downgrade(revision="0024")
        older = rows_of("standing_span", "standing_group", "standing_total", "standing_kept")
        upgrade()

        assert all(before)
        assert before == older
        assert rows_of("status_period", "status_group", "status_count", "status_count_snapshot") == before
        check()


def rows_of(*names):
    with db.engine.connect() as connection:
        return [sorted(connection.execute(text(f"SELECT * FROM {name}")), key=repr) for name in names]
