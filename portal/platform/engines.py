"""The engines of the portal, the database and a replica of it where one is set, and their connections."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import ArgumentError

from portal.platform.observability.statements import count_statements
from portal.platform.write_lock import (
    BUSY_SECONDS,
    commit_and_sync,
    prepare_release,
    roll_back,
    take_write_lock,
    wait_for_others,
)

LOCK_TIMEOUT = "30s"  # for another writer on PostgreSQL, which may be a whole import
REPLICA = "replica"  # the key of its engine
DRIVER = "postgresql+psycopg://"
CONNECT_SECONDS = 2  # to the replica; then reports are read from the database itself

# A new connection costs as much as a page: SQLite reads the whole schema, PostgreSQL starts a process and
# has no plans. So each thread of a web process may keep one, and the one that was used last is used next.
# A worker with many jobs opens more: threads that wait for each other's connections might wait for ever.
POOL: dict[str, Any] = {"pool_size": 18, "max_overflow": -1, "pool_use_lifo": True}

# Execution options of a statement that is planned once for each connection to PostgreSQL, not at each call.
PLANNED_ONCE = {"planned_once": True}
_HAS_WRITTEN = "has_written"  # of a connection: whether its transaction may have changed something
_IN_TRANSACTION = 2  # as libpq numbers it; a transaction with an error has another number


class RoutedSession(Session):
    """The session of a request, a job or a command.

    ``info["reads_from"]`` is the engine of the replica that it reads from, from now on; if there is none,
    it reads from the database itself. ``db.transaction`` always writes to the database itself.
    """

    def get_bind(self, *args: Any, **options: Any) -> Engine | Connection:
        """The engine of the next statement."""
        return self.info.get("reads_from") or super().get_bind(*args, **options)


SESSION_OPTIONS = {"class_": RoutedSession, "join_transaction_mode": "create_savepoint"}


def with_driver(url: str) -> str:
    """The address of a database; of PostgreSQL, through psycopg 3.

    >>> with_driver("postgres://portal@db/portal"), with_driver("sqlite:///portal.sqlite")
    ('postgresql+psycopg://portal@db/portal', 'sqlite:///portal.sqlite')
    """
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return DRIVER + url.removeprefix(prefix)
    return url


def list_database_faults(url: str, replica_url: str) -> Iterator[str]:
    """What is wrong with the addresses of the database and of its replica; a sentence for each.

    Args:
        url: Of the database, with its driver.
        replica_url: Of the replica; empty where there is none.
    """
    is_file = url.startswith("sqlite:///") and len(url) > len("sqlite:///")
    try:
        is_known = is_file or make_url(url).drivername + "://" == DRIVER
    except (ArgumentError, ValueError):
        is_known = False
    if not is_known:
        yield "DATABASE_URL begins with postgresql://, or with sqlite:/// and the path of a file."
    elif not is_file and not _has_driver():
        yield "DATABASE_URL needs PostgreSQL's libpq: install it, on Debian with apt-get install libpq5"
    if replica_url and (is_file or not with_driver(replica_url).startswith(DRIVER)):
        yield "REPLICA_URL begins with postgresql://, and DATABASE_URL does too."


def _has_driver() -> bool:
    try:
        import psycopg  # noqa: F401 - 9 MiB, which are not loaded beside SQLite
    except ImportError:  # it looks for libpq when it is imported
        return False
    return True


def replica_engines(url: str) -> dict[str, dict[str, Any]]:
    """The settings of the replica's engine, for Flask-SQLAlchemy; none where there is no replica."""
    if not url:
        return {}
    options = {"connect_args": {"connect_timeout": CONNECT_SECONDS}, "pool_pre_ping": True}
    return {REPLICA: {"url": with_driver(url), **options, **POOL}}


def prepare_engine(engine: Engine) -> None:
    """Set what every connection must have; a test asserts each on every connection."""
    count_statements(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "commit", _commit_sqlite)
        event.listen(engine, "rollback", _roll_back_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "begin", _begin_postgresql)
        event.listen(engine, "before_cursor_execute", _note_writes)
        event.listen(engine, "do_execute", _execute_planned_once)
        event.listen(engine, "rollback", _end_reading)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin or commit by itself
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # an acknowledged commit survives a power cut
        "foreign_keys = ON",
        "recursive_triggers = ON",  # INSERT OR REPLACE would pass the delete trigger without it
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "cache_size = -2000",  # a connection; the operating system keeps the pages for all of them
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    """Take SQLite's write lock at the start of a unit of work: FOR UPDATE does nothing there."""
    options = connection.get_execution_options()
    if options.get("portal_writes"):
        driver = connection.connection.dbapi_connection
        if options.get("portal_early_release"):
            prepare_release(driver)
        take_write_lock(driver, _folder_of(connection.engine), options.get("portal_wait"))
    else:  # cannot fail, so it goes straight to the driver
        connection.connection.dbapi_connection.execute("BEGIN")


def _commit_sqlite(connection: Any) -> None:
    """Commit what may be committed before it is on the disk; SQLAlchemy then finds nothing to commit."""
    if _releases_early(connection):
        commit_and_sync(connection.connection.dbapi_connection, Path(connection.engine.url.database))


def _roll_back_sqlite(connection: Any) -> None:
    if _releases_early(connection) and not connection.invalidated:
        roll_back(connection.connection.dbapi_connection)


def _releases_early(connection: Any) -> bool:
    options = connection.get_execution_options()
    return bool(options.get("portal_writes") and options.get("portal_early_release"))


def let_others_write(engine: Engine | Connection, seconds: float) -> None:
    """Wait, between two transactions, until nobody waits for the lock any more; at most so long.

    PostgreSQL gives its lock to those who wait, in their order, so there nothing is to be done.
    """
    if engine.dialect.name == "sqlite":
        wait_for_others(_folder_of(engine), seconds)


def _folder_of(engine: Engine | Connection) -> Path:
    return Path(engine.engine.url.database or "").parent


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute("SET application_name = 'portal'")  # so that whoever looks at the server knows it
        cursor.execute("SET synchronous_commit = on")
        # A page's statements take milliseconds; compiling one with many branches takes a second, each time.
        cursor.execute("SET jit = off")
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    # The plan of a report depends on its day: only what says so with PLANNED_ONCE keeps its plan.
    connection.prepare_threshold = sys.maxsize  # None would refuse those too
    connection.commit()


def _begin_postgresql(connection: Any) -> None:
    """Let a reader see one state, as on SQLite; a writer sees what was committed while it waited."""
    writes = connection.get_execution_options().get("portal_writes")
    connection.info[_HAS_WRITTEN] = bool(writes)
    # READ COMMITTED and REPEATABLE READ as psycopg numbers them: its 9 MiB are not loaded beside SQLite.
    level = 2 if writes else 3
    connection.connection.dbapi_connection.isolation_level = level  # nothing is sent before the first read


def _note_writes(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    if not statement.startswith(("SELECT", "WITH")):
        connection.info[_HAS_WRITTEN] = True


def _execute_planned_once(cursor: Any, statement: str, values: Any, context: Any) -> bool:
    """Execute a statement that keeps its plan; whether it was one."""
    if not (context and context.execution_options.get("planned_once")):
        return False
    cursor.execute(statement, values, prepare=True)
    return True


def _end_reading(connection: Any) -> None:
    """Commit a transaction that has only read, in place of its rollback: at one, psycopg drops all plans."""
    if connection.invalidated:  # the server is gone, and its transaction with it
        return
    driver = connection.connection.dbapi_connection
    if not connection.info.get(_HAS_WRITTEN, True) and driver.info.transaction_status == _IN_TRANSACTION:
        driver.commit()
