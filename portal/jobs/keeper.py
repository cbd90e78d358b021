"""Keeps a worker running beside the server: a process that begins it anew whenever it dies."""

import os
import signal
from collections.abc import Callable

from portal.processes import fork_copy, keep_running

GOODBYE_SECONDS = 15


class Keeper:
    """The process that keeps the worker, seen from the server that began it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.pid = fork_copy(lambda: keep_running([work], GOODBYE_SECONDS, with_parent=True))

    def end(self) -> None:
        """Ask it to end its worker and itself, and wait for that."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return  # gone already
