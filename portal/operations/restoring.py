"""Restore: a copy is built beside the database, checked, upgraded, and put in its place in one step."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from portal import clock, presence
from portal.db import db
from portal.errors import RuleError
from portal.operations import archive, checks, schema
from portal.operations.restore_postgresql import PostgresqlTarget
from portal.operations.restore_sqlite import SqliteTarget

SQLITE_MAGIC = b"SQLite format 3\x00"
POSTGRESQL_MAGIC = b"PGDMP"
# What was signed in, promised or half filled in when the backup was made is void.
ENDED = ("sign_in_session", "password_link", "held_form")
# What waited or ran when the backup was made is not begun out of the blue: an administrator decides.
END_JOBS = """
    UPDATE job SET state = 'failed', claim = NULL, ended_at = CURRENT_TIMESTAMP,
        reason = 'The database was restored from a backup that was made before this job ended.'
    WHERE state IN ('waiting', 'running')
"""


@dataclass(slots=True)
class Restored:
    """What a restore did."""

    newest_stamp: str = ""  # the newest fact that came back, as the database writes it
    revision: str = ""  # at which the backup stood
    head: str = ""  # to which it was upgraded
    sessions: int = 0  # ended
    jobs: int = 0  # marked as failed
    kept: str = ""  # where the database before is; empty: there was none


def restore(file: Path, *, replace: bool) -> Restored:
    """Put back the database in ``file``; sessions end, single-use links no longer work, jobs under way fail.

    The database is replaced in one step, after all that can fail; what was there before is kept beside.

    Raises:
        RuleError: The portal runs; the file is no backup of this kind of database, is damaged, or was not
            made by this portal; or the database holds data, or cannot be read, and ``replace`` was not
            said. Nothing is changed.
    """
    with file.open("rb") as read:
        start = read.read(16)
    kind, wanted = ("SQLite", SQLITE_MAGIC) if archive.is_sqlite() else ("PostgreSQL", POSTGRESQL_MAGIC)
    if not start.startswith(wanted):
        raise RuleError(f"{file} is not a backup of a {kind} database. Nothing was changed.")
    target_of = SqliteTarget if archive.is_sqlite() else PostgresqlTarget
    with presence.alone(Path(current_app.instance_path)):
        db.session.remove()
        db.engine.dispose()
        target = target_of(db.engine.url)
        if (state := target.state()) and not replace:
            raise RuleError(f"{state}: say --replace to replace it. Nothing was changed.")
        with target.copied(file) as copy:
            with schema.opened(copy) as engine:
                done = _settle(engine, target)
            done.kept = target.swap(clock.now())
    return done


def _settle(engine: Engine, target: SqliteTarget | PostgresqlTarget) -> Restored:
    """Check the copy, bring it to this release, and end what the backup held open.

    Nothing of it is written to before its schema is known to be the portal's: no trigger of another runs.
    """
    done = Restored(head=checks.head())
    try:
        done.revision = _revision_of(engine)
        with target.empty() as beside, schema.opened(beside) as made:
            schema.upgrade(made, done.revision)
            schema.refuse_differences(schema.schema_of(engine), schema.schema_of(made))
        if done.revision != done.head:
            schema.upgrade(engine, done.head)
        with engine.begin() as connection:
            _end_what_was_open(connection, done)
            as_text = "SELECT CAST(max(recorded_at) AS varchar) FROM stamp"
            done.newest_stamp = connection.scalar(text(as_text)) or ""
    except (DBAPIError, sqlite3.Error) as error:
        said = checks.in_one_line(error)
        raise RuleError(f"The backup is damaged ({said}). Nothing was changed.") from error
    return done


def _revision_of(engine: Engine) -> str:
    """The one revision at which the copy stands.

    Raises:
        RuleError: It has none, or one that this release does not know.
    """
    held: list[str] = []
    if inspect(engine).has_table("alembic_version"):
        with engine.connect() as connection:
            held = list(connection.scalars(text("SELECT version_num FROM alembic_version")))
    if len(held) != 1:
        raise RuleError("The backup says no release that made it. Nothing was changed.")
    if held[0] not in checks.known_revisions():
        raise RuleError(
            f"The backup was made by a newer release (revision {held[0]}): install that release first. "
            "Nothing was changed."
        )
    return held[0]


def _end_what_was_open(connection: Connection, done: Restored) -> None:
    tables = set(inspect(connection).get_table_names())
    in_use = text("SELECT count(*) FROM sign_in_session WHERE ended_at IS NULL")
    done.sessions = connection.scalar(in_use) or 0
    for table in sorted(tables.intersection(ENDED)):
        connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - the names stand above
    if "job" in tables:
        done.jobs = connection.execute(text(END_JOBS)).rowcount
