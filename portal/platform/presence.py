"""A lock that all running processes of an instance folder share, and that a restore needs exclusively.

The kernel releases the lock when its process ends, however it ends, so no stale lock is left behind.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.platform.errors import RuleError

FILE = "running.lock"
_held: dict[Path, int] = {}  # locks that this process and its forks hold until they end


class RunningError(RuleError):
    """A process of the portal runs on this instance folder."""


class RestoringError(RuleError):
    """A restore is under way on this instance folder."""


def hold_presence(instance: Path) -> None:
    """Hold the shared lock until this process ends; a second call changes nothing.

    Raises:
        RestoringError: A restore holds it.
    """
    if instance in _held:
        return
    file = _open_lock_file(instance)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise RestoringError("A restore is under way. Start the portal when it has ended.") from None
    _held[instance] = file


@contextmanager
def hold_alone(instance: Path) -> Iterator[None]:
    """Keep other processes of this instance folder from starting while the block runs.

    Raises:
        RunningError: A server, a worker or another restore runs.
    """
    file = _open_lock_file(instance)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunningError(
                "The portal is running: stop the server and its workers first. Nothing was changed."
            ) from None
        yield
    finally:
        os.close(file)


def _open_lock_file(instance: Path) -> int:
    return os.open(instance / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
