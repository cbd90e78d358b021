"""Receivers of messages for tests: HTTP servers on loopback, each in a thread of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What came, and how it answers: the statuses in turn, the last of them for ever."""

    address: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    seconds: float = 0.0  # before each answer
    retry_after: str = ""  # of each answer, as the header has it
    messages: list[Received] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None

    def next_status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def receiving(context: Any = None) -> Iterator[Receiver]:
    """A receiver on a free port; with a TLS context by https."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.messages.append(Received(self.path, headers, self.rfile.read(length)))
            time.sleep(receiver.seconds)
            if receiver.answer:
                receiver.answer(self)
                return
            self.send_response(receiver.next_status())
            if receiver.retry_after:
                self.send_header("Retry-After", receiver.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:  # a client that goes away is no fault of a test
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "https" if context else "http"
    receiver.address = f"{scheme}://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
