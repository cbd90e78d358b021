"""Connections that browsers keep open cost nothing until something arrives on them."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from portal.platform.serving.server import Server
from tests.platform.serving.running import WAITING, connect, serve
from tests.waiting import PATIENCE, until

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
MANY = WAITING

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all connections are polled")


@pytest.fixture
def server() -> Iterator[Server]:
    def application(_environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    with serve(application) as running:
        yield running


def _close_idle(server: Server, channel: Any) -> bool:
    """Whether the server closed a connection that has been idle for an hour, as it is told each time."""
    channel.busy_at = min(channel.busy_at, time.monotonic() - 3600)
    return not server.resting.resting


def _answer(connection: socket.socket) -> bytes:
    connection.sendall(REQUEST)
    return _read(connection).split()[1]


def _read(connection: socket.socket, answers: int = 1) -> bytes:
    """So many answers in full; what came if the server closes the connection."""
    read = b""
    while read.count(b"\r\n\r\nok") < answers and (piece := connection.recv(4096)):
        read += piece
    return read


def test_a_connection_at_rest_is_not_polled_and_answers_again(server):
    until(lambda: server.resting in server.awake.values())
    own = len(server.awake)
    connections = [connect(server) for _ in range(MANY)]

    for _ in range(2):
        assert {_answer(connection) for connection in connections} == {b"200"}
        until(lambda: len(server.resting.resting) == MANY)
        assert len(server.awake) <= own

    for connection in connections:
        connection.close()
    until(lambda: not server.active_channels)
    assert not server.resting.resting


def _held(server: Server) -> bytes:
    """What the server has of the one request that is not complete yet; nothing before it has accepted."""
    requests = [channel.request for channel in server.active_channels.values() if channel.request]
    return b"".join(request.header_plus for request in requests)


def test_a_request_that_arrives_in_pieces_wakes_its_connection_for_each(server):
    with connect(server) as connection:
        for piece in (REQUEST[:9], REQUEST[9:20]):
            connection.sendall(piece)
            until(lambda sent=piece: _held(server) == REQUEST[: REQUEST.index(sent) + len(sent)])
            until(lambda: len(server.resting.resting) == 1)
        connection.sendall(REQUEST[20:] + REQUEST)

        assert _read(connection, 2).count(b"200 OK") == 2


def test_a_connection_closed_while_it_rests_leaves_its_number_to_another(server):
    with connect(server) as first:
        assert _answer(first) == b"200"
        until(lambda: len(server.resting.resting) == 1)
        (channel,) = server.active_channels.values()
        number = channel._fileno
        until(lambda: _close_idle(server, channel))
        assert first.recv(1) == b""

    with connect(server) as second:
        assert [_answer(second), _answer(second)] == [b"200", b"200"]
        assert [each._fileno for each in server.active_channels.values()] == [number]


def test_a_connection_that_waits_for_its_answer_is_not_polled_and_gets_all_of_it():
    answers, large = threading.Event(), b"x" * 100_000

    def application(_environ, start_response):
        start_response("200 OK", [("Content-Length", str(40 * len(large)))])
        answers.wait(PATIENCE)
        for _ in range(40):  # more than the system takes before the client reads
            yield large

    with serve(application) as server:
        own = len(server.awake)
        connections = [connect(server) for _ in range(MANY)]
        for connection in connections:
            connection.sendall(REQUEST)
        until(lambda: len(server.resting.unanswered) == MANY)
        assert len(server.awake) <= own + 1  # and the entry of those at rest

        answers.set()
        for connection in connections:
            read = b""
            while len(read) < 40 * len(large) and (piece := connection.recv(1_000_000)):
                read += piece
            assert read.endswith(large)
            connection.close()
        until(lambda: not server.active_channels)
        assert not server.resting.unanswered
