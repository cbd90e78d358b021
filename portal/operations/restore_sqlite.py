"""Putting a copy in the place of the embedded database, which may be damaged, in one step."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL

from portal.errors import RuleError

BESIDE = ("-wal", "-shm", "-journal")
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
WAL_VERSION = 2  # in bytes 18 and 19 of a file that was copied from under a running portal


class SqliteTarget:
    """The database's file, what is built beside it, and the step in which they change places."""

    def __init__(self, url: URL) -> None:
        self.file = file = Path(url.database or "")
        self.copy = file.with_name(f".{file.name}.restoring")

    def state(self) -> str:
        """What stands in the way of replacing it: a sentence’s beginning; empty where nothing is there."""
        if not self.file.exists():
            return ""
        try:
            with closing(sqlite3.connect(f"file:{self.file}?mode=rw", uri=True, timeout=0)) as held:
                tables = {name for (name,) in held.execute("SELECT name FROM sqlite_master")}
                if "person" in tables and held.execute("SELECT 1 FROM person LIMIT 1").fetchone():
                    return "The database holds data"
        except sqlite3.DatabaseError as error:
            _refuse_if_in_use(error)
            return f"The database cannot be read ({error})"
        return ""

    @contextmanager
    def copied(self, file: Path) -> Iterator[URL]:
        """A copy of the backup beside the database, found to be whole.

        Raises:
            RuleError: It is damaged, or was copied from under a running portal.
        """
        _refuse_part(file)
        _remove(self.copy)
        try:
            shutil.copyfile(file, self.copy)
            self.copy.chmod(0o600)
            _refuse_damage(self.copy)
            yield _url(self.copy)
        finally:
            _remove(self.copy)

    @contextmanager
    def empty(self) -> Iterator[URL]:
        """An empty database beside it, for what migrations make."""
        file = self.file.with_name(f".{self.file.name}.expected")
        _remove(file)
        try:
            yield _url(file)
        finally:
            _remove(file)

    def swap(self, now: datetime) -> str:
        """Put the copy in the database's place; the name under which the database before is kept.

        Killed at any point, the one or the other is there, whole: what was in the write-ahead log is in the
        old file before its name goes to the new one. Only of a database that was damaged already is the log
        moved apart, to the kept file's side, a moment earlier.

        Raises:
            RuleError: Some process has the database open.
        """
        _make_one_file(self.copy)
        if not self.file.exists():
            for beside in BESIDE:  # of a file that is gone: never to be applied to another
                self.file.with_name(self.file.name + beside).unlink(missing_ok=True)
            self.copy.replace(self.file)
            _sync(self.file.parent)
            return ""
        kept = self.file.with_name(f"{self.file.name}.before-restore-{now:%Y%m%dT%H%M%S.%fZ}")
        with closing(sqlite3.connect(self.file, isolation_level=None, timeout=0)) as held:
            whole = _closed_to_others(held)
            os.link(self.file, kept)
            _sync(self.file.parent)
            if not whole:
                self._move_log(kept)
            self.copy.replace(self.file)
        _sync(self.file.parent)
        return str(kept)

    def _move_log(self, kept: Path) -> None:
        for beside in BESIDE:
            with suppress(FileNotFoundError):
                self.file.with_name(self.file.name + beside).rename(kept.with_name(kept.name + beside))


def _url(file: Path) -> URL:
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
    """Every page, row, index, constraint and foreign key of a file that anybody may have made."""
    try:
        with closing(sqlite3.connect(copy)) as held:
            held.execute("PRAGMA trusted_schema = OFF")
            held.execute("PRAGMA cell_size_check = ON")
            said = held.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if said == "ok" and held.execute("PRAGMA foreign_key_check").fetchone():
                said = "a row names another that is missing"
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise RuleError(f"The backup is damaged ({' '.join(said.split())}). Nothing was changed.")


def _closed_to_others(held: sqlite3.Connection) -> bool:
    """Bring the write-ahead log into the file and lock it; False where the database is damaged.

    Raises:
        RuleError: Some process has it open.
    """
    try:
        held.execute("PRAGMA journal_mode = DELETE").fetchone()
        held.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        _refuse_if_in_use(error)
        return False
    return True


def _refuse_if_in_use(error: sqlite3.DatabaseError) -> None:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY:
        raise RuleError(
            "A process has the database open: stop the portal and its commands first. Nothing was changed."
        ) from error


def _make_one_file(copy: Path) -> None:
    """Leave nothing of the copy in a log beside it, and all of it on the disk."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as held:
        held.execute("PRAGMA journal_mode = DELETE").fetchone()
    with copy.open("rb") as written:
        os.fsync(written.fileno())


def _remove(file: Path) -> None:
    for name in (file.name, *(file.name + beside for beside in BESIDE)):
        file.with_name(name).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Let a new name survive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
