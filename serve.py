"""Serves the portal with a production server: ``make run``, or ``python serve.py`` with settings set."""

import gc
import importlib
import os
import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces

from config import Config
from portal.jobs.keeper import Keeper

# What the C library is told; it listens only as a process starts. Threads that each keep a heap of their
# own would cost a small machine a third of its memory, and a freed block that is large enough for a
# password's hash (19 MiB) would be kept for the next one.
MALLOC = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(4 * 1024 * 1024),
}


def _with_less_memory() -> None:
    """Begin again with these settings, unless they are set already."""
    missing = {name: value for name, value in MALLOC.items() if name not in os.environ}
    if missing:
        os.environ.update(missing)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this very program


def _load(module: str) -> None:
    """Load the application once, so that the workers, forked from this process, share what none changes.

    No connection is open and no thread runs by then. The collector leaves alone what was loaded, or it
    would write into each page of it, and looks for garbage after a request or two, not several times in one.
    """
    importlib.import_module(module)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def serve(target: str, address: str, port: int, *, factory: bool = False, jobs: int = 0) -> None:
    """Serve an application until stopped, with a process beside it that runs so many jobs at once."""
    _with_less_memory()
    module, _, name = target.partition(":")
    _load(module)
    keeper = None
    if jobs:
        worker = importlib.import_module("portal.jobs.worker")  # not before: this program may begin again
        keeper = Keeper(lambda: worker.work(getattr(sys.modules[module], name), jobs, embedded=True))
    try:
        _serve(target, address, port, factory=factory)
    finally:
        if keeper:
            keeper.end()


def _serve(target: str, address: str, port: int, *, factory: bool) -> None:
    Granian(
        target,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # TLS and HTTP/2 belong to the proxy in front
        workers=2,
        workers_kill_timeout=5,  # a Ctrl-C goes to the workers as well, and may leave one deaf to a goodbye
        blocking_threads=2,
        respawn_failed_workers=True,
        log_access=False,
        factory=factory,
    ).serve()


if __name__ == "__main__":
    config = Config()
    embedded = config.jobs_workers if config.jobs == "embedded" else 0
    serve("wsgi:app", config.bind, config.port, jobs=embedded)
