"""Clients that leave in the middle of an answer."""

import logging
import socket
import threading
import time

import pytest

from portal.platform.serving.files import FilesApart
from portal.platform.serving.server import Server
from tests.waiting import PATIENCE, until


def test_a_client_that_leaves_in_the_middle_of_an_answer_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def application(_environ, start_response):
        start_response("200 OK", [("Content-Length", "10000000")])
        for _ in range(10_000):
            yield b"x" * 1000
            time.sleep(0.005)

    running = Server(application, FilesApart(), socket.create_server(("127.0.0.1", 0)), {})
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    with caplog.at_level(logging.INFO, "waitress"):
        with socket.create_connection(("127.0.0.1", int(running.effective_port)), PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        until(lambda: any("while serving /" in message for message in caplog.messages))
    running.begin_to_end()
    thread.join(PATIENCE)

    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
