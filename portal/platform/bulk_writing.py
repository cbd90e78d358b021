"""Bulk writes: many rows past the session; meanwhile a larger page cache, and no search for garbage."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Table, text

from portal.platform.db import db

MOST_ROWS = 5_000  # given to the driver at a time
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


@contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """Collect no garbage in this process while the block holds what it computed for thousands of people.

    None of that is garbage, and to look through all of it takes a quarter of a second, also under a lock.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def insert_rows(table: Table, names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    """Insert rows of values in the order of these columns, in batches, straight on the driver."""
    connection = db.session.connection()
    dialect = connection.dialect
    columns = ", ".join(names)
    statement = f"INSERT INTO {table.name} ({columns}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
    types = (table.c[name].type.dialect_impl(dialect) for name in names)
    bound = ((number, each.bind_processor(dialect)) for number, each in enumerate(types))
    processors = [(number, cache(process)) for number, process in bound if process]  # few values, many rows
    while batch := list(islice(rows, MOST_ROWS)):
        if dialect.name == "postgresql":  # one round trip instead of one a row
            with connection.connection.cursor().copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
                for row in batch:
                    copy.write_row(row)
        else:
            connection.exec_driver_sql(statement, [_process_values(row, processors) for row in batch])


def _process_values(row: Sequence[Any], processors: Sequence[tuple[int, Any]]) -> tuple[Any, ...]:
    """The values of a row as the driver takes them."""
    if not processors:
        return tuple(row)
    values = [*row]
    for number, process in processors:
        values[number] = process(values[number])
    return tuple(values)
