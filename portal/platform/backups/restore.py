"""Restores a backup: a copy is built, checked and upgraded, and replaces the database in one step."""

import csv
import os
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    NullPool,
    String,
    Table,
    create_engine,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from config import current_settings
from portal.feature import RestoreStep, list_features
from portal.platform import clock, presence
from portal.platform.audit import AuditEvent
from portal.platform.backups import copies
from portal.platform.backups.copies import decrypt_file, is_encrypted, manifest_beside, refuse_changed
from portal.platform.db import db
from portal.platform.errors import BadInputError, RuleError
from portal.platform.operations import readiness

if TYPE_CHECKING:
    from portal.platform.backups.postgresql_target import PostgresqlTarget


# Replaces the embedded database, which may be damaged, by a copy in one step.

BESIDE = ("-wal", "-shm", "-journal")
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
WAL_VERSION = 2  # in bytes 18 and 19 of a file that was copied from under a running portal


class SqliteTarget:
    """The database file to restore, the copy built beside it, and the replacement of one by the other."""

    def __init__(self, url: URL) -> None:
        self.file = file = Path(url.database or "")
        self.copy = file.with_name(f".{file.name}.restoring")

    def obstacle_to_replacing(self) -> str:
        """Reason why the file should not be replaced, as the start of a sentence; empty if there is none."""
        if not self.file.exists():
            return ""
        try:
            with closing(sqlite3.connect(f"file:{self.file}?mode=rw", uri=True, timeout=0)) as connection:
                tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
                if "person" in tables and connection.execute("SELECT 1 FROM person LIMIT 1").fetchone():
                    return "The database holds data"
        except sqlite3.DatabaseError as error:
            _refuse_if_file_in_use(error)
            return f"The database cannot be read ({error})"
        return ""

    @contextmanager
    def copy_of_backup(self, file: Path) -> Iterator[URL]:
        """A copy of the backup beside the database, checked for damage."""
        _refuse_part(file)
        _remove_database(self.copy)
        try:
            try:
                shutil.copyfile(file, self.copy)
                self.copy.chmod(0o600)
            except OSError as error:
                raise RuleError(
                    f"{self.copy} cannot be written: {error.strerror}. Nothing was changed."
                ) from error
            _refuse_damage(self.copy)
            yield _sqlite_url(self.copy)
        finally:
            _remove_database(self.copy)

    @contextmanager
    def empty_database(self) -> Iterator[URL]:
        """An empty database beside it, for the migrations to fill."""
        file = self.file.with_name(f".{self.file.name}.expected")
        _remove_database(file)
        try:
            yield _sqlite_url(file)
        finally:
            _remove_database(file)

    def url_of_kept(self, kept: str) -> URL:
        """The database that was replaced, to be read and nothing else."""
        return URL.create("sqlite", database=f"file:{kept}", query={"immutable": "1", "uri": "true"})

    def swap_in_copy(self, now: datetime) -> str:
        """Put the copy in the database's place; returns the path at which the old database is kept.

        If the process is killed at any point, either the old or the new database is complete: the write-ahead
        log is merged into the old file before the new one takes its name. Only if the old database is damaged
        is its log instead moved beside the kept file, just before that.

        Raises:
            RuleError: Some process has the database open.
        """
        _make_one_file(self.copy)
        if not self.file.exists():
            for beside in BESIDE:  # of a file that is gone: never to be applied to another
                self.file.with_name(self.file.name + beside).unlink(missing_ok=True)
            self.copy.replace(self.file)
            _sync_folder(self.file.parent)
            return ""
        old_file = self.file.with_name(f"{self.file.name}.before-restore-{now:%Y%m%dT%H%M%S.%fZ}")
        with closing(sqlite3.connect(self.file, isolation_level=None, timeout=0)) as connection:
            is_checkpointed = _closed_to_others(connection)
            os.link(self.file, old_file)
            _sync_folder(self.file.parent)
            if not is_checkpointed:
                self._move_log(old_file)
            self.copy.replace(self.file)
        _sync_folder(self.file.parent)
        return str(old_file)

    def _move_log(self, old_file: Path) -> None:
        for beside in BESIDE:
            with suppress(FileNotFoundError):
                self.file.with_name(self.file.name + beside).rename(
                    old_file.with_name(old_file.name + beside)
                )


def _sqlite_url(file: Path) -> URL:
    return URL.create("sqlite", database=str(file))


def _refuse_part(file: Path) -> None:
    with file.open("rb") as read:
        versions = read.read(20)[18:]
    log = file.with_name(f"{file.name}-wal")
    if WAL_VERSION in versions and log.exists() and log.stat().st_size:
        raise RuleError(
            f"{file} is a part of a database: {log.name} beside it holds the rest. Make a backup with "
            "flask --app wsgi backup. Nothing was changed."
        )


def _refuse_damage(copy: Path) -> None:
    """Check every page, row, index, constraint and foreign key of a file from any source."""
    try:
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            result = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if result == "ok" and connection.execute("PRAGMA foreign_key_check").fetchone():
                result = "a row names another that is missing"
    except sqlite3.DatabaseError as error:
        result = str(error)
    if result != "ok":
        raise RuleError(f"The backup is damaged ({' '.join(result.split())}). Nothing was changed.")


def _closed_to_others(connection: sqlite3.Connection) -> bool:
    """Merge the write-ahead log into the file and lock it; False if the database is damaged.

    Raises:
        RuleError: Some process has it open.
    """
    try:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        _refuse_if_file_in_use(error)
        return False
    return True


def _refuse_if_file_in_use(error: sqlite3.DatabaseError) -> None:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY:
        raise RuleError(
            "A process has the database open: stop the portal and its commands first. Nothing was changed."
        ) from error


def _make_one_file(copy: Path) -> None:
    """Merge the copy's log into its file, and flush it to the disk."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    with copy.open("rb") as written:
        os.fsync(written.fileno())


def _remove_database(file: Path) -> None:
    for name in (file.name, *(file.name + beside for beside in BESIDE)):
        file.with_name(name).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Flush a folder to the disk, so that new names in it survive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# What was done after a backup, as the database that it replaced or a file of the audit trail can say.

_FILE_COLUMNS = {"happened_at", "action", "what", "who_staff_number", "on_whom_staff_number"}
_names = Table("person_name", MetaData(), Column("person_id", Integer), Column("staff_number", String))


@dataclass(frozen=True, slots=True)
class LaterAct:
    """One act that a backup does not know."""

    happened_at: datetime
    action: str
    who: str = ""  # the staff number; "" where no account acted, or it is not known
    whom: str = ""
    words: str = ""  # as the file says it
    detail: dict[str, Any] = field(default_factory=dict)  # as the database says it


def read_acts_after(url: URL, after: datetime | None, actions: Collection[str]) -> list[LaterAct] | None:
    """The acts of these kinds in a database that were done after an instant, the first one first.

    Returns:
        None where the database cannot be read, or is no portal's.
    """
    act, actor, subject = AuditEvent, _names.alias(), _names.alias()
    statement = (
        select(act.happened_at, act.action, actor.c.staff_number, subject.c.staff_number, act.detail)
        .outerjoin(actor, actor.c.person_id == act.actor_id)
        .outerjoin(subject, subject.c.person_id == act.subject_id)
        .where(act.action.in_(actions), *([act.happened_at > after] if after else []))
        .order_by(act.happened_at, act.id)
    )
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return [
                LaterAct(at, action, who or "", whom or "", detail=detail)
                for at, action, who, whom, detail in connection.execute(statement)
            ]
    except (DBAPIError, ValueError):
        return None
    finally:
        engine.dispose()


def read_acts_in_file(file: Path, actions: Collection[str]) -> list[LaterAct]:
    """The acts of these kinds in a file of the audit trail, as its page gives it."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text)
            if not set(rows.fieldnames or ()) >= _FILE_COLUMNS:
                raise BadInputError([f"{file} is no file of the audit trail."])
            return [_read_act(row) for row in rows if row["action"] in actions]
    except (OSError, ValueError, csv.Error) as error:
        raise BadInputError([f"{file} cannot be read as a file of the audit trail."]) from error


def join_acts(after: datetime | None, *told: list[LaterAct] | None) -> list[LaterAct] | None:
    """What was done after an instant, by all who tell of it: each act once, the first one first.

    Returns:
        None where nobody tells.
    """
    if all(acts is None for acts in told):
        return None
    each = {(act.happened_at, act.action, act.whom): act for acts in told for act in acts or ()}
    return [act for key, act in sorted(each.items()) if after is None or act.happened_at > after]


def _read_act(row: dict[str, str]) -> LaterAct:
    at = datetime.fromisoformat(row["happened_at"])
    who, whom = row["who_staff_number"] or "", row["on_whom_staff_number"] or ""
    return LaterAct(at, row["action"], who, whom, row["what"] or "")


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


@dataclass(slots=True)
class Restored:
    """The result of a restore."""

    newest_stamp: str = ""  # the newest fact that came back, as the database writes it
    revision: str = ""  # at which the backup stood
    head: str = ""  # to which it was upgraded
    sessions: int = 0  # ended
    jobs: int = 0  # marked as failed
    waiting: list[tuple[RestoreStep, int]] = field(default_factory=list)  # of features, with how many rows
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
    kind, magic = ("SQLite", SQLITE_MAGIC) if copies.is_sqlite() else ("PostgreSQL", POSTGRESQL_MAGIC)
    if not start.startswith(magic):
        raise RuleError(f"{file} is not a backup of a {kind} database. Nothing was changed.")
    with presence.hold_alone(current_settings().instance):
        db.session.remove()
        db.engine.dispose()
        target = _target_of(db.engine)
        if (obstacle := target.obstacle_to_replacing()) and not replace:
            raise RuleError(f"{obstacle}: say --replace to replace it. Nothing was changed.")
        with target.copy_of_backup(file) as copy:
            with copies.open_engine(copy) as engine:
                done = _prepare_copy(engine, target)
            done.kept = target.swap_in_copy(clock.now())
        if done.kept:
            done.later_acts = read_acts_after(target.url_of_kept(done.kept), done.audited_until, actions)
    return done


def _target_of(engine: Engine) -> "SqliteTarget | PostgresqlTarget":
    if copies.is_sqlite():
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
            copies.upgrade_database(engine, done.head)
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
        RuleError: It was not made by this portal, or by a newer release, or by one that is too old.
    """
    revision = _revision_of(engine)
    with target.empty_database() as beside, copies.open_engine(beside) as expected:
        copies.upgrade_database(expected, revision)
        copies.refuse_differences(copies.schema_of(engine), copies.schema_of(expected))
    return revision


def _revision_of(engine: Engine) -> str:
    """The migration revision of the copy."""
    revisions: list[str] = []
    if inspect(engine).has_table("alembic_version"):
        with engine.connect() as connection:
            revisions = list(connection.scalars(text("SELECT version_num FROM alembic_version")))
    if len(revisions) != 1:
        raise RuleError("The backup says no release that made it. Nothing was changed.")
    if readiness.is_before_first(revisions[0]):
        release = readiness.oldest_release()
        raise RuleError(
            f"The backup was made by a release before {release} (revision {revisions[0]}): restore it with"
            f" release {release}, upgrade the database with that, and then with this release. Nothing was"
            " changed."
        )
    if revisions[0] not in readiness.known_revisions():
        raise RuleError(
            f"The backup was made by a newer release (revision {revisions[0]}): install that release first. "
            "Nothing was changed."
        )
    return revisions[0]


def _end_what_was_open(connection: Connection, done: Restored) -> None:
    in_use = text("SELECT count(*) FROM sign_in_session WHERE ended_at IS NULL")
    done.sessions = connection.scalar(in_use) or 0
    for table in ENDED:
        connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - the names stand above
    connection.execute(text(FORGET_BACKUPS))
    done.jobs = connection.execute(text(END_JOBS)).rowcount
    for statement in (DROP_LINK_MAILS, END_INVITATIONS):
        connection.execute(text(statement))
    done.tokens = connection.execute(text(SUSPEND_TOKENS)).rowcount
    tables = set(inspect(connection).get_table_names())  # a backup of before a feature has none of its tables
    for step in (step for feature in list_features() for step in feature.restore):
        if step.table in tables and (count := connection.execute(text(step.statement)).rowcount):
            done.waiting.append((step, count))
