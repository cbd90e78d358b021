"""Backs up the whole database, by the database's own means.

SQLite's online backup and PostgreSQL's dump both read one consistent state while others write.
"""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.engine import URL

from portal.platform.db import db
from portal.platform.errors import RuleError

UNWRITABLE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
POSTGRESQL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"


@dataclass(frozen=True, slots=True)
class BackupFile:
    """What a backup file holds."""

    size: int  # bytes
    newest_stamp: str | None  # the newest fact in it, as the database writes it
    counts: dict[str, int]  # rows of each table in it


def backup(file: Path) -> BackupFile:
    """Write the database to ``file``, which then stands whole or not at all.

    Raises:
        RuleError: The file exists, its folder does not or is full, or the database's own tool failed.
    """
    if file.exists():
        raise RuleError(f"{file} exists: name a file that does not.")
    if not file.parent.is_dir():
        raise RuleError(f"{file.parent} is not a folder.")
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.touch(mode=0o600)
        try:
            newest, counts = _backup_sqlite(partial) if is_sqlite() else _backup_postgresql(partial)
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise RuleError(f"{file} cannot be written: {error.strerror}. No backup was made.") from error
    return BackupFile(file.stat().st_size, newest, counts)


def is_sqlite() -> bool:
    """Whether the portal's database is the embedded one."""
    return bool(db.engine.dialect.name == "sqlite")


def database_file() -> Path:
    """Path of the embedded database."""
    return Path(make_url(str(db.engine.url)).database or "")


def _backup_sqlite(target: Path) -> tuple[str | None, dict[str, int]]:
    try:
        with closing(sqlite3.connect(database_file())) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)  # one pass: a consistent state of one instant
            copy.execute("PRAGMA journal_mode = DELETE")
            newest: str | None = copy.execute("SELECT max(recorded_at) FROM stamp").fetchone()[0]
            return newest, count_rows(lambda statement: copy.execute(statement).fetchall(), SQLITE_TABLES)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in UNWRITABLE:
            raise RuleError(f"{target.parent} cannot be written ({error}): no backup was made.") from error
        raise RuleError(f"The database cannot be read ({error}): no backup was made.") from error


def _backup_postgresql(target: Path) -> tuple[str | None, dict[str, int]]:
    """The dump reads the very state that is counted here: both see one snapshot."""
    with db.engine.connect() as connection:  # which reads one state, to its end
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        newest: str | None = connection.scalar(text("SELECT max(recorded_at)::text FROM stamp"))
        counts = count_rows(lambda statement: connection.execute(text(statement)).all(), POSTGRESQL_TABLES)
        words = ("--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={target}")
        run_tool(db.engine.url, "pg_dump", *words)
    return newest, counts


def count_rows(read: Callable[[str], Sequence[Any]], tables: str) -> dict[str, int]:
    """The number of rows of each table.

    Args:
        read: Gives the rows of a statement.
        tables: The statement that lists the tables: ``SQLITE_TABLES`` or ``POSTGRESQL_TABLES``.
    """
    names = sorted(name for (name,) in read(tables))
    return {name: read(f'SELECT count(*) FROM "{name}"')[0][0] for name in names}  # noqa: S608 - listed


def run_tool(url: URL, name: str, *words: str) -> str:
    """Run a tool of PostgreSQL's client on the database of ``url`` and return its output.

    The password is passed in the environment, which only the same user can read: every user of the machine
    can see the command line.

    Raises:
        RuleError: The tool is missing or failed.
    """
    query = {name: value for name, value in url.query.items() if name != "password"}
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    address = f"--dbname={plain.render_as_string(hide_password=False)}"
    password = url.password or url.query.get("password")
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(  # noqa: S603 - no shell
        [_find_tool(name), address, *words], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        cause = done.stderr.strip() or f"it ended with {done.returncode}, without a word"
        raise RuleError(f"{name} failed: {cause}")
    return done.stdout


def tool_version(name: str) -> int:
    """Of which version of PostgreSQL a tool is.

    Raises:
        RuleError: It is missing.
    """
    tool = _find_tool(name)
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.search(r"\d+", done.stdout)
    return int(version[0]) if version else 0


def _find_tool(name: str) -> str:
    tool = shutil.which(name)
    if tool is None:
        raise RuleError(f"{name} is not installed: it comes with PostgreSQL's client.")
    return tool
