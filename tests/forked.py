"""Processes of the portal that begin as copies of one that has loaded it.

To load the portal takes two seconds of a processor, and the tests begin a hundred servers and commands. Each
copy gets an environment, a folder, arguments and outputs of its own, as a process that is typed would.
"""

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context, set_start_method
from pathlib import Path

from serve import MALLOC
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1]
_loaded = get_context("forkserver")
_loaded.set_forkserver_preload(["tests.loaded"])


def _become(
    run: str, words: Sequence[str], environment: dict[str, str], out: str, err: str, folder: str
) -> None:
    """Be the program from here on: a session of its own, so that all of it can be ended at once."""
    os.setsid()
    for stream, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, stream)
        os.close(file)
    os.environ.clear()
    os.environ.update(MALLOC | environment)  # what serve.py would begin again for, were it not there
    os.chdir(folder)
    set_start_method(None, force=True)  # what it begins, it begins in its own way
    sys.argv = [run, *words]
    if run.endswith(".py"):
        runpy.run_path(run, run_name="__main__")
    else:
        runpy.run_module(run, run_name="__main__", alter_sys=True)


class Forked:
    """A process that runs a file, or a module, of the portal."""

    def __init__(
        self,
        run: str,
        words: Sequence[str],
        environment: dict[str, str],
        out: Path,
        err: Path | None = None,
        folder: Path = ROOT,
    ) -> None:
        here = Path.cwd()
        os.chdir(ROOT)  # where the first of all finds what it is to load
        try:
            self._process = _loaded.Process(
                target=_become, args=(run, words, environment, str(out), str(err or out), str(folder))
            )
            self._process.start()
        finally:
            os.chdir(here)
        assert self._process.pid
        self.pid: int = self._process.pid

    def send_signal(self, number: int) -> None:
        """Tell the process itself."""
        os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Its code, if it has ended."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; its code.

        Raises:
            subprocess.TimeoutExpired: It is still there.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self._process.exitcode

    def kill(self) -> None:
        """End it and all that it began at once, without a goodbye, and wait until none of them is left."""
        with suppress(ProcessLookupError):  # it has ended, or has not begun its session yet
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._process.close()
        until(lambda: not _has_living(self.pid))  # they would still hold its port


def _has_living(group: int) -> bool:
    """Whether a process of this group runs, or has not been taken off the processor yet."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, of_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state not in "ZX":
                return True
    return False
