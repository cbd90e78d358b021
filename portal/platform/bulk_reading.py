"""Bulk reads: rows as the driver returns them, and values that are made once for all rows.

A file of a whole force has two million cells. The types of the database layer would make a new date, decimal
or instant for each; here statements return the raw values of the driver, and each distinct day or score
becomes a value once.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    String,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import UserDefinedType

from portal.platform.db import db

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
