"""Checks that must pass before the portal can serve, and further checks for monitoring."""

import sqlite3
import tempfile
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from config import current_settings
from portal.platform import clock
from portal.platform.db import db, newest_stamp
from portal.platform.jobs.queries import are_jobs_neglected
from portal.platform.observability.logs import get_logger

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"

_log = get_logger("portal.checks")
Check = Callable[[], bool]
UPGRADE = "run flask --app wsgi db upgrade"


def database() -> bool:
    """Whether the database answers."""
    return bool(db.session.scalar(text("SELECT 1")) == 1)


def migrations() -> bool:
    """Whether the database stands at the newest migration."""
    return current_revisions() == {head()}


def can_write_disk() -> bool:
    """Whether the instance folder can be written."""
    with tempfile.TemporaryFile(dir=current_settings().instance) as probe:
        probe.write(b"ready")
    return True


def jobs() -> bool:
    """Whether workers take up the jobs that wait."""
    return not are_jobs_neglected(clock.now())


def stamps_agree_with_clock() -> bool:
    """Whether the newest stamp is at most a minute ahead of the clock; logs a warning if not."""
    newest, now = newest_stamp(), clock.now()
    clock.warn_of_stamps(newest, now)
    return not clock.is_ahead(newest, now)


NEEDED: dict[str, Check] = {"database": database, "migrations": migrations, "disk": can_write_disk}
WATCHED: dict[str, Check] = {"jobs": jobs, "clock": stamps_agree_with_clock}  # the portal serves without them


def run_checks(checks: dict[str, Check], *, log: bool) -> dict[str, bool]:
    """Run the checks; whether each passes, by its name. With ``log``, failures are logged, in one line."""
    results: dict[str, bool] = {}
    failed = []
    for name, check in checks.items():
        try:
            results[name], reason = check(), ""
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            db.session.rollback()
            results[name], reason = False, f" ({in_one_line(error)})"
        if not results[name]:
            failed.append(f"{name}{reason}")
    if failed and log:
        _log.error("checks.failed", checks=failed)
    return results


def in_one_line(error: Exception) -> str:
    """Type and first 200 characters of an error; database drivers put no password in them."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"


def sentence_of_database_error(error: Exception) -> str:
    """The sentence that says why the database cannot be used."""
    return f"The database cannot be used: {in_one_line(error)}."


def current_revisions() -> set[str]:
    """The migration revisions of the database: one, or none if it is empty."""
    return revisions_of(db.session.connection())


def revisions_of(connection: Connection) -> set[str]:
    """The migration revisions of the database that is connected to: one, or none if it is empty."""
    return set(MigrationContext.configure(connection).get_current_heads())


@cache
def head() -> str:
    """The newest migration's revision."""
    newest = migration_scripts().get_current_head()
    assert newest is not None
    return newest


def known_revisions() -> set[str]:
    """Every revision that this release can upgrade."""
    return {script.revision for script in migration_scripts().walk_revisions()}


def migration_scripts() -> ScriptDirectory:
    """The migrations of this release."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def reason_against_database() -> str:
    """Reason why commands cannot use the database; empty if it is at the newest migration."""
    try:
        return reason_against_connection(db.session.connection())
    except (DBAPIError, sqlite3.Error) as error:
        return sentence_of_database_error(error)
    finally:
        db.session.rollback()


def reason_against_connection(connection: Connection) -> str:
    """Reason why this release cannot use this database; empty if it is at the newest migration."""
    revisions = revisions_of(connection)
    if revisions == {head()}:
        return ""
    if not revisions and not inspect(connection).get_table_names():
        return f"The database is empty: {UPGRADE}"
    if unknown := revisions - known_revisions():
        return newer_release_words(unknown)
    return f"The database is of an older release: {UPGRADE}"


def newer_release_words(unknown: Collection[str]) -> str:
    """What to do about a database with migrations that this release does not have."""
    return f"The database is of a newer release ({', '.join(sorted(unknown))}): install that release."
