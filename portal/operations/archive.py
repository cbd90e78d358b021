"""Backup and restore of the whole database, by each database's own means.

SQLite's online backup and PostgreSQL's dump both read one consistent state while others write.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url, text

from portal.db import db
from portal.errors import RuleError

SQLITE_MAGIC = b"SQLite format 3\x00"
POSTGRESQL_MAGIC = b"PGDMP"
# What waited or ran when the backup was made is not begun out of the blue: an administrator decides.
END_JOBS = """
    UPDATE job SET state = 'failed', claim = NULL, ended_at = CURRENT_TIMESTAMP,
        reason = 'The database was restored from a backup that was made before this job ended.'
    WHERE state IN ('waiting', 'running')
"""


@dataclass(frozen=True, slots=True)
class Archive:
    """What a backup file holds."""

    size: int  # bytes
    newest_stamp: str | None  # the newest fact in it, as the database writes it


def backup(file: Path) -> Archive:
    """Write the database to ``file``, which then stands whole or not at all.

    Raises:
        RuleError: The file exists, its folder does not, or the database's own tool failed.
    """
    if file.exists():
        raise RuleError(f"{file} exists: name a file that does not.")
    if not file.parent.is_dir():
        raise RuleError(f"{file.parent} is not a folder.")
    partial = file.with_name(f".{file.name}.partial")
    partial.touch(mode=0o600)
    try:
        newest = _backup_sqlite(partial) if _sqlite() else _backup_postgresql(partial)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return Archive(file.stat().st_size, newest)


def restore(file: Path, *, replace: bool) -> Archive:
    """Put back the database in ``file``; sessions end, single-use links no longer work, jobs under way fail.

    Raises:
        RuleError: The file is no backup of this kind of database, it is damaged, or the database
            holds data and ``replace`` was not said. Nothing is changed.
    """
    start = file.read_bytes()[:16]
    wanted = SQLITE_MAGIC if _sqlite() else POSTGRESQL_MAGIC
    if not start.startswith(wanted):
        kind = "SQLite" if _sqlite() else "PostgreSQL"
        raise RuleError(f"{file} is not a backup of a {kind} database. Nothing was changed.")
    if _holds_data() and not replace:
        raise RuleError("The database holds data: say --replace to replace it. Nothing was changed.")
    newest = _restore_sqlite(file) if _sqlite() else _restore_postgresql(file)
    return Archive(file.stat().st_size, newest)


def _sqlite() -> bool:
    return bool(db.engine.dialect.name == "sqlite")


def _holds_data() -> bool:
    with db.engine.connect() as connection:
        if not connection.dialect.has_table(connection, "person"):
            return False
        return bool(connection.scalar(text("SELECT count(*) FROM person")))


def _database_file() -> Path:
    return Path(make_url(str(db.engine.url)).database or "")


def _newest(connection: sqlite3.Connection) -> str | None:
    found: tuple[str | None] = connection.execute("SELECT max(recorded_at) FROM stamp").fetchone()
    return found[0]


def _backup_sqlite(target: Path) -> str | None:
    with closing(sqlite3.connect(_database_file())) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)  # one pass: a consistent state of one instant
        copy.execute("PRAGMA journal_mode = DELETE")
        return _newest(copy)


def _restore_sqlite(file: Path) -> str | None:
    target = _database_file()
    partial = target.with_name(f".{target.name}.partial")
    shutil.copyfile(file, partial)
    try:
        newest = _check_and_sign_out(partial)
        db.engine.dispose()
        for beside in ("-wal", "-shm"):
            target.with_name(target.name + beside).unlink(missing_ok=True)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return newest


def _check_and_sign_out(partial: Path) -> str | None:
    try:
        with closing(sqlite3.connect(partial)) as copy, copy:
            if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise RuleError("The backup is damaged. Nothing was changed.")
            for table in ("sign_in_session", "password_link", "held_form"):
                copy.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand in the line above
            if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'job'").fetchone():
                copy.execute(END_JOBS)
            return _newest(copy)
    except sqlite3.DatabaseError as error:
        raise RuleError(f"The backup is damaged ({error}). Nothing was changed.") from error


def _server_address() -> str:
    return str(db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False))


def _run(*command: str) -> None:
    tool = shutil.which(command[0])
    if tool is None:
        raise RuleError(f"{command[0]} is not installed: it comes with PostgreSQL's client.")
    done = subprocess.run([tool, *command[1:]], capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise RuleError(f"{command[0]} failed: {done.stderr.strip()}")


def _backup_postgresql(target: Path) -> str | None:
    newest = _newest_postgresql()  # before the dump, which therefore holds at least this
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={target}", f"--dbname={_server_address()}")
    return newest


def _restore_postgresql(file: Path) -> str | None:
    db.engine.dispose()
    _run(
        "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error",
        f"--dbname={_server_address()}", str(file),
    )  # fmt: skip
    with db.engine.begin() as connection:
        for table in ("sign_in_session", "password_link", "held_form"):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - the names stand in the line above
        if connection.dialect.has_table(connection, "job"):  # older releases had none
            connection.execute(text(END_JOBS))
    return _newest_postgresql()


def _newest_postgresql() -> str | None:
    with db.engine.connect() as connection:
        found: str | None = connection.scalar(text("SELECT max(recorded_at)::text FROM stamp"))
        return found
