"""Days, instants and scores as files write them, made straight from what a column holds.

A file of a whole force has two million cells: making a date of each, only to write it as text again,
would take longer than reading them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
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


class Kept(dict[K, V]):
    """What was made of a value, made once: for values that come again and again."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        value = self[key] = self._make(key)
        return value


_WHOLE = ("+00", ".000000")  # how a second without a fraction ends on PostgreSQL and on SQLite


def utc_text(instant: datetime) -> str:
    """The instant in UTC, ISO 8601 with Z, to the microsecond where it has any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant_text(held: str) -> str:
    """An instant as ``as_text`` gives it, in UTC with Z.

    SQLite holds all of its six places, PostgreSQL ends after the last that is not zero.

    >>> instant_text("2026-04-18 12:00:00.000000"), instant_text("2026-04-18 12:00:00+00")
    ('2026-04-18T12:00:00Z', '2026-04-18T12:00:00Z')
    >>> instant_text("2026-04-18 12:00:00.020000"), instant_text("2026-04-18 12:00:00.02+00")
    ('2026-04-18T12:00:00.020000Z', '2026-04-18T12:00:00.020000Z')
    """
    second, rest = held[:19].replace(" ", "T"), held[19:]
    return f"{second}Z" if rest in _WHOLE else f"{second}.{rest[1:].removesuffix('+00'):0<6}Z"


def day_text(held: str | date) -> str:
    """A day as ``held`` gives it, in ISO form: that is how SQLite holds it."""
    return held if isinstance(held, str) else held.isoformat()


class _Held(UserDefinedType[Any]):
    cache_ok = True


def held(column: Any) -> ColumnElement[Any]:
    """A column read as the driver gives it: a day is text on SQLite."""
    return type_coerce(column, _Held())


def written(column: Any) -> ColumnElement[Any]:
    """A score or an instant in UTC as the database writes it: no decimal and no instant is made of it.

    SQLite's scores are numbers, and turning them into text is its dearest part of a row.
    """
    return cast(column, String) if db.engine.dialect.name == "postgresql" else held(column)


def among(column: Any, name: str) -> ColumnElement[bool]:
    """That a column is one of the ids that a statement is given by this name, as ``ids_text`` writes them.

    Its text is then the same however many they are: the database plans it once for all batches.
    """
    ids = bindparam(name, type_=String)
    if db.engine.dialect.name == "postgresql":
        return and_(column == any_(cast(ids, ARRAY(BigInteger))))
    each = func.json_each(ids).table_valued("value")
    return and_(column.in_(select(each.c.value)))


def ids_text(ids: Iterable[int]) -> str:
    """The ids as one value."""
    numbers = ",".join(map(str, ids))
    return f"{{{numbers}}}" if db.engine.dialect.name == "postgresql" else f"[{numbers}]"


def tuples(statement: Any, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    """Every row of a statement whose columns need nothing done to them, as the driver makes it."""
    with db.session.connection().execute(statement, values) as result:
        rows: Sequence[tuple[Any, ...]] = result.cursor.fetchall()
        return rows
