"""Columns read as the database driver gives them, and the values that are made of them.

A file of a whole force has two million cells. The types of the database layer would make a new date,
decimal or instant for each; here a statement returns raw values, and each distinct day or score becomes a
value once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    String,
    and_,
    any_,
    bindparam,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.types import UserDefinedType

from portal.platform.db import db

K = TypeVar("K")
V = TypeVar("V")
RawDay = str | date  # text on SQLite
RawInstant = str
RawScore = str | float  # text on PostgreSQL
RawRow = tuple[Any, ...]  # what the driver returns: the reader of a statement names its columns' types


class ValueCache(dict[K, V]):
    """Values that are made once for each key, at its first use: for few keys that come again and again."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        value = self[key] = self._make(key)
        return value


def parse_instant(text: RawInstant) -> datetime:
    """The instant, in UTC, that ``text_column`` read from either database.

    >>> parse_instant("2026-04-18 12:00:00.020000") == parse_instant("2026-04-18 12:00:00.02+00")
    True
    """
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


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


def raw_column(column: Any) -> ColumnElement[Any]:
    """The column as the driver returns it: a day is text on SQLite."""
    return type_coerce(column, _RawType())


def text_column(column: Any) -> ColumnElement[Any]:
    """A score or an instant in UTC as the database writes it, so that the driver makes no object of it.

    On SQLite a score stays a number: casting it to text would dominate the cost of a row.
    """
    return cast(column, String) if db.engine.dialect.name == "postgresql" else raw_column(column)


def match_ids(column: Any, parameter: str) -> ColumnElement[bool]:
    """WHERE clause: the column is one of the ids in a parameter that ``ids_parameter`` made.

    The statement has the same text however many ids there are, so the database plans it once.
    """
    ids = bindparam(parameter, type_=String)
    if db.engine.dialect.name == "postgresql":
        return and_(column == any_(cast(ids, ARRAY(BigInteger))))
    each = func.json_each(ids).table_valued("value")
    return and_(column.in_(select(each.c.value)))


def ids_parameter(ids: Iterable[int]) -> str:
    """The ids as the one value of a parameter of ``match_ids``."""
    numbers = ",".join(map(str, ids))
    return f"{{{numbers}}}" if db.engine.dialect.name == "postgresql" else f"[{numbers}]"


def fetch_raw_rows(statement: Select[Any], parameters: Mapping[str, str]) -> Sequence[RawRow]:
    """All rows of a statement, as the driver makes them."""
    with db.session.connection().execute(statement, parameters) as result:
        rows: Sequence[RawRow] = result.cursor.fetchall()
        return rows
