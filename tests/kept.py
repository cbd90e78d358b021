"""A world that many tests begin with, made by the portal once and brought back row by row after that.

To make a force of ten and its history takes the portal half a second, and hundreds of tests begin with the
same one. The first makes it; what it wrote is read table by table, and the next test gets the same rows.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Table, exists, or_, select

from portal.platform.db import db

P = ParamSpec("P")
World = TypeVar("World")
Rows = dict[str, Any]  # by table


def made_once(make: Callable[P, World]) -> Callable[P, World]:
    """Keep what ``make`` writes into an empty database, by its arguments and for each engine."""
    kept: WeakKeyDictionary[Engine, dict[str, tuple[World, Rows]]] = WeakKeyDictionary()

    @wraps(make)
    def bring_back(*arguments: P.args, **named: P.kwargs) -> World:
        if _has_any(["stamp"]):
            return make(*arguments, **named)  # something is there already, which it joins
        worlds = kept.setdefault(db.session.connection().engine, {})
        case = repr((arguments, named))
        if case in worlds:
            world, rows = worlds[case]
            if _has_any(rows):
                return make(*arguments, **named)  # such as a job that was started before
            _write(rows)
            return deepcopy(world)
        before = _read()
        world = make(*arguments, **named)
        after = _read()
        if all(after[table] == rows for table, rows in before.items()):
            worlds[case] = deepcopy(world), {t: rows for t, rows in after.items() if t not in before}
        return world

    return bring_back


def _has_any(tables: Iterable[str]) -> bool:
    """Whether one of these tables has a row."""
    filled = [exists(select(1).select_from(db.metadata.tables[name])) for name in tables]
    return bool(db.session.scalar(select(or_(*filled))))


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns if column.computed is None)


def _driver() -> Any:
    db.session.commit()
    return db.session.connection().connection.driver_connection


def _read() -> Rows:
    """The rows of every table that has any, as the driver gives them."""
    driver = _driver()
    found: Rows = {}
    for table in db.metadata.sorted_tables:
        if db.engine.dialect.name == "postgresql":
            with driver.cursor().copy(f'COPY "{table.name}" ({_columns(table)}) TO STDOUT') as copy:
                rows: Any = b"".join(copy)
        else:
            key = ", ".join(column.name for column in table.primary_key)
            rows = driver.execute(f'SELECT {_columns(table)} FROM "{table.name}" ORDER BY {key}').fetchall()
        if rows:
            found[table.name] = rows
    return found


def _write(kept: Rows) -> None:
    driver = _driver()
    for name, rows in kept.items():  # in the order in which tables refer to one another
        columns = _columns(db.metadata.tables[name])
        if db.engine.dialect.name == "postgresql":
            with driver.cursor().copy(f'COPY "{name}" ({columns}) FROM STDIN') as copy:
                copy.write(rows)
        else:
            places = ", ".join("?" * len(rows[0]))
            driver.executemany(f'INSERT INTO "{name}" ({columns}) VALUES ({places})', rows)
    db.session.commit()
