"""A process of its own for requests that take seconds: web processes hand them over and relay its answers.

A file of a whole force takes seconds of a processor, and so does a page that computes what would change for
everyone. In a web process they would share the interpreter's lock with the pages that learners wait for, and
with the changes that hold the database's; here they share nothing with them but the processors, on which
learners go first.

A request comes with a socket of its own, passed through one that all processes share. Both ways over it go
frames, each with its length before it: one of JSON, with the request's environment or the answer's status
and headers; then the body's pieces; and an empty one, which says that all of it was sent.
"""

import json
import os
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, BinaryIO

from portal.platform.observability.logs import get_logger
from portal.platform.presence import Rest, many_are_in_hand
from portal.platform.processes import Slot, name_process, peak_memory_mib, yield_to_pages
from portal.platform.serving.lanes import LANE, Lane

_log = get_logger("portal.long")
THREADS = 4  # for each web process two: it relays one file and one page at a time
MOST_MIB = 192  # a process that had more than this retires, and a fresh one takes its place
MOST_KEPT = 64 * 1024  # bytes of a request's body in memory; a longer one lies in a temporary file
CHECK_SECONDS = 0.5  # between two checks whether to end
_LENGTH = struct.Struct("!I")
_TOKEN = b"."  # a socket is passed with at least one byte
_pages: list[str] = []  # that this process makes now, by their paths: somebody looks at each

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class CutOffError(Exception):
    """The other process ended in the middle of a request or of its answer."""


class LongRequests:
    """The socket pair between web processes and the one for long requests; made before both are forked."""

    def __init__(self) -> None:
        self.requests, self._web_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def relay(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        """As a WSGI application, have the other process answer a request.

        Raises:
            CutOffError: It ended before all of its answer came.
            OSError: It ended before it had all of the request.
        """
        texts = {name: value for name, value in environ.items() if isinstance(value, str)}
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self._web_end, [_TOKEN], [theirs.fileno()])
            _send_frame(ours, json.dumps(texts).encode())
            while piece := environ["wsgi.input"].read(MOST_KEPT):
                _send_frame(ours, piece)
            _send_frame(ours, b"")
            with ours.makefile("rb") as answer:
                status, headers = json.loads(_read_frame(answer))
                start_response(status, [(name, value) for name, value in headers])
                while piece := _read_frame(answer):
                    yield piece

    def serve(self, application: Application, slot: Slot) -> None:
        """Answer such requests, in a process of its own, until SIGTERM or until its parent is gone.

        One that has grown too large retires: the next takes what comes from then on.
        """
        name_process("portal-long")
        signals: list[int] = []
        signal.signal(signal.SIGTERM, lambda received, _: signals.append(received))
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        yield_to_pages()
        parent = os.getppid()
        self.requests.settimeout(CHECK_SECONDS)
        under_way: set[Future[None]] = set()
        has_worked = False
        with ThreadPoolExecutor(THREADS, "long") as pool:
            while True:
                was_idle = not under_way
                takes_more = not slot.is_retired or bool(signals)  # at the end nobody comes after it
                connection = self._next_request() if takes_more else None
                if connection is not None:
                    under_way.add(pool.submit(answer_request, application, connection))
                    has_worked = True
                under_way = {future for future in under_way if not future.done()}
                if os.getppid() != parent:
                    os._exit(1)  # nobody reads what is under way
                if has_worked and peak_memory_mib() > MOST_MIB:
                    slot.retire()
                if not takes_more:
                    wait(under_way, CHECK_SECONDS)
                if was_idle and connection is None and (signals or slot.is_retired):
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
    with connection, connection.makefile("rb") as received, tempfile.SpooledTemporaryFile(MOST_KEPT) as body:
        texts = json.loads(_read_frame(received))
        while piece := _read_frame(received):
            body.write(piece)
        body.seek(0)
        environ = {
            **texts,
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.input": body,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        is_file = texts.get(LANE) == Lane.FILES
        answer = partial(_rest_between_pieces, application) if is_file else application
        try:
            with nullcontext() if is_file else _before_files(texts["PATH_INFO"]):
                _send_answer(answer, environ, connection)
        except (BrokenPipeError, ConnectionResetError):
            pass  # its reader is gone
        except Exception:
            _log.exception("answer.cut_off")


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


@contextmanager
def _before_files(path: str) -> Iterator[None]:
    """Let files rest in this process while the block makes a page."""
    _pages.append(path)
    try:
        yield
    finally:
        _pages.remove(path)


def _rest_between_pieces(
    application: Application, environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    """The answer of an application; it waits for pages, and while many people wait to be signed in."""
    rest = Rest(lambda: bool(_pages) or many_are_in_hand())
    rest.wait_for_others()
    pieces = application(environ, start_response)
    try:
        for piece in pieces:
            rest.wait_for_others()
            yield piece
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
        raise CutOffError
    return content
