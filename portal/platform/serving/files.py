"""A process of its own for files: web processes hand it their requests and relay its answers.

A file of a whole force takes seconds of a processor. In a web process it would share the interpreter's lock
with the pages that learners wait for; here it shares nothing with them but the processors, on which they go
first.

A request comes with a socket of its own, passed through one that all processes share. Over it come the
environment as JSON, to the end of what is sent, and go back frames, each with its length before it: one of
JSON with status and headers, then the body's pieces, and an empty one that says that all of it was sent.
"""

import io
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, BinaryIO

from portal.platform.observability.logs import get_logger
from portal.platform.processes import name_process, peak_memory_mib, yield_to_pages

_log = get_logger("portal.files")
THREADS = 2  # as many as web processes: each relays one file at a time
MOST_MIB = 192  # a process that had more than this is replaced by a fresh one, between two files
CHECK_SECONDS = 0.5  # between two checks whether to end
_LENGTH = struct.Struct("!I")
_TOKEN = b"."  # a socket is passed with at least one byte

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class FileCutOffError(Exception):
    """The process that made a file ended in the middle of it."""


class FilesApart:
    """The socket pair between web processes and the one that makes files; made before both are forked."""

    def __init__(self) -> None:
        self.requests, self._web_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def relay(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        """As a WSGI application, have the other process answer a request that has no body.

        Raises:
            FileCutOffError: It ended before all of its answer came.
        """
        texts = {name: value for name, value in environ.items() if isinstance(value, str)}
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self._web_end, [_TOKEN], [theirs.fileno()])
            ours.sendall(json.dumps(texts).encode())
            ours.shutdown(socket.SHUT_WR)
            with ours.makefile("rb") as answer:
                status, headers = json.loads(_read_frame(answer))
                start_response(status, [(name, value) for name, value in headers])
                while piece := _read_frame(answer):
                    yield piece

    def serve(self, application: Application) -> None:
        """Answer such requests, in a process of its own, until SIGTERM or until its parent is gone."""
        name_process("portal-files")
        signals: list[int] = []
        signal.signal(signal.SIGTERM, lambda received, _: signals.append(received))
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        yield_to_pages()
        parent = os.getppid()
        self.requests.settimeout(CHECK_SECONDS)
        under_way: set[Future[None]] = set()
        with ThreadPoolExecutor(THREADS, "file") as pool:
            while True:
                was_idle = not under_way
                is_too_large = peak_memory_mib() > MOST_MIB and not signals
                connection = None if is_too_large else self._next_request()
                if connection is not None:
                    under_way.add(pool.submit(answer_request, application, connection))
                under_way = {future for future in under_way if not future.done()}
                if os.getppid() != parent:
                    os._exit(1)  # nobody reads what is under way
                if is_too_large and under_way:
                    wait(under_way, CHECK_SECONDS, FIRST_COMPLETED)  # whoever waits is for the next process
                elif is_too_large or (signals and was_idle and connection is None and not under_way):
                    return

    def _next_request(self) -> socket.socket | None:
        try:
            _, descriptors, _, _ = socket.recv_fds(self.requests, 1, 1)
        except TimeoutError:
            return None
        if not descriptors:
            return None
        os.set_inheritable(descriptors[0], False)
        return socket.socket(fileno=descriptors[0])


def answer_request(application: Application, connection: socket.socket) -> None:
    """Answer one request; if its reader is gone, or the application fails, end the answer in the middle."""
    with connection, connection.makefile("rb") as received:
        environ = {
            **json.loads(received.read()),
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.input": io.BytesIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        try:
            _send_answer(application, environ, connection)
        except (BrokenPipeError, ConnectionResetError):
            pass  # its reader is gone
        except Exception:
            _log.exception("file.cut_off")


def _send_answer(application: Application, environ: dict[str, Any], connection: socket.socket) -> None:
    head: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        head[:] = [status, headers]

    pieces = application(environ, start_response)
    try:
        is_first = True
        for piece in pieces:
            if is_first:
                _send_frame(connection, json.dumps(head).encode())
                is_first = False
            if piece:
                _send_frame(connection, piece)
        if is_first:
            _send_frame(connection, json.dumps(head).encode())
        _send_frame(connection, b"")
    finally:
        if hasattr(pieces, "close"):
            pieces.close()


def _send_frame(connection: socket.socket, content: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(content)) + content)


def _read_frame(answer: BinaryIO) -> bytes:
    head = answer.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else -1
    content = answer.read(length) if length > 0 else b""
    if len(content) != length:
        raise FileCutOffError
    return content
