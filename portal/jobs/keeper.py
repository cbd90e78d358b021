"""Keeps a worker running beside the server: a process that begins it anew whenever it dies."""

import os
import signal
import sys
import time
from collections.abc import Callable

PAUSE_SECONDS = 0.3
AGAIN_SECONDS, MOST_SECONDS = 1, 60  # before a worker that died is begun anew: longer each time
GOODBYE_SECONDS = 15


class Keeper:
    """The process that keeps the worker, seen from the server that began it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.pid = _forked(lambda: _keep(work))

    def end(self) -> None:
        """Ask it to end its worker and itself, and wait for that."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return  # gone already


def _forked(act: Callable[[], None]) -> int:
    """A copy of this process that does nothing but ``act``; its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # what the parent does about them is not for its copy
    try:
        if os.getppid() == parent:  # or it died in between
            act()
        code = 0
    finally:
        os._exit(code)  # none of what the parent does at its end


def _keep(work: Callable[[], None]) -> None:
    ending: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: ending.append(received))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    parent = os.getppid()
    worker, begun, wait = _forked(work), time.monotonic(), AGAIN_SECONDS
    while not ending and os.getppid() == parent:
        ended, code = os.waitpid(worker, os.WNOHANG) if worker else (0, 0)
        if ended:
            worker, lived = 0, time.monotonic() - begun
            calm = not code or lived > MOST_SECONDS  # it ended of itself, or had worked for a while
            wait = AGAIN_SECONDS if calm else min(2 * wait, MOST_SECONDS)
        if not worker and time.monotonic() > begun + wait:
            worker, begun = _forked(work), time.monotonic()
        time.sleep(PAUSE_SECONDS)
    if worker:
        _end(worker)


def _end(worker: int) -> None:
    os.kill(worker, signal.SIGTERM)
    last = time.monotonic() + GOODBYE_SECONDS
    while not os.waitpid(worker, os.WNOHANG)[0]:
        if time.monotonic() > last:
            os.kill(worker, signal.SIGKILL)
        time.sleep(PAUSE_SECONDS)
