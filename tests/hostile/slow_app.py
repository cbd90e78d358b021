"""A small application for the server's own tests, served by ``serve.py``'s own function.

``/page`` answers at once, what ends in ``hold`` or ``hold.csv`` when the test lets it go; ``/large`` has
4 MB, a file of a report 24. ``cut.csv`` ends the process that answers in the middle of it, and for the
statistics of ``grow`` it takes more memory than one for what takes seconds may.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import serve
from portal.platform.serving.lanes import FILES_ARE_BUSY
from portal.platform.serving.long_requests import MOST_MIB

PIECE = b"x" * 64 * 1024
PIECES, FEWER_PIECES = 384, 64
GROWING = "/authoring/grow/statistics"
HOLD = "hold"  # a folder in that of the instance


def _large(pieces: int) -> Iterator[bytes]:
    for _ in range(pieces):
        yield PIECE


def _hold() -> None:
    """Wait as long as the file stands that says so."""
    file = Path(os.environ["INSTANCE_DIR"], HOLD, uuid4().hex)
    with suppress(FileNotFoundError):
        file.touch()
    while file.exists():
        time.sleep(0.02)


def _cut() -> Iterator[bytes]:
    yield PIECE
    os.kill(os.getpid(), signal.SIGKILL)


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer by the path alone."""
    path = environ["PATH_INFO"]
    if FILES_ARE_BUSY in environ:
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"busy"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path.endswith(("/completions.csv", "/large")):
        return _large(FEWER_PIECES if path == "/large" else PIECES)
    if path.endswith("/cut.csv"):
        return _cut()
    if path == GROWING:
        len(b"x" * (MOST_MIB + 8) * 1024 * 1024)
    if path.endswith(("/hold", "/hold.csv")):
        _hold()
    body = environ["wsgi.input"].read() if environ.get("CONTENT_LENGTH") else b""
    return [f"{os.getpid()} {os.nice(0) if path.endswith('/nice.csv') else len(body)}".encode()]


if __name__ == "__main__":
    if sys.argv[1:]:  # short windows, so that a test need not wait for the long ones
        from portal.platform.serving import server

        server.HEADER_SECONDS = server.BODY_WINDOW = 1
        server.READER_WINDOW, server.IDLE_SECONDS = 2, 3
        server.MOST_CONNECTIONS, server.MOST_FILES_WAITING = 40, 1
        server.SETTINGS["connection_limit"] = 40
    serve.serve("tests.hostile.slow_app:app", "127.0.0.1", int(os.environ["PORT"]))
