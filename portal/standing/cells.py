"""Days, instants and scores as files write them, made straight from what a column holds.

A file of a whole force has two million cells: making a date of each, only to write it as text again,
would take longer than reading them.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, type_coerce
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import UserDefinedType

K = TypeVar("K")
V = TypeVar("V")

Reader = Callable[[Any], str | None]


class Kept(dict[K, V]):
    """What was made of a value, made once: for values that come again and again."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        value = self[key] = self._make(key)
        return value


def utc_text(instant: datetime) -> str:
    """The instant in UTC, ISO 8601 with Z, to the microsecond where it has any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _instant(value: datetime | None) -> str | None:
    return None if value is None else utc_text(value)


def _instant_of_sqlite(value: str | None) -> str | None:
    """From "2026-04-18 12:00:00.000000", which is UTC."""
    if value is None:
        return None
    return f"{value[:10]}T{value[11:19] if value.endswith('.000000') else value[11:]}Z"


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


class _IsoInstant(UserDefinedType[str]):
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader:
        return _instant_of_sqlite if dialect.name == "sqlite" else _instant


class _IsoDay(UserDefinedType[str]):
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader | None:
        return None if dialect.name == "sqlite" else _day  # SQLite holds the very text


class _Held(UserDefinedType[Any]):
    cache_ok = True


def iso_instant(column: Any) -> ColumnElement[str]:
    """A column of instants, read as text in UTC with Z."""
    return type_coerce(column, _IsoInstant())


def iso_day(column: Any) -> ColumnElement[str]:
    """A column of days, read as ISO text."""
    return type_coerce(column, _IsoDay())


def held(column: Any) -> ColumnElement[Any]:
    """A column of decimals, read as the number that the driver gives: few of them differ."""
    return type_coerce(column, _Held())
