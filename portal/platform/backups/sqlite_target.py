"""Replaces the embedded database, which may be damaged, by a copy in one step."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL

from portal.platform.errors import RuleError

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
            _refuse_if_in_use(error)
            return f"The database cannot be read ({error})"
        return ""

    @contextmanager
    def copy_of_backup(self, file: Path) -> Iterator[URL]:
        """A copy of the backup beside the database, checked for damage.

        Raises:
            RuleError: There is no room for it, it is damaged, or was copied from under a running portal.
        """
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
        _refuse_if_in_use(error)
        return False
    return True


def _refuse_if_in_use(error: sqlite3.DatabaseError) -> None:
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
