"""Raises SQLite's page cache during bulk writes."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from portal.platform.db import db

KIBIBYTES = 64 * 1024  # twice what an import of 15,000 people changes


@contextmanager
def enlarged_page_cache() -> Iterator[None]:
    """Let a writing transaction on SQLite keep the pages it changes in memory, so that others wait less.

    With a connection's usual cache, pages of indexes are written and read again many times while the lock is
    held. Enter it after the transaction has begun.
    """
    if db.engine.dialect.name != "sqlite":
        yield
        return
    usual_size = db.session.scalar(text("PRAGMA cache_size"))
    connection = db.session.connection().connection.dbapi_connection
    db.session.execute(text(f"PRAGMA cache_size = -{KIBIBYTES}"))
    try:
        yield
    finally:  # on the connection itself: others use it next, even if the transaction failed
        if connection is not None:
            connection.cursor().execute(f"PRAGMA cache_size = {usual_size}")
