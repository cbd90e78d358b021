"""A server of one application in this process, on a port of its own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from portal.platform.serving.long_requests import LongRequests
from portal.platform.serving.server import Server
from tests.waiting import PATIENCE

WAITING = 60  # connections that may wait to be accepted


@contextmanager
def serve(application: Any) -> Iterator[Server]:
    """The server while it runs; at the end of the block it has ended in good order."""
    with serve_with(application, LongRequests()) as running:
        yield running


@contextmanager
def serve_with(application: Any, long_requests: LongRequests) -> Iterator[Server]:
    """The same; whoever reads these requests answers those that take seconds."""
    running = Server(application, long_requests, socket.create_server(("127.0.0.1", 0), backlog=WAITING), {})
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.begin_to_end()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def connect(server: Server) -> socket.socket:
    """A connection to it."""
    return socket.create_connection(("127.0.0.1", int(server.effective_port)), PATIENCE)
