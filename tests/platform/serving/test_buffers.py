"""What a connection keeps in memory of the answers that it sends."""

import socket
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.platform.serving.running import connect, serve
from tests.waiting import until

MIB = 1024 * 1024
PAGE = 200 * 1024  # bytes; a larger one goes to a temporary file at once
PIECE = b"x" * 16 * 1024
PIECES = 20 * MIB // len(PIECE)  # as large as the file of a force
REQUEST = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """A file in pieces, or a page in one."""
    is_file = environ["PATH_INFO"] == "/file"
    length = len(PIECE) * PIECES if is_file else PAGE
    start_response("200 OK", [("Content-Length", str(length))])
    return (PIECE for _ in range(PIECES)) if is_file else [bytes(PAGE)]


def take(connection: socket.socket, buffer: bytearray, least: int) -> None:
    """Receive at least so many bytes into the same memory."""
    received = 0
    while received < least:
        count = connection.recv_into(buffer)
        assert count
        received += count


@contextmanager
def traced() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def test_a_file_takes_no_more_memory_than_a_part_of_it() -> None:
    buffer = bytearray(64 * 1024)
    with serve(application) as server, connect(server) as connection, traced():
        for _ in range(2):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            connection.sendall(REQUEST % b"file")
            take(connection, buffer, len(PIECE) * PIECES)
            assert tracemalloc.get_traced_memory()[1] - before < 8 * MIB


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere all connections are polled")
def test_a_connection_at_rest_keeps_nothing_of_the_page_before() -> None:
    buffer = bytearray(64 * 1024)
    with serve(application) as server, connect(server) as connection, traced():
        before, _ = tracemalloc.get_traced_memory()
        connection.sendall(REQUEST % b"page")
        take(connection, buffer, PAGE)
        until(lambda: len(server.resting.resting) == 1)
        assert tracemalloc.get_traced_memory()[0] - before < PAGE / 2
        connection.sendall(REQUEST % b"page")
        take(connection, buffer, PAGE)
