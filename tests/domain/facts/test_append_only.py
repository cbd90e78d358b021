"""A fact can be added and nothing else: the database itself refuses."""

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from migrations.append_only import FACT_TABLES, REHEARSED_TABLES
from portal.platform.db import db, newest_stamp, stamp, transaction
from tests.factories.people import make_person, make_unit


@pytest.mark.parametrize("change", ["UPDATE post SET designated_role = 'custody'", "DELETE FROM post"])
def test_a_post_can_be_neither_changed_nor_removed(database, change):
    make_person(make_unit("Westshire Police"))

    with pytest.raises(DBAPIError, match="append-only"), db.session.begin_nested():
        db.session.execute(text(change))


def test_every_fact_table_has_its_triggers(app, database):
    if db.engine.dialect.name == "postgresql":
        query = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    else:
        query = "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
    held = list(db.session.scalars(text(query)))

    assert {t for t in FACT_TABLES if held.count(t) == 2} == set(FACT_TABLES)
    assert all(held.count(t) >= 2 for t in REHEARSED_TABLES)


def test_every_table_with_a_recorded_at_is_protected(database):
    tables = {t.name for t in db.metadata.sorted_tables if "recorded_at" in t.c}

    assert tables <= {*FACT_TABLES, *REHEARSED_TABLES}
    assert set(FACT_TABLES) <= set(inspect(db.session.connection()).get_table_names())


def test_stamps_rise(database):
    with transaction():
        first = stamp()
    with transaction():
        second = stamp()
        assert stamp() == second

    assert first < second == newest_stamp()


def test_replacing_a_row_does_not_pass_the_triggers(app, database):
    if db.engine.dialect.name != "sqlite":
        return
    make_person(make_unit("Westshire Police"))

    with pytest.raises(DBAPIError, match="append-only"), db.session.begin_nested():
        db.session.execute(text("INSERT OR REPLACE INTO post SELECT * FROM post"))
