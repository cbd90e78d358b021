"""Days, instants and scores as files write them, made straight from what a column holds.

A file of a whole force has two million cells: making a date of each, only to write it as text again,
would take longer than reading them.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, type_coerce
from sqlalchemy.types import UserDefinedType

K = TypeVar("K")
V = TypeVar("V")


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


def instant_text(held: str | datetime) -> str:
    """An instant as ``held`` gives it, in UTC with Z: SQLite holds "2026-04-18 12:00:00.000000", in UTC."""
    if isinstance(held, str):
        return f"{held[:10]}T{held[11:19] if held.endswith('.000000') else held[11:]}Z"
    return utc_text(held)


def day_text(held: str | date) -> str:
    """A day as ``held`` gives it, in ISO form: that is how SQLite holds it."""
    return held if isinstance(held, str) else held.isoformat()


class _Held(UserDefinedType[Any]):
    cache_ok = True


def held(column: Any) -> ColumnElement[Any]:
    """A column read as the driver gives it: text or a number on SQLite, else a day, instant or decimal."""
    return type_coerce(column, _Held())
