"""Clients that hold a server up: by sending slowly, or by taking slowly what it sends."""

import http.client
import itertools
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from tests.hostile.slow_app import HOLD
from tests.waiting import until

ESTABLISHED = "01"  # as the kernel writes it
HEADER = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"


def connected(port: int, *, small: bool = False) -> socket.socket:
    """A connection; ``small``: one that takes only a few kilobytes ahead of its reader."""
    one = socket.socket()
    if small:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.settimeout(60)
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


@contextmanager
def all_held(port: int, folder: Path, request: bytes, number: int) -> Iterator[list[socket.socket]]:
    """Send this request until ``slow_app`` holds so many, which it does within the block.

    Of several, one process may have got more than it has threads: then others are sent.
    """
    held, looks = folder / HOLD, itertools.count()
    held.mkdir()
    with ExitStack() as stack:
        senders: list[socket.socket] = []

        def are_held() -> bool:
            if len(senders) < number or (number > 1 and next(looks) % 20 == 19):
                senders.append(stack.enter_context(connected(port)))
                senders[-1].sendall(request)
            return len(list(held.iterdir())) >= number

        try:
            until(are_held)
            yield senders
        finally:
            if let_go(folder):
                for sender in senders:  # those that still waited for a thread, too: else the next would hold
                    sender.recv(1)


def let_go(folder: Path) -> bool:
    """Let ``slow_app`` answer all that it holds; whether it held anything."""
    if not (folder / HOLD).exists():
        return False
    shutil.rmtree((folder / HOLD).rename(folder / f"{HOLD}-{uuid4()}"))
    return True


def is_page(port: int, path: str) -> bool:
    """Whether a quick client gets this page while others are held up: sooner than they would be let go."""
    return answer_to(port, path, 50)[0] == 200


def answer_to(port: int, path: str, timeout: float = 60, sent: bytes | None = None) -> tuple[int, bytes]:
    """Status and body of a page; of a form, where something is sent."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        asked.request("GET" if sent is None else "POST", path, sent)
        answer = asked.getresponse()
        return answer.status, answer.read()
    finally:
        asked.close()


def read_answer(one: socket.socket, ending: bytes) -> bytes:
    """Take an answer that ends with these bytes; what came of it if the server closes the connection."""
    answer = b""
    while not answer.endswith(ending) and (piece := one.recv(65536)):
        answer += piece
    return answer


def read_to_its_end(one: socket.socket, most: float = 60) -> None:
    """Take what comes until the server closes the connection.

    Raises:
        TimeoutError: It does not.
    """
    one.settimeout(most)
    with suppress(ConnectionError):
        while one.recv(65536):
            pass


def is_open_there(one: socket.socket) -> bool:
    """Whether the server still holds its end of this connection, though the client reads nothing."""
    ends = [f"0100007F:{end[1]:04X}" for end in (one.getpeername(), one.getsockname())]
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines())
    return any(line[1:4] == [*ends, ESTABLISHED] for line in lines)
