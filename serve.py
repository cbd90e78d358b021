"""Serves the portal with a production server: ``make run``, or ``python serve.py`` with settings set."""

import os
import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces

from config import Config


def _with_few_arenas() -> None:
    """Begin again with the C library kept to two arenas, which it asks for only as a process starts.

    Threads that each keep a heap of their own would cost a small machine a third of its memory.
    """
    if "MALLOC_ARENA_MAX" not in os.environ:
        os.environ["MALLOC_ARENA_MAX"] = "2"
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - this very program


def main() -> None:
    """Run until stopped."""
    config = Config()
    _with_few_arenas()
    Granian(
        "wsgi:app",
        address=config.bind,
        port=config.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # TLS and HTTP/2 belong to the proxy in front
        workers=2,
        blocking_threads=2,
        respawn_failed_workers=True,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
