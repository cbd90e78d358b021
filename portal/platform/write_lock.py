"""SQLite's one write lock: how a thread waits for it, and how bulk work lets those who wait go first.

PostgreSQL needs neither: its lock goes to those who wait, in the order in which they asked.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any

from portal.platform.errors import UnwritableError

BUSY_SECONDS = 15  # how long a writer waits for another
PAUSE_SECONDS = 0.001  # between two looks at the lock

_turn_to_ask = Lock()


def take_write_lock(driver: Any, folder: Path, seconds: float | None = None) -> None:
    """Begin as the one writer, once no other is.

    SQLite's own wait sleeps up to 100 ms at a time while the lock comes free many times over; writers
    here hold it for a few milliseconds, so it is asked for more often: by one thread of a process at a
    time, as others would only take the processor from whoever holds it.

    Args:
        driver: The connection.
        folder: Where the database is; locked for the others to see while this one waits.
        seconds: How long to wait at most.

    Raises:
        OperationalError: Another held it for so long.
    """
    seconds = BUSY_SECONDS if seconds is None else seconds
    last = monotonic() + seconds
    has_turn = _turn_to_ask.acquire(timeout=seconds)
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        busy = _begin_if_free(driver)
        if busy:
            with _lock_folder(folder, fcntl.LOCK_SH):
                while busy and monotonic() <= last:
                    sleep(PAUSE_SECONDS)
                    busy = _begin_if_free(driver)
        if busy:
            raise busy
    finally:
        if has_turn:
            _turn_to_ask.release()
        driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _begin_if_free(driver: Any) -> sqlite3.OperationalError | None:
    """Begin as the one writer, or say that there is another."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return error
        raise
    return None


def wait_for_others(folder: Path, seconds: float) -> None:
    """Wait, between two transactions, until no thread of any process waits for the lock; no longer than this.

    Without it the next transaction might have the lock before them: SQLite keeps no queue.
    """
    last = monotonic() + seconds
    while monotonic() < last and _is_awaited(folder):
        sleep(PAUSE_SECONDS)


def _is_awaited(folder: Path) -> bool:
    try:
        with _lock_folder(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True


@contextmanager
def _lock_folder(folder: Path, kind: int) -> Iterator[None]:
    """Lock a folder; the kernel ends the lock with the process, however that ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, kind)
        except BlockingIOError:
            raise
        except OSError:  # a file system without such locks: nobody is seen to wait, and nothing fails
            pass
        yield
    finally:
        os.close(descriptor)


# Early release of SQLite's write lock: before a commit is on the disk, not after.
#
# SQLite waits for the disk under its one lock, and a thread that has waited for the disk waits for a
# processor again: in the hour when everyone comes that is half of the time for which the lock is held. A
# transaction with early release commits to the log, releases the lock, and then waits for the disk. It
# ends, as every other does, when what it wrote is on the disk: whoever is told that it is saved can rely
# on it in a power cut. Until then others may read it already; so it takes no stamp, and no report shows
# what it wrote.
#
# PostgreSQL needs none of it: there a commit that waits for the disk holds up nobody else.


def prepare_release(driver: Any) -> None:
    """Let the next commit of this connection wait for no disk; before its transaction begins."""
    driver.execute("PRAGMA synchronous = NORMAL")


def roll_back(driver: Any) -> None:
    """Undo what is not committed, and let the commits of this connection wait for the disk again."""
    driver.rollback()
    driver.execute("PRAGMA synchronous = FULL")


def commit_and_sync(driver: Any, database: Path) -> None:
    """Commit, release the lock, and return when the commit is on the disk.

    Whatever others committed before is on the disk then too: they wrote it to the same log. A log is read up
    to its first gap after a power cut, so nothing that was written later can outlive this without it.

    Args:
        driver: The connection, with a transaction under way.
        database: Its file.

    Raises:
        UnwritableError: The disk did not say that it has it. It may have.
    """
    try:
        driver.commit()
    finally:
        roll_back(driver)  # what could not be committed; after a commit there is nothing
    # SQLite locks the database and its index, never the log: closing this file ends none of its locks.
    log = os.open(f"{database.resolve()}-wal", os.O_RDONLY)
    try:
        os.fdatasync(log)
    except OSError as error:
        raise UnwritableError from error
    finally:
        os.close(log)
