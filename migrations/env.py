"""Runs migrations with the application's own engine settings, in one transaction and one at a time."""

import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

database = current_app.extensions["migrate"].db

# Each database's own index of the parts of names: no model's.
SEARCHED_BY = ("person_search", "ix_person_name_parts")
# PostgreSQL's advisory lock that whoever migrates a database holds: "portal" as a number.
LOCK = int.from_bytes(b"portal")
WAIT_SECONDS = 600  # for another upgrade to end
WAITING = (
    "Another upgrade of this database is under way, or one that was cut off is being undone, or something"
    " writes to it: waiting for at most ten minutes."
)
STILL_LOCKED = "The database is still locked by another upgrade, or by something that writes to it"


def is_modelled(name: str | None, kind: str, within: object) -> bool:
    """Whether the models speak of what the database has under this name."""
    return not (name or "").startswith(SEARCHED_BY)


def _connection() -> Connection:
    engine = context.config.attributes.get("engine", database.engine)  # given: a copy that is restored
    try:
        connection = engine.connect()
    except DBAPIError as error:
        # Shown as a sentence by the command, without where in the code it happened.
        raise RuntimeError(f"The database cannot be reached: {' '.join(str(error.orig).split())}") from error
    # As a writer: SQLite's write lock is taken at once, and PostgreSQL shows what was committed while
    # this waited, so that the second of two upgrades finds nothing left to do.
    return connection.execution_options(portal_writes=True, portal_wait=1)


def _take_lock(connection: Connection) -> None:
    """Begin the transaction as the only one that migrates this database, or wait for the one that does."""
    is_embedded = connection.dialect.name == "sqlite"
    begin = _begin_sqlite if is_embedded else _begin_postgresql
    last = time.monotonic() + WAIT_SECONDS
    is_told = False
    while not begin(connection):
        if time.monotonic() > last:
            raise RuntimeError(f"{STILL_LOCKED}. Nothing was changed.")
        if not is_told:
            print(WAITING, file=sys.stderr, flush=True)
            is_told = True
        time.sleep(0.2)


def _begin_sqlite(connection: Connection) -> bool:
    try:
        connection.begin()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _begin_postgresql(connection: Connection) -> bool:
    return bool(connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({LOCK})")))


def run() -> None:
    """Upgrade or downgrade, waiting only briefly for a table that the portal uses.

    One transaction holds all migrations, on SQLite too: cut off at any point, the database is as it was.
    """
    applied: Callable[..., Any] | None = context.config.attributes.get("applied")
    with _connection() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            compare_type=True,
            include_name=is_modelled,
            render_as_batch=False,
            transactional_ddl=True,
            on_version_apply=applied,
        )
        _take_lock(connection)
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            context.run_migrations()


run()
