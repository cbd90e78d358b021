"""Bulk reads and writes, past the session."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    String,
    Table,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    text,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import UserDefinedType

from portal.platform.db import db

# Bulk reads: rows as the driver returns them, and values that are made once for all rows.
#
# A file of a whole force has two million cells. The types of the database layer would make a new date,
# decimal or instant for each; here statements return the raw values of the driver, and each distinct day
# or score becomes a value once.

K = TypeVar("K")
V = TypeVar("V")
Column = ColumnElement[Any] | InstrumentedAttribute[Any]
RawDay = str | date  # text on SQLite
RawInstant = str
RawScore = str | float  # text on PostgreSQL
RawRow = tuple[Any, ...]  # what the driver returns: the reader of a statement names its columns' types


class ValueCache(dict[K, V]):
    """Makes the value of each key once, at its first use."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        value = self[key] = self._make(key)
        return value


def parse_day(day: RawDay) -> date:
    """The day that ``raw_column`` read."""
    return date.fromisoformat(day) if isinstance(day, str) else day


def parse_score(score: RawScore) -> Decimal:
    """The score that ``text_column`` read, with four decimal places.

    >>> parse_score(0.75), parse_score("0.7500")
    (Decimal('0.7500'), Decimal('0.7500'))
    """
    return Decimal(f"{Decimal(str(score)):.4f}")


class _RawType(UserDefinedType[Any]):
    cache_ok = True


def raw_column(column: Column) -> ColumnElement[Any]:
    """The column as the driver returns it: a day is text on SQLite."""
    return type_coerce(column, _RawType())


def text_column(column: Column) -> ColumnElement[Any]:
    """A score as the database writes it, so that the driver makes no object of it.

    On SQLite a score stays a number: casting it to text would dominate the cost of a row.
    """
    return cast(column, String) if db.engine.dialect.name == "postgresql" else raw_column(column)


def instant_column(column: Column) -> ColumnElement[Any]:
    """The column as text for ``datetime.fromisoformat``, which then knows that it is in UTC.

    >>> datetime.fromisoformat("2026-04-18 12:00:00.020000Z") == datetime.fromisoformat(
    ...     "2026-04-18 12:00:00.02+00"
    ... )
    True
    """
    if db.engine.dialect.name == "postgresql":
        return cast(column, String)
    return type_coerce(column, String) + literal_column("'Z'")


def match_people(column: Column) -> ColumnElement[bool]:
    """That the column is the id of one of the people whom ``fetch_raw_rows`` is given.

    The statement has the same text however many people there are, so the database plans it once.
    """
    ids = bindparam("people", type_=String)
    if db.engine.dialect.name == "postgresql":
        return column == any_(cast(ids, ARRAY(BigInteger)))
    return column.in_(select(func.json_each(ids).table_valued("value").c.value))


def fetch_raw_rows(statement: Select[*tuple[Any, ...]], people: Iterable[int]) -> Sequence[RawRow]:
    """All rows of a statement for these people, as the driver returns them."""
    ids = ",".join(map(str, people))
    parameters = {"people": f"{{{ids}}}" if db.engine.dialect.name == "postgresql" else f"[{ids}]"}
    with db.session.connection().execute(statement, parameters) as result:
        rows: Sequence[RawRow] = result.cursor.fetchall()
        return rows


# Bulk writes: many rows past the session; meanwhile a larger page cache, and no search for garbage.

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
