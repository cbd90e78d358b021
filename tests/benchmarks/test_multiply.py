"""That the large force which is measured is as the portal would have made it, by a small one."""

import sqlite3
from contextlib import closing

import pytest

from benchmarks.multiply import TABLES, multiply
from tests.running import command, copied, settings

pytestmark = pytest.mark.sweep
TIMES = 3


def _count_rows(database):
    with closing(sqlite3.connect(database)) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def test_copies_have_the_periods_that_their_facts_make(small_force, tmp_path):
    instance = copied(small_force, tmp_path / "instance")
    one = _count_rows(instance / "portal.sqlite")

    multiply(instance / "portal.sqlite", TIMES)

    assert _count_rows(instance / "portal.sqlite") == {table: TIMES * rows for table, rows in one.items()}
    done = command(settings(instance), "directives", "reconcile", "--rebuild")
    assert "Person" not in done.stdout, done.stdout  # none has periods too many, or lacks any
