"""Backs up the whole database, by the database's own means.

SQLite's online backup and PostgreSQL's dump both read one consistent state while others write.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.engine import URL

from portal.platform import clock
from portal.platform.backups.last_backup import note_backup
from portal.platform.db import db
from portal.platform.errors import RuleError


@dataclass(frozen=True, slots=True)
class BackupFile:
    """What a backup file holds."""

    size: int  # bytes
    newest_stamp: str | None  # the newest fact in it, as the database writes it


def backup(file: Path) -> BackupFile:
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
        newest = _backup_sqlite(partial) if is_sqlite() else _backup_postgresql(partial)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    size = file.stat().st_size
    with suppress(OSError):  # the backup stands, whatever becomes of this note
        note_backup(clock.now(), size)
    return BackupFile(size, newest)


def is_sqlite() -> bool:
    """Whether the portal's database is the embedded one."""
    return bool(db.engine.dialect.name == "sqlite")


def database_file() -> Path:
    """Path of the embedded database."""
    return Path(make_url(str(db.engine.url)).database or "")


def _backup_sqlite(target: Path) -> str | None:
    try:
        with closing(sqlite3.connect(database_file())) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)  # one pass: a consistent state of one instant
            copy.execute("PRAGMA journal_mode = DELETE")
            newest: str | None = copy.execute("SELECT max(recorded_at) FROM stamp").fetchone()[0]
            return newest
    except sqlite3.DatabaseError as error:
        raise RuleError(f"The database cannot be read ({error}): no backup was made.") from error


def _backup_postgresql(target: Path) -> str | None:
    with db.engine.connect() as connection:  # before the dump, which therefore holds at least this
        newest: str | None = connection.scalar(text("SELECT max(recorded_at)::text FROM stamp"))
    run_tool(db.engine.url, "pg_dump", "--format=custom", "--no-owner", f"--file={target}")
    return newest


def run_tool(url: URL, name: str, *words: str) -> str:
    """Run a tool of PostgreSQL's client on the database of ``url`` and return its output.

    The password is passed in the environment, which only the same user can read: every user of the machine
    can see the command line.

    Raises:
        RuleError: The tool is missing or failed.
    """
    tool = shutil.which(name)
    if tool is None:
        raise RuleError(f"{name} is not installed: it comes with PostgreSQL's client.")
    query = {name: value for name, value in url.query.items() if name != "password"}
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    address = f"--dbname={plain.render_as_string(hide_password=False)}"
    password = url.password or url.query.get("password")
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(  # noqa: S603 - no shell
        [tool, address, *words], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise RuleError(f"{name} failed: {done.stderr.strip()}")
    return done.stdout
