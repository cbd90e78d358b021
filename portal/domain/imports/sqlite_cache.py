"""Raises SQLite's page cache during bulk writes."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from portal.platform.db import db

KIBIBYTES = 64 * 1024  # what an import of 15,000 people writes is half of it


@contextmanager
def enlarged_page_cache() -> Iterator[None]:
    """Let a writing transaction keep the pages it changes in memory; on SQLite, where the others wait for it.

    With the little that a connection has else, pages of indexes go out and come in again many times over
    while the lock is held. Enter it once the transaction is begun.
    """
    if db.engine.dialect.name != "sqlite":
        yield
        return
    before = db.session.scalar(text("PRAGMA cache_size"))
    connection = db.session.connection().connection.dbapi_connection
    db.session.execute(text(f"PRAGMA cache_size = -{KIBIBYTES}"))
    try:
        yield
    finally:  # of the connection itself, for it goes on to others even where the transaction failed
        if connection is not None:
            connection.cursor().execute(f"PRAGMA cache_size = {before}")
