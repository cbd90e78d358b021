"""Checks that must pass before the portal can serve, and further checks for monitoring."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from time import monotonic

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, create_engine, func, inspect, make_url, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from config import current_settings
from portal.platform import clock, presence
from portal.platform.db import Stamp, db, newest_stamp
from portal.platform.engines import REPLICA
from portal.platform.errors import RuleError
from portal.platform.jobs.services import are_jobs_neglected
from portal.platform.observability.logs import get_logger
from portal.platform.replica import newest_replayed_stamp
from portal.platform.wording import plural

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


@cache
def _first_migration() -> Script:
    return next(script for script in migration_scripts().walk_revisions() if script.down_revision is None)


def known_revisions() -> set[str]:
    """Every revision that this release can upgrade."""
    return {script.revision for script in migration_scripts().walk_revisions()}


def migration_scripts() -> ScriptDirectory:
    """The migrations of this release."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def reason_against_database(*, may_be_older: bool = False) -> str:
    """Reason why commands cannot use the database; empty if it is at the newest migration.

    Args:
        may_be_older: Whether it may be empty or at an older migration of this release as well.
    """
    try:
        connection = db.session.connection()
        if may_be_older:
            return reason_against_revisions(revisions_of(connection))
        return reason_against_connection(connection)
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
    return reason_against_revisions(revisions) or f"The database is of an older release: {UPGRADE}"


def reason_against_revisions(revisions: Collection[str]) -> str:
    """Reason why this release cannot upgrade a database at these revisions; empty if it can."""
    unknown = sorted(set(revisions) - known_revisions())
    if not unknown:
        return ""
    names = ", ".join(unknown)
    if is_before_first(unknown[0]):
        release = oldest_release()
        return (
            f"The database is of a release before {release} ({names}): install release {release} and upgrade"
            " the database with it first, then with this release."
        )
    return f"The database is of a newer release ({names}): install that release."


def is_before_first(revision: str) -> bool:
    """Whether a revision is older than the first migration of this release, which stands for it."""
    return revision.isdecimal() and revision < _first_migration().revision


def oldest_release() -> str:
    """The oldest release whose database this one can upgrade, as its first migration says."""
    release: str = _first_migration().module.release
    return release


# Watches whether the database is at this release's newest migration, for processes that run for long.
#
# A server may be started before ``db upgrade``, and a database may be upgraded under one. Until both are
# of one release again, pages answer that the portal is being upgraded, and workers take up no job.

_schema_log = get_logger("portal.schema")
CURRENT_SECONDS = 10
OTHER_SECONDS = 1  # between two looks at a database of another release
CONNECT_SECONDS = 2
PRESENCE_SECONDS = 2  # for an upgrade to release the lock after its last statement


class SchemaWatch:
    """What one process knows of the database's release.

    It looks through connections of its own, so that a restore or an upgrade that needs a stop can replace
    the database under a process that waits for it. From when the process uses the database, it holds the
    presence of ``portal.platform.presence``, which keeps both away.
    """

    def __init__(self, url: str, instance: Path, forget_connections: Callable[[], None]) -> None:
        """Look at nothing yet.

        Args:
            url: Of the database.
            instance: The instance folder.
            forget_connections: Called before the process uses a database that it had waited for.
        """
        self._url, self._instance, self._forget_connections = make_url(url), instance, forget_connections
        self._looking = Lock()
        self.current_seconds = CURRENT_SECONDS  # between two looks at a database at the newest migration
        self._next_look = 0.0
        self._reason = ""
        self._is_of_server = False

    def reason_to_wait(self) -> str:
        """Why this process cannot use the database now; empty if it can, as far as the last look says."""
        is_first = not self._next_look  # of several threads all wait for the first look, and one looks again
        if monotonic() >= self._next_look and self._looking.acquire(blocking=is_first):
            try:
                if monotonic() >= self._next_look:
                    self._check_schema()
            finally:
                self._looking.release()
        return self._reason

    def watch_for_server(self) -> None:
        """Hold this process's presence from when the database can be used; looks at once.

        Raises:
            RestoringError: It could be, but a restore or an upgrade is under way.
        """
        self._is_of_server = True
        if not self._reason_of_database():
            presence.hold_presence(self._instance, wait_seconds=PRESENCE_SECONDS)

    def _check_schema(self) -> None:
        reason = self._reason_of_database()
        if not reason:
            reason = self._reason_of_presence()
        if reason and reason != self._reason:
            _schema_log.error("pages.refused", reason=reason)
        elif self._reason and not reason:
            self._forget_connections()
            _schema_log.warning("pages.served_again")
        self._reason = reason
        self._next_look = monotonic() + (OTHER_SECONDS if reason else self.current_seconds)

    def _reason_of_database(self) -> str:
        """Of which other release it is; empty also if it does not answer for the first time, as pages say."""
        is_embedded = self._url.get_backend_name() == "sqlite"
        if is_embedded and not Path(self._url.database or "").exists():
            return ""
        options = {"timeout" if is_embedded else "connect_timeout": CONNECT_SECONDS}
        engine = create_engine(self._url, poolclass=NullPool, connect_args=options)
        try:
            with engine.connect() as connection:
                return reason_against_connection(connection)
        except (DBAPIError, sqlite3.Error):
            return self._reason
        finally:
            engine.dispose()

    def _reason_of_presence(self) -> str:
        if not self._is_of_server:
            return ""
        try:
            presence.hold_presence(self._instance)
        except presence.RestoringError as error:
            return str(error)
        return ""


# What an upgrade of the database would do: its migrations, whether they need a stop, and about how long.
#
# Each file in ``migrations/versions`` says so itself: the first paragraph of its docstring is the
# sentence for operators, ``needs_stop`` is true where a server of the release before would fail or write
# what is wrong afterwards, and ``seconds_per_million_rows`` has for each kind of database the tables that
# it reads or writes whole, with the rate that was measured, on two processors that were busy with other
# work.

SECONDS_EACH = 0.05  # that a migration takes on an empty database
LEAST_SAID = 5  # seconds: less is not worth an estimate


@dataclass(frozen=True, slots=True)
class PlannedMigration:
    """One migration that an upgrade would run.

    Attributes:
        sentence: What it does, for operators.
        needs_stop: Whether servers and workers must be stopped while it runs.
        rows: How many rows it goes through, by table.
        seconds: How long it will take, estimated from these.
    """

    revision: str
    sentence: str
    needs_stop: bool
    rows: dict[str, int]
    seconds: float


def plan_upgrade(connection: Connection, target: str) -> list[PlannedMigration]:
    """The migrations from what the database has to ``target``, in the order in which they run.

    Args:
        connection: To the database.
        target: A revision, or ``head``.
    """
    current = revisions_of(connection)
    known = known_revisions()
    if reason := reason_against_revisions(current):
        raise RuleError(reason)
    if target not in {"head", *known}:
        raise RuleError(f"This release has no migration {target}.")
    try:
        steps = list(migration_scripts().iterate_revisions(target, tuple(current) or "base"))
    except RevisionError as error:
        raise RuleError(
            f"The database is at {', '.join(sorted(current))}, beyond {target}: going back is to restore a"
            " backup, see docs/operating/upgrade.md."
        ) from error
    tables = set(inspect(connection).get_table_names())
    counts: dict[str, int] = {}
    return [_plan_migration(script, connection, tables, counts) for script in reversed(steps)]


def _plan_migration(
    script: Script, connection: Connection, tables: set[str], counts: dict[str, int]
) -> PlannedMigration:
    all_rates: dict[str, dict[str, float]] = getattr(script.module, "seconds_per_million_rows", {})
    rates = all_rates.get(connection.dialect.name, {})
    rows = {}
    for table in tables.intersection(rates):
        if table not in counts:
            counts[table] = connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608 - ours
        rows[table] = counts[table]
    return PlannedMigration(
        revision=script.revision,
        sentence=" ".join(script.longdoc.partition("\n\n")[0].split()),
        needs_stop=getattr(script.module, "needs_stop", False),
        rows=rows,
        seconds=SECONDS_EACH + sum(count / 1_000_000 * rates[table] for table, count in rows.items()),
    )


def duration_words(seconds: float) -> str:
    """About how long, never more exact than an estimate is.

    >>> duration_words(3), duration_words(41.7), duration_words(200)
    ('less than 5 seconds', 'about 42 seconds', 'about 4 minutes')
    """
    if seconds < LEAST_SAID:
        return f"less than {LEAST_SAID} seconds"
    if seconds < 90:
        return f"about {plural(round(seconds), 'second')}"
    return f"about {plural(-int(-seconds // 60), 'minute')}"


# Figures that no request has: sizes of database and disk, and how far the replica is behind.


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The disk of the instance folder, in bytes."""

    total: int
    free: int


def read_disk_space() -> DiskSpace:
    """The space of the disk that holds the instance folder, and with SQLite the database."""
    usage = shutil.disk_usage(current_settings().instance)
    return DiskSpace(usage.total, usage.free)


def read_database_bytes() -> int:
    """The size of the database, with its indexes."""
    is_embedded = db.engine.dialect.name == "sqlite"
    size = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if is_embedded
        else "SELECT pg_database_size(current_database())"
    )
    return int(db.session.execute(text(size)).scalar_one())


def read_replica_lag(at: datetime) -> float | None:
    """For how many seconds the replica has lacked its oldest lack; 0 where it lacks none. It exists.

    None where it does not answer.
    """
    try:
        replayed = newest_replayed_stamp(db.engines[REPLICA])
    except DBAPIError:
        return None
    missing = select(func.min(Stamp.recorded_at))
    if replayed is not None:
        missing = missing.where(Stamp.recorded_at > replayed)
    oldest = db.session.scalar(missing)
    return 0.0 if oldest is None else max(0.0, (at - oldest).total_seconds())


def has_replica() -> bool:
    """Whether reports are read from a replica."""
    return REPLICA in db.engines
