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


FORM = b"POST /sign-in HTTP/1.1\r\n"
REFUSED = {
    "length beside chunks": b"Host: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Host: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "one length twice": b"Host: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    "a list of lengths": b"Host: a\r\nContent-Length: 4, 4\r\n\r\nabcd",
    "a signed length": b"Host: a\r\nContent-Length: +4\r\n\r\nabcd",
    "chunks": b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown encoding": b"Host: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\nabcd",
    "a folded encoding": b"Host: a\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\nabcd",
    "a space before the colon": b"Host: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\nabcd",
    "two hosts": b"Host: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n",
    "one host twice": b"Host: a\r\nhost: a\r\nContent-Length: 0\r\n\r\n",
    "a list of hosts": b"Host: a, b\r\nContent-Length: 0\r\n\r\n",
    "no host": b"Content-Length: 0\r\n\r\n",
    "an empty host": b"Host:\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("header", REFUSED.values(), ids=REFUSED)
def test_a_request_that_can_be_read_in_two_ways_is_refused(server, header):
    answer = _raw(server.port, FORM + header)

    assert answer.split()[1] == b"400"
    assert answer.count(b"HTTP/1.") == 1  # nothing of it is taken for a second request
    for name in (
        b"Content-Security-Policy: ",
        b"X-Content-Type-Options: nosniff",
        b"Cache-Control: no-store",
    ):
        assert name in answer


@pytest.mark.slow
def test_the_host_that_counts_is_the_one_of_the_address(server):
    other = b"GET http://elsewhere/sign-in HTTP/1.1\r\nHost: a\r\n\r\n"
    same = b"GET http://a/sign-in HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    assert _raw(server.port, other).split()[1] == b"400"
    assert _raw(server.port, same).split()[1] == b"200"


@pytest.mark.slow
def test_a_header_without_an_end_and_a_host_without_a_protocol_are_refused(server):
    long = b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n"

    assert _raw(server.port, long).split()[1] == b"431"
    assert _raw(server.port, b"GET / HTTP/1.0\r\n\r\n").split()[1] == b"400"


@pytest.mark.slow
def test_no_path_leads_out_of_the_static_folder(server):
    for path in (b"/static/../../config.py", b"/static/%2e%2e/%2e%2e/config.py", b"/.git/config"):
        answer = _raw(server.port, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer.split()[1] == b"404", path


@pytest.mark.slow
def test_trace_is_not_answered(server):
    answer = _raw(server.port, b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert answer.split()[1] in {b"405", b"501", b"400"}
