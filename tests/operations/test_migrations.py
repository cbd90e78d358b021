"""Migrations go up, down and up again, and leave no difference to the models."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import delete, event, inspect, make_url, select, text

from config import Config
from portal.db import db, stamp, touch, transaction
from portal.directives.rules import Worlds
from portal.operations import schema
from portal.people.models import Post
from portal.standing import spans
from portal.standing.lines import insert_rows, rebuild
from portal.standing.loading import facts_of
from portal.standing.models import (
    OPEN_KNOWN,
    StatusCount,
    StatusCountSnapshot,
    StatusGroup,
    StatusPeriod,
    micros,
)
from tests.conftest import SECRET
from tests.databases import portal_on
from tests.factories.people import make_person, make_unit
from tests.running import fresh_database
from tests.standing.facts import make_activity, make_directive, make_record, make_version


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


def test_the_tables_that_carried_messages_about_jobs_go(empty):
    tables = {"carrier_kv", "carrier_schedule", "carrier_task", "carrier_counter"}
    with empty.app_context():
        upgrade(revision="0024")
        if db.engine.dialect.name == "postgresql":
            with db.engine.begin() as connection:
                for table in sorted(tables - {"carrier_counter"}):  # which the first count made
                    connection.execute(text(f"CREATE TABLE {table} (id bigserial PRIMARY KEY)"))

        upgrade()

        check()
        assert not tables & set(inspect(db.engine).get_table_names())


def test_rows_cut_in_the_earlier_way_become_what_their_facts_make(empty, monkeypatch):
    with empty.app_context():
        upgrade()
        people = mover_and_learner()
        with monkeypatch.context() as patch, transaction():
            patch.setattr(spans, "_as_first_told", lambda posts, _: posts)
            earlier = [(person, row) for person in people for row in whole_rows(person)]
            db.session.execute(delete(StatusPeriod))
            insert_rows(earlier)
        assert len(rebuild(False)) == 2, "they are cut in another way"
        db.session.rollback()
        downgrade(revision="0017")

        upgrade()

        assert rebuild(False) == []


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


def whole_rows(person):
    """The rows as they were cut before: what changes anywhere ends whole, and becomes known whole."""
    worlds = Worlds()
    versions = {version.id: version for version in worlds.versions}
    facts = facts_of([person], versions)[person]
    known, done = {}, set()
    for t in sorted(facts.stamps()):
        now = spans.spans(facts, versions, worlds.known(t), t)
        done |= {(span, since, micros(t)) for span, since in known.items() if span not in now}
        known = {span: known.get(span, micros(t)) for span in now}
    return done | {(span, since, OPEN_KNOWN) for span, since in known.items()}


def test_status_tables_are_renamed_whatever_sqlite_is_set_to(tmp_path):
    with schema.open_engine(make_url(f"sqlite:///{tmp_path / 'legacy.sqlite'}")) as engine:

        @event.listens_for(engine, "connect")
        def rename_as_old_builds_do(driver, _):
            driver.execute("PRAGMA legacy_alter_table = ON")
            driver.execute("PRAGMA foreign_keys = OFF")

        with portal_on(Config(mode="demo", secret_key=SECRET, instance=tmp_path)) as app, app.app_context():
            schema.upgrade(engine, "0025")

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
