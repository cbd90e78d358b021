"""What a page reads is one state of the database, though others commit between its statements."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, insert, select

from config import Config
from portal.app import create_app
from portal.platform import clock
from portal.platform.db import Stamp, db, newest_stamp, stamp, transaction
from tests.conftest import SECRET
from tests.databases import close_database
from tests.running import fresh_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """A portal of its own, in which transactions really commit."""
    url = ""
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"), "state")
    app = create_app(Config(mode="demo", database_url=url, secret_key=SECRET, instance=tmp_path))
    with app.app_context():
        upgrade()
        yield app
        close_database()


def _another_commits() -> None:
    with db.engine.connect().execution_options(portal_writes=True) as other, other.begin():
        other.execute(insert(Stamp).values(recorded_at=clock.now()))


def test_what_commits_between_two_reads_of_a_page_is_in_neither(portal: Flask) -> None:
    before = newest_stamp()
    _another_commits()

    assert newest_stamp() == before
    db.session.rollback()  # the next page
    assert newest_stamp() != before


def test_whoever_writes_sees_what_was_committed_while_it_waited(portal: Flask) -> None:
    newest_stamp()
    with transaction():
        counted = select(func.count()).select_from(Stamp)
        before = db.session.scalar(counted)
        if db.engine.dialect.name == "postgresql":  # SQLite has one writer at a time
            _another_commits()
        taken = stamp()
        after = db.session.scalar(counted)

    assert after == before + (2 if db.engine.dialect.name == "postgresql" else 1)
    assert newest_stamp() == taken
