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
