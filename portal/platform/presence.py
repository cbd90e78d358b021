"""A lock that all running processes of an instance folder share, and the machines whose workers run.

A restore, and an upgrade that needs a stop, hold the lock exclusively. The kernel releases it when its
process ends, however it ends, so no stale lock is left behind.

Of each machine with a worker there is a file, empty and under its name, whose time says when a worker last
ran there. It stays when the worker ends: a machine that does not come back is to be missed.
"""

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep, time

from portal.platform.errors import RuleError
from portal.platform.observability.request_figures import SharedCount

FILE = "running.lock"
WORKERS = "workers"
FORGOTTEN_SECONDS = 7 * 24 * 3600  # after which a machine without a worker was taken away
_held: dict[Path, int] = {}  # locks that this process and its forks hold until they end


class RunningError(RuleError):
    """A process of the portal runs on this instance folder."""


class RestoringError(RuleError):
    """A restore, or an upgrade that needs a stop, is under way on this instance folder."""


def hold_presence(instance: Path, *, wait_seconds: float = 0) -> None:
    """Hold the shared lock until this process ends; a second call changes nothing.

    Args:
        instance: The folder.
        wait_seconds: How long to wait for a restore or an upgrade to end.

    Raises:
        RestoringError: A restore or an upgrade holds it.
    """
    if instance in _held:
        return
    file = _open_lock_file(instance)
    last = monotonic() + wait_seconds
    while not (is_held := _try_lock(file, fcntl.LOCK_SH)) and monotonic() < last:
        sleep(0.1)
    if not is_held:
        os.close(file)
        raise RestoringError("A restore is under way, or an upgrade. Start the portal when it has ended.")
    _held[instance] = file


@contextmanager
def hold_alone(instance: Path, *, wait_seconds: float = 0) -> Iterator[None]:
    """Keep other processes of this instance folder from starting while the block runs.

    Args:
        instance: The folder.
        wait_seconds: How long to wait for another restore or upgrade; nobody waits for a server.

    Raises:
        RunningError: A server or a worker runs.
        RestoringError: Another restore or upgrade has not ended.
    """
    file = _open_lock_file(instance)
    last = monotonic() + wait_seconds
    try:
        while not _try_lock(file, fcntl.LOCK_EX):
            if _try_lock(file, fcntl.LOCK_SH):  # so nobody holds it alone: whoever holds it shares it
                if _try_lock(file, fcntl.LOCK_EX):
                    break  # nobody does any more
                raise RunningError(
                    "The portal is running: stop the server and its workers first. Nothing was changed."
                )
            if monotonic() >= last:
                raise RestoringError(
                    "Another restore or upgrade is under way: wait until it has ended. Nothing was changed."
                )
            sleep(0.2)
        yield
    finally:
        os.close(file)


def record_worker(instance: Path) -> None:
    """Record that a worker runs on this machine, and forget machines that were taken away."""
    folder = instance / WORKERS
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / socket.gethostname()).touch(mode=0o600)
    for name, seen in read_workers(instance).items():
        if time() - seen > FORGOTTEN_SECONDS:
            (folder / name).unlink(missing_ok=True)


def read_workers(instance: Path) -> dict[str, float]:
    """When a worker last ran on each machine, in seconds since 1970, by the machine's name."""
    folder = instance / WORKERS
    return {file.name: file.stat().st_mtime for file in folder.iterdir()} if folder.is_dir() else {}


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_lock_file(instance: Path) -> int:
    return os.open(instance / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


# How many requests the web processes have in hand; files rest while they have many.
#
# In the hour in which a whole force comes, passwords and answers take all of a small machine, and a file
# that is made beside them takes a fifth of it. Whoever holds the database's lock then waits for a
# processor, and everyone who saves an answer waits with them. Nobody hurries for a file as for these.
#
# A worker on a machine of its own sees no requests, and never rests.

MANY = 8  # requests, from which on files rest: each process then has several more than it can work on
MOST_SECONDS = 30.0  # that one file rests in all: a proxy that hears nothing for a minute gives up
LOOK_SECONDS = 0.05

IN_HAND = SharedCount()  # requests that a web process works on, or will, until their answer begins


def many_are_in_hand() -> bool:
    """Whether there are so many that files rest for them."""
    return IN_HAND.add_up() >= MANY


class Rest:
    """The rest that one file takes, between its pieces, while others come first."""

    def __init__(self, others_come_first: Callable[[], bool] = many_are_in_hand) -> None:
        self._others_come_first = others_come_first
        self._left = MOST_SECONDS

    def wait_for_others(self, pause: Callable[[float], bool | None] = sleep) -> None:
        """Wait while others come first, unless this file has rested for long enough.

        Args:
            pause: Waits for so many seconds; what gives True instead ends the rest.
        """
        while self._left > 0 and self._others_come_first():
            begun = monotonic()
            if pause(LOOK_SECONDS):
                return
            self._left -= monotonic() - begun
