"""What a page reads is one state of the database, though others commit between its statements."""

from flask import Flask
from sqlalchemy import func, insert, select

from portal.platform import clock
from portal.platform.db import Stamp, db, newest_stamp, stamp, transaction


def _another_commits() -> None:
    with db.engine.connect().execution_options(portal_writes=True) as other, other.begin():
        other.execute(insert(Stamp).values(recorded_at=clock.now()))


def test_what_commits_between_two_reads_of_a_page_is_in_neither(serving: Flask) -> None:
    before = newest_stamp()
    _another_commits()

    assert newest_stamp() == before
    db.session.rollback()  # the next page
    assert newest_stamp() != before


def test_whoever_writes_sees_what_was_committed_while_it_waited(serving: Flask) -> None:
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
