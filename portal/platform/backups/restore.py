"""Restores a backup: a copy is built, checked and upgraded, and replaces the database in one step."""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from config import current_settings
from portal.platform import clock, presence
from portal.platform.audit.models import AuditEvent
from portal.platform.backups import backup, schema_comparison
from portal.platform.backups.encryption import decrypt_file, is_encrypted
from portal.platform.backups.later_acts import LaterAct, read_acts_after
from portal.platform.backups.manifest import manifest_beside, refuse_changed
from portal.platform.backups.sqlite_target import SqliteTarget
from portal.platform.db import db
from portal.platform.errors import RuleError
from portal.platform.operations import readiness

if TYPE_CHECKING:
    from portal.platform.backups.postgresql_target import PostgresqlTarget

SQLITE_MAGIC = b"SQLite format 3\x00"
POSTGRESQL_MAGIC = b"PGDMP"
# Sessions, password links, requests for one, and half-filled forms of the backup are void.
ENDED = (
    "sign_in_session",
    "pending_sign_in",
    "password_link",
    "held_form",
    "reset_request",
    "known_browser",
)
# Nor are links sent that waited: they were sent, or went out of date, since.
DROP_LINK_MAILS = """
    UPDATE message SET state = 'dropped', reason = 'The database was restored. Ask for another link.'
    WHERE kind IN ('invitation', 'reset') AND state IN ('waiting', 'sending')
"""
END_INVITATIONS = """
    UPDATE invitation SET expires_at = CURRENT_TIMESTAMP
    WHERE used_at IS NULL AND (expires_at IS NULL OR expires_at > CURRENT_TIMESTAMP)
"""
# One that was revoked since would work again: an administrator lets them work, one by one or all.
SUSPEND_TOKENS = """
    UPDATE access_token SET suspended_at = CURRENT_TIMESTAMP
    WHERE revoked_at IS NULL AND suspended_at IS NULL AND expires_at > CURRENT_TIMESTAMP
"""
# Jobs that waited or ran in the backup are not started by themselves: an administrator decides.
END_JOBS = """
    UPDATE job SET state = 'failed', claim = NULL, ended_at = CURRENT_TIMESTAMP,
        reason = 'The database was restored from a backup that was made before this job ended.'
    WHERE state IN ('waiting', 'running')
"""
# What jobs say of backups is of the machine before: here none is made yet, so a worker makes one at once.
FORGET_BACKUPS = "DELETE FROM job WHERE kind IN ('backup', 'backup-rehearsal', 'backup-alarm')"

# Nor are webhooks: the copy may be on another machine, and two would tell the same systems.
PAUSE_WEBHOOKS = "UPDATE webhook SET paused = 'restored' WHERE paused IS NULL"


@dataclass(slots=True)
class Restored:
    """The result of a restore."""

    newest_stamp: str = ""  # the newest fact that came back, as the database writes it
    revision: str = ""  # at which the backup stood
    head: str = ""  # to which it was upgraded
    sessions: int = 0  # ended
    jobs: int = 0  # marked as failed
    webhooks: int = 0  # paused
    tokens: int = 0  # suspended
    audited_until: datetime | None = None  # the newest act that the backup knows
    later_acts: list[LaterAct] | None = None  # by the database before; None: it does not say
    kept: str = ""  # where the database before is; empty: there was none


def restore(
    file: Path, *, replace: bool, identity_file: Path | None = None, actions: Collection[str] = ()
) -> Restored:
    """Put back the database in ``file``: nothing that was open or given in it works by itself.

    Sessions, links and jobs end; access tokens and webhooks wait until somebody lets them work again.

    The database is replaced in one step, after everything that can fail; the old one is kept.

    Args:
        file: The backup. If its manifest stands beside it, it must be what that says.
        replace: Whether to replace a database that holds data or cannot be read.
        identity_file: Opens the backup, if it is encrypted.
        actions: Kinds of act to list that were done after the backup, as far as the database before knows.

    Raises:
        RuleError: The portal runs; the file is no backup of this kind of database, is damaged, cannot be
            opened, or was not made by this portal; or the database holds data, or cannot be read, and
            ``replace`` is false. Nothing is changed.
    """
    if not file.is_file():  # a pipe would be waited for
        raise RuleError(f"{file} is not a file. Nothing was changed.")
    if manifest := manifest_beside(file):
        refuse_changed(file, manifest)
    if not is_encrypted(file):
        return _restore_plain(file, replace, actions)
    if identity_file is None:
        raise RuleError(f"{file} is encrypted: name the identity that opens it with --identity FILE.")
    plain = current_settings().instance / f".{file.name}.decrypted"
    try:
        plain.unlink(missing_ok=True)  # of a restore that was killed
    except OSError as error:
        raise RuleError(
            f"{file} cannot be decrypted to {plain}: {error.strerror}. Nothing was changed."
        ) from error
    try:
        decrypt_file(file, plain, identity_file)
        return _restore_plain(plain, replace, actions)
    finally:
        plain.unlink(missing_ok=True)


def _restore_plain(file: Path, replace: bool, actions: Collection[str]) -> Restored:
    with file.open("rb") as read:
        start = read.read(16)
    kind, magic = ("SQLite", SQLITE_MAGIC) if backup.is_sqlite() else ("PostgreSQL", POSTGRESQL_MAGIC)
    if not start.startswith(magic):
        raise RuleError(f"{file} is not a backup of a {kind} database. Nothing was changed.")
    with presence.hold_alone(current_settings().instance):
        db.session.remove()
        db.engine.dispose()
        target = _target_of(db.engine)
        if (obstacle := target.obstacle_to_replacing()) and not replace:
            raise RuleError(f"{obstacle}: say --replace to replace it. Nothing was changed.")
        with target.copy_of_backup(file) as copy:
            with schema_comparison.open_engine(copy) as engine:
                done = _prepare_copy(engine, target)
            done.kept = target.swap_in_copy(clock.now())
        if done.kept:
            done.later_acts = read_acts_after(target.url_of_kept(done.kept), done.audited_until, actions)
    return done


def _target_of(engine: Engine) -> "SqliteTarget | PostgresqlTarget":
    if backup.is_sqlite():
        return SqliteTarget(engine.url)
    from portal.platform.backups.postgresql_target import PostgresqlTarget  # 9 MiB, unused beside SQLite

    return PostgresqlTarget(engine.url)


def _prepare_copy(engine: Engine, target: "SqliteTarget | PostgresqlTarget") -> Restored:
    """Check the copy, upgrade it to this release, and end its open sessions, links and jobs.

    Nothing is written to it before its schema is known to be the portal's, so no foreign trigger runs.
    """
    done = Restored(head=readiness.head())
    try:
        done.revision = check_schema(engine, target)
        if done.revision != done.head:
            schema_comparison.upgrade_database(engine, done.head)
        with engine.begin() as connection:
            _end_what_was_open(connection, done)
            as_text = "SELECT CAST(max(recorded_at) AS varchar) FROM stamp"
            done.newest_stamp = connection.scalar(text(as_text)) or ""
            done.audited_until = connection.scalar(select(func.max(AuditEvent.happened_at)))
    except (DBAPIError, sqlite3.Error) as error:
        cause = readiness.in_one_line(error)
        raise RuleError(f"The backup is damaged ({cause}). Nothing was changed.") from error
    return done


def check_schema(engine: Engine, target: "SqliteTarget | PostgresqlTarget") -> str:
    """Refuse a copy whose schema is not what the migrations of its revision make; returns that revision.

    Raises:
        RuleError: It was not made by this portal, or by a newer release.
    """
    revision = _revision_of(engine)
    with target.empty_database() as beside, schema_comparison.open_engine(beside) as expected:
        schema_comparison.upgrade_database(expected, revision)
        schema_comparison.refuse_differences(
            schema_comparison.schema_of(engine), schema_comparison.schema_of(expected)
        )
    return revision


def _revision_of(engine: Engine) -> str:
    """The migration revision of the copy.

    Raises:
        RuleError: It has none, or one that this release does not know.
    """
    revisions: list[str] = []
    if inspect(engine).has_table("alembic_version"):
        with engine.connect() as connection:
            revisions = list(connection.scalars(text("SELECT version_num FROM alembic_version")))
    if len(revisions) != 1:
        raise RuleError("The backup says no release that made it. Nothing was changed.")
    if revisions[0] not in readiness.known_revisions():
        raise RuleError(
            f"The backup was made by a newer release (revision {revisions[0]}): install that release first. "
            "Nothing was changed."
        )
    return revisions[0]


def _end_what_was_open(connection: Connection, done: Restored) -> None:
    tables = set(inspect(connection).get_table_names())
    in_use = text("SELECT count(*) FROM sign_in_session WHERE ended_at IS NULL")
    done.sessions = connection.scalar(in_use) or 0
    for table in sorted(tables.intersection(ENDED)):
        connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - the names stand above
    if "job" in tables:
        connection.execute(text(FORGET_BACKUPS))
        done.jobs = connection.execute(text(END_JOBS)).rowcount
    for statement in (DROP_LINK_MAILS, END_INVITATIONS):
        connection.execute(text(statement))
    done.tokens = connection.execute(text(SUSPEND_TOKENS)).rowcount
    if "webhook" in tables:
        done.webhooks = connection.execute(text(PAUSE_WEBHOOKS)).rowcount
