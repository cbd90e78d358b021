"""Clients that leave before their answer, or in the middle of it."""

import logging
import socket
import threading
import time

import pytest

from portal.platform.serving.lanes import THREADS, Lane
from portal.platform.serving.server import Server
from tests.platform.serving.running import connect, serve
from tests.waiting import PATIENCE, until


def _ask(server: Server, request: bytes) -> socket.socket:
    connection = connect(server)
    connection.sendall(request + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    return connection


def test_a_client_that_leaves_in_the_middle_of_an_answer_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def application(_environ, start_response):
        start_response("200 OK", [("Content-Length", "10000000")])
        for _ in range(10_000):
            yield b"x" * 1000
            time.sleep(0.005)

    with serve(application) as server, caplog.at_level(logging.INFO, "waitress"):
        with _ask(server, b"GET /") as client:
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        until(lambda: any("while serving /" in message for message in caplog.messages))

    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_what_waits_is_not_shown_to_who_has_left_but_saved_for_them() -> None:
    asked, has_room = list[str](), threading.Event()

    def application(environ, start_response):
        asked.append(environ["REQUEST_METHOD"] + environ["PATH_INFO"])
        has_room.wait(PATIENCE)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    with serve(application) as server:
        busy = [_ask(server, b"GET /busy") for _ in range(THREADS[Lane.READS])]
        busy += [_ask(server, b"POST /busy") for _ in range(THREADS[Lane.CHANGES])]
        until(lambda: len(asked) == len(busy))
        left = [_ask(server, request) for request in (b"GET /page", b"POST /answer")]
        stayed = _ask(server, b"GET /stayed")
        until(lambda: len(server.active_channels) == len(busy) + 3)
        until(lambda: server.lanes.count_waiting(Lane.READS) == 2)
        for each in left:
            each.close()
        has_room.set()
        until(lambda: "GET/stayed" in asked)
        until(lambda: "POST/answer" in asked)
        for each in (*busy, stayed):
            each.close()
        until(lambda: not server.active_channels)

    assert "GET/page" not in asked
