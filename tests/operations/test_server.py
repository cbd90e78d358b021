"""What the production server answers to requests that no browser sends."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Server, copied


@pytest.fixture(scope="module")
def server(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for them all: none of these requests changes anything."""
    running = Server(copied(small_force, tmp_path_factory.mktemp("server") / "instance"))
    try:
        yield running.start()
    finally:
        running.kill()


def _raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(4096)


SMUGGLED = (
    b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
)
TWICE = b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"


@pytest.mark.slow
def test_conflicting_lengths_are_refused(server):
    for request in (SMUGGLED, TWICE):
        assert _raw(server.port, request).split()[1] == b"400"


@pytest.mark.slow
def test_no_path_leads_out_of_the_static_folder(server):
    for path in (b"/static/../../config.py", b"/static/%2e%2e/%2e%2e/config.py", b"/.git/config"):
        answer = _raw(server.port, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer.split()[1] == b"404", path


@pytest.mark.slow
def test_trace_is_not_answered(server):
    answer = _raw(server.port, b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert answer.split()[1] in {b"405", b"501", b"400"}
