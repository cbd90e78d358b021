"""Early release of SQLite's write lock: before a commit is on the disk, not after.

SQLite waits for the disk under its one lock, and a thread that has waited for the disk waits for a processor
again: in the hour when everyone comes that is half of the time for which the lock is held. A transaction
with early release commits to the log, releases the lock, and then waits for the disk. It ends, as every
other does, when what it wrote is on the disk: whoever is told that it is saved can rely on it in a power
cut. Until then others may read it already; so it takes no stamp, and no report shows what it wrote.

PostgreSQL needs none of it: there a commit that waits for the disk holds up nobody else.
"""

import os
from pathlib import Path
from typing import Any

from portal.platform.errors import UnwritableError


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
