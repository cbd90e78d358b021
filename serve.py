"""Serves the portal with a production server: ``make run``, or ``python serve.py`` with settings set."""

import os

from granian import Granian
from granian.constants import HTTPModes, Interfaces

from config import Config


def main() -> None:
    """Run until stopped."""
    config = Config()
    # Threads that each keep a heap of their own would cost a small machine a third of its memory.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "1048576")
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
