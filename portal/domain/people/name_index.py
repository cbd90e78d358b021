"""SQLite's index of the parts of names, kept by triggers, while many names are written at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select, text

from portal.domain.people.models import PersonName
from portal.platform.db import db

FEWEST = 1_000  # names that are written; fewer are indexed one by one within some 40 ms
SHARE = 8  # to index a name anew takes an eighth of what it takes as it is written

_TRIGGERS = text(
    "SELECT name, sql FROM sqlite_master"
    " WHERE type = 'trigger' AND tbl_name = 'person_name' AND name LIKE 'person_search%'"
)
_INDEX_ALL = text("INSERT INTO person_search (person_search) VALUES ('rebuild')")


@contextmanager
def index_names_afterwards(written: int) -> Iterator[None]:
    """Index all names once the block has written so many, where that is faster than one by one.

    Inside a transaction, which is to be rolled back if the block fails: until its end no name is indexed as
    it is written. Only SQLite has this index; PostgreSQL's keeps itself.
    """
    if db.engine.dialect.name != "sqlite" or written < FEWEST or SHARE * written < _count_names():
        yield
        return
    connection = db.session.connection()
    triggers = connection.execute(_TRIGGERS).all()
    for name, _sql in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _name, sql in triggers:
        connection.exec_driver_sql(sql)
    connection.execute(_INDEX_ALL)


def _count_names() -> int:
    return db.session.scalar(select(func.count()).select_from(PersonName)) or 0
