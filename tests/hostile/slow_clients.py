"""Clients that hold a server up: by sending slowly, or by taking slowly what it sends."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

HEADER = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"


def connected(port: int, *, small: bool = False) -> socket.socket:
    """A connection; ``small``: one that takes only a few kilobytes ahead of its reader."""
    one = socket.socket()
    if small:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.settimeout(10)
    try:
        one.connect(("127.0.0.1", port))
    except OSError:
        one.close()
        raise
    return one


def slow_header(port: int) -> socket.socket:
    """A header that does not end."""
    one = connected(port)
    one.sendall(HEADER)
    return one


def slow_body(port: int) -> socket.socket:
    """Six bytes of the 100,000 that the header promises."""
    one = connected(port)
    one.sendall(HEADER + b"Content-Length: 100000\r\n\r\nname=a")
    return one


def slow_reader(port: int, path: str) -> socket.socket:
    """A reader that never takes its answer."""
    one = connected(port, small=True)
    one.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return one


@contextmanager
def all_open(connections: Iterator[socket.socket]) -> Iterator[list[socket.socket]]:
    """Hold these connections open."""
    with ExitStack() as stack:
        yield [stack.enter_context(one) for one in connections]


def seconds_to(port: int, path: str, timeout: float = 20) -> float:
    """How long a page took that a quick client asked for and read to its end."""
    begun = time.monotonic()
    status, _ = answer_to(port, path, timeout)
    assert status == 200
    return time.monotonic() - begun


def answer_to(port: int, path: str, timeout: float = 20) -> tuple[int, bytes]:
    """Status and body of a page."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        asked.request("GET", path)
        answer = asked.getresponse()
        return answer.status, answer.read()
    finally:
        asked.close()


def seconds_until_closed(one: socket.socket, most: float = 20) -> float:
    """How long the server keeps a connection on which nothing more is sent."""
    begun = time.monotonic()
    one.settimeout(most)
    try:
        while one.recv(65536):
            pass
    except ConnectionError:
        pass
    return time.monotonic() - begun
