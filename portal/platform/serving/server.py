"""One web process: an event loop for connections, and lanes of threads that handle the requests."""

import fcntl
import logging
import os
import resource
import select
import signal
import socket
import struct
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError, get_header_lines
from waitress.rfc7230 import HEADER_FIELD_RE
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask

from portal.platform.presence import IN_HAND
from portal.platform.processes import name_process
from portal.platform.serving.lanes import COMPUTED_HERE, FILES_ARE_BUSY, LANE, LONG, Lane, Lanes, lane_of
from portal.platform.serving.long_requests import Application, LongRequests

# Parses requests: refuses ambiguous ones, and measures how fast they arrive.
#
# A proxy in front and the server behind it must agree on where a request ends and which host it is for,
# or one request is smuggled inside another.

RESET = struct.pack("ii", 1, 0)  # lingers for no second: the rest is dropped and the client told so
RATE = 500  # bytes a second that a client must send or take
HEADER_SECONDS = 10  # from a connection's first byte, or its opening, to the end of the header
BODY_WINDOW = 15  # seconds over which the rate of a body is averaged
SINGLE = ("HOST", "CONTENT-LENGTH", "TRANSFER-ENCODING")


class Pace:
    """Rate of bytes in one direction, averaged over consecutive windows of seconds."""

    def __init__(self, window: float, count: int, now: float) -> None:
        self.window, self.count, self.since = window, count, now

    def is_too_slow(self, count: int, now: float) -> bool:
        """Whether the rate since the window began is below ``RATE``; starts the next window."""
        if now - self.since < self.window:
            return False
        slow = count - self.count < RATE * (now - self.since)
        self.count, self.since = count, now
        return slow


class StrictParser(HTTPRequestParser):
    """Parses one request as it arrives."""

    def __init__(self, adj: object) -> None:
        super().__init__(adj)
        self.begun = monotonic()
        self.pace: Pace | None = None
        self.lane: Lane | None = None  # whose threads handle it
        self.is_file_too_many = False

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the first line and the header.

        Raises:
            ParsingError: It names no host or several, or its length can be read in two ways.
        """
        if self.header_bytes_received >= self.adj.max_request_header_size:
            super().parse_header(header_plus)  # waitress's own stand-in for a header that is too long
            return
        values = _single_values(header_plus.partition(b"\r\n")[2])
        if len(values["HOST"]) != 1 or not values["HOST"][0] or b"," in values["HOST"][0]:
            raise ParsingError("A request names exactly one Host.")
        if values["TRANSFER-ENCODING"]:  # no browser sends one, and a proxy turns it into a length
            raise ParsingError("Say how long the request is by Content-Length alone.")
        if len(values["CONTENT-LENGTH"]) > 1:
            raise ParsingError("A request gives its Content-Length once.")
        super().parse_header(header_plus)
        host = values["HOST"][0].decode("latin-1")
        if self.proxy_netloc and self.proxy_netloc != host:
            raise ParsingError("The address names another host than Host does.")
        self.pace = Pace(BODY_WINDOW, 0, monotonic())

    def is_too_slow(self, now: float) -> bool:
        """Whether the client takes too long over the header, or sends the body below the least rate."""
        if self.pace is None:
            return now - self.begun > HEADER_SECONDS
        return self.pace.is_too_slow(self.body_bytes_received, now)


def _single_values(header: bytes) -> dict[str, list[bytes]]:
    """The values of each header that a request may carry once, with repetitions."""
    values: dict[str, list[bytes]] = {name: [] for name in SINGLE}
    for line in get_header_lines(header):
        field = HEADER_FIELD_RE.match(line)
        name = field.group("name").decode("latin-1").upper() if field else ""
        if name in values:
            values[name].append(field.group("value").strip(b" \t"))
    return values


class LaneTask(WSGITask):
    """Handles one request; its environment says which lane it is in."""

    def execute(self) -> None:
        """Answer. What breaks off in the middle of a body ends its connection by a reset.

        Without chunks a client of HTTP/1.0 would take an orderly end for the end of the whole. A page whose
        client left while it waited is not made; a change is carried out, as its sender meant it to be.
        """
        if self.request.lane is not Lane.CHANGES and self.channel.client_has_left():
            raise ClientDisconnected
        try:
            super().execute()
        except Exception:
            if self.wrote_header and not self.chunked_response and self.channel.connected:
                self.channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            raise

    def build_response_header(self) -> bytes:
        """The first line and the header; the connection ends where another process should get its next."""
        if self.channel.server.has_too_many():
            self.set_close_on_finish()
        self.channel.server.in_hand.discard(self.request)  # the next may come before this thread ends
        header: bytes = super().build_response_header()
        return header

    def get_environment(self) -> dict[str, Any]:
        """The WSGI environment."""
        environ: dict[str, Any] = super().get_environment()
        environ[LANE] = self.request.lane
        if self.request.is_file_too_many:
            environ[FILES_ARE_BUSY] = True
        return environ


class RefusalTask(ErrorTask):
    """The server's own refusals, with the security headers that every answer carries."""

    def execute(self) -> None:
        """Write the answer."""
        error = self.request.error
        body = f"{error.reason}\n\n{error.body}\n".encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "text/plain; charset=utf-8"))
        self.response_headers.extend(self.channel.server.refusal_headers.items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


# Connections with limits on idle time and on slow clients.

IDLE_SECONDS = 75  # longer than a proxy keeps a connection for its next request
MOST_SENT_KEPT = 256 * 1024  # bytes of an answer that are kept after they are sent
READER_WINDOW = 60  # seconds over which the rate of a reader is averaged: a phone may be in a tunnel


class PacedChannel(HTTPChannel):
    """A connection that is closed if its client is idle or slow for too long.

    Request threads never wait for a client: data that it does not take at once goes to a temporary file.
    """

    parser_class = StrictParser
    task_class = LaneTask
    error_task_class = RefusalTask

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.sent = 0  # bytes handed to the system
        self.busy_at = monotonic()  # when it was opened, or its last request was answered
        self.has_served = False
        self.outgoing: Pace | None = None
        super().__init__(*args, **kwargs)

    def service(self) -> None:
        """Handle one request, in a thread of its lane."""
        self.has_served = True
        request = self.requests[0]
        try:
            with self.server.mark_answering(self):
                super().service()
        finally:
            self.server.in_hand.discard(request)  # where no answer was begun
            self.busy_at = monotonic()

    def write_soon(self, data: Any) -> int:
        """Send a piece of an answer, or queue it.

        Waitress keeps all that a buffer has sent until it begins another, which by itself it would do after
        the whole answer: a file of a force is 20 MB.
        """
        with self.outbuf_lock:
            if self.current_outbuf_count - len(self.outbufs[-1]) > MOST_SENT_KEPT:
                self._begin_buffer()
        count: int = super().write_soon(data)
        return count

    def forget_sent(self) -> None:
        """Free the memory of an answer that was sent in full."""
        with self.outbuf_lock:
            if not self.total_outbufs_len:
                self._begin_buffer()
                while len(self.outbufs) > 1:
                    self.outbufs.pop(0).close()

    def _begin_buffer(self) -> None:
        self.outbufs.append(OverflowableBuffer(self.adj.outbuf_overflow))
        self.current_outbuf_count = 0

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Hand bytes to the system; returns how many it took."""
        count: int = super().send(data, do_close)
        self.sent += count
        return count

    def add_channel(self, map: dict[int, Any] | None = None) -> None:
        """Be polled from now on."""
        super().add_channel(map)
        self.server.awake[self._fileno] = self

    def del_channel(self, map: dict[int, Any] | None = None) -> None:
        """Be polled no longer, before the connection is closed."""
        self.server.resting.forget(self._fileno)
        super().del_channel(map)

    @property
    def rests(self) -> bool:
        """Whether nothing happens until the client sends something."""
        return not (self.is_answering or self.will_close or self.close_when_flushed)

    @property
    def awaits_answer(self) -> bool:
        """Whether nothing happens until a thread has something to send, or has finished."""
        return bool(self.requests) and not (
            self.total_outbufs_len or self.will_close or self.close_when_flushed
        )

    @property
    def is_answering(self) -> bool:
        """Whether an answer, or a part of one, is still to be sent."""
        return bool(self.requests or self.total_outbufs_len)

    @property
    def waits_for_client(self) -> bool:
        """Whether only the client can act next: send a request, or its rest, or take the answer."""
        return bool(not self.requests or self.total_outbufs_len)

    def client_has_left(self) -> bool:
        """Whether the client closed the connection: it is not asked while a request waits for a thread."""
        try:
            return not self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except (OSError, AttributeError):  # the loop closed it meanwhile
            return True

    @property
    def bytes_received(self) -> int:
        """Bytes received of a body that is not complete yet."""
        return self.request.body_bytes_received if self.request is not None else 0

    def is_stuck(self, now: float) -> bool:
        """Whether the client is too slow, or idle for too long; called about once a second."""
        if self.total_outbufs_len:
            taken = self.sent - self._not_taken()
            self.outgoing = self.outgoing or Pace(READER_WINDOW, taken, now)
            return self.outgoing.is_too_slow(taken, now)
        self.outgoing = None
        if self.requests:
            return False
        if self.request is not None:
            return bool(self.request.is_too_slow(now))
        return now - self.busy_at > (IDLE_SECONDS if self.has_served else HEADER_SECONDS)

    def _not_taken(self) -> int:
        """Bytes in the kernel's send buffer, not yet taken by the client; 0 if unknown."""
        try:
            answer = fcntl.ioctl(self.socket.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        except OSError:
            return 0
        count: int = struct.unpack("i", answer)[0]
        return count


# Connections on which nothing happens are not polled, so that many of them cost nothing.
#
# Waitress asks each connection before each wait what it waits for. With a thousand that browsers keep
# open, that took as much of the processor as the pages did; with 250 that wait for their answer, a fifth
# of it.


class RestingConnections:
    """One entry in waitress's poll in place of all connections that wait for their client.

    Those that wait for their answer have none: whoever answers wakes them.
    """

    accepting = False

    def __init__(self, awake: dict[int, Any]) -> None:
        """``awake`` maps what waitress polls; a connection is in it or in one of the other two."""
        self.awake = awake
        self.resting: dict[int, Any] = {}  # wait for their client
        self.unanswered: dict[int, Any] = {}  # wait for the thread that answers
        self._woken: deque[Any] = deque()
        if sys.platform == "linux":  # elsewhere all are polled
            self._watch = select.epoll()
            awake[self._watch.fileno()] = self

    def readable(self) -> bool:
        """Whether to be told of what arrives."""
        return True

    def writable(self) -> bool:
        """Whether to be told that something can be sent."""
        return False

    def handle_read_event(self) -> None:
        """Wake the connections on which something arrived, or that their client closed."""
        for number, _ in self._watch.poll(0):
            if channel := self.resting.pop(number, None):  # not one that another's turn has closed
                self._watch.unregister(number)
                self.awake[number] = channel
                wasyncore.readwrite(channel, select.POLLIN)

    def lay_to_rest(self) -> None:
        """Stop polling the connections on which nothing happens; called after each poll."""
        for number, channel in list(self.awake.items()):
            if getattr(channel, "awaits_answer", False):
                self.unanswered[number] = self.awake.pop(number)
            elif sys.platform == "linux" and getattr(channel, "rests", False):
                channel.forget_sent()
                self.resting[number] = self.awake.pop(number)
                self._watch.register(number, select.EPOLLIN)

    def wake_channel(self, channel: Any) -> None:
        """Have a connection polled again that was answered, in part or in full; called by any thread."""
        self._woken.append(channel)

    def wake_answered(self) -> None:
        """Poll the connections again that ``wake_channel`` was given; called before each poll."""
        while self._woken:
            channel = self._woken.popleft()
            number = channel._fileno  # None once it is closed
            if self.unanswered.get(number) is channel:
                self.awake[number] = self.unanswered.pop(number)

    def forget(self, number: int | None) -> None:
        """Forget a descriptor that is about to be closed.

        The kernel would go on telling of it as long as a child process has a copy.
        """
        if number is not None:
            self.awake.pop(number, None)
            self.unanswered.pop(number, None)
            if self.resting.pop(number, None) is not None:
                self._watch.unregister(number)


MIB = 1024 * 1024
# Of one process; beyond nine tenths, the oldest idle or unfinished ones are closed. As many people may wait
# to be signed in, in the minute in which 3,000 come: a proxy has a connection open for each of them.
MOST_CONNECTIONS = 2000
FILES_EACH = 3  # descriptors of a connection: itself, its body and its answer in temporary files
LARGEST_BODY = 51 * MIB  # of a file by the API, 50 MB; pages take less and say so themselves
MOST_RECEIVED = 256 * MIB  # of all incomplete bodies
MOST_UNSENT = 1024 * MIB  # of answers that wait on the disk for slow readers
MOST_FILES_WAITING = 4  # of one process, each for seconds; whoever comes next is offered a job instead
FINISH_SECONDS = 20  # for requests under way when the server is told to end
SETTINGS = {
    "ident": "",
    "max_request_header_size": 32 * 1024,
    "max_request_body_size": LARGEST_BODY,
    # Beyond these a body or an answer goes to a temporary file: all of them together must fit in memory.
    "inbuf_overflow": MIB // 16,
    "outbuf_overflow": MIB // 8,
    "outbuf_high_watermark": 4 * MOST_UNSENT,  # no thread ever waits for a reader
    "connection_limit": MOST_CONNECTIONS,
    "cleanup_interval": 1,
    "expose_tracebacks": False,
    "log_socket_errors": False,
    # The application itself decides which proxies to trust: its pages/layout/proxies.py reads their headers.
    "clear_untrusted_proxy_headers": False,
}


class Server(TcpWSGIServer):
    """Waitress on a socket that several processes share."""

    channel_class = PacedChannel

    def __init__(
        self,
        application: Application,
        long_requests: LongRequests,
        listening: socket.socket,
        refusal_headers: Mapping[str, str],
    ) -> None:
        self._answer_here, self._long_requests = application, long_requests
        address = (listening.family, listening.type, listening.proto, listening.getsockname())
        adj = Adjustments(sockets=[listening], **SETTINGS)
        self.lanes = Lanes()
        self.in_hand: set[Any] = set()  # requests that this process works on, until their answer begins
        self.refusal_headers = refusal_headers
        self.parent = os.getppid()
        self.is_ending = False
        self._thread = threading.local()  # ``channel``: the one that this thread is answering
        super().__init__(
            self._answer, _sock=listening, dispatcher=self.lanes, adj=adj, bind_socket=False, sockinfo=address
        )
        self.awake: dict[int, Any] = dict(self._map)
        self.resting = RestingConnections(self.awake)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request as a WSGI application; a process of their own answers those that take seconds."""
        answer = self._long_requests.relay if environ[LANE] in LONG else self._answer_here
        return answer(environ, start_response)

    @contextmanager
    def mark_answering(self, channel: PacedChannel) -> Iterator[None]:
        """Mark this connection as the one that this thread answers, until the block ends."""
        self._thread.channel = channel
        try:
            yield
        finally:
            self._thread.channel = None

    def pull_trigger(self) -> None:
        """End the loop's wait; a thread that answers wakes its connection with it."""
        channel = getattr(self._thread, "channel", None)
        if channel is not None:
            self.resting.wake_channel(channel)
        super().pull_trigger()

    def add_task(self, channel: PacedChannel) -> None:
        """Queue the first request of a channel in its lane; that of one file too many is told so."""
        request = channel.requests[0]
        request.lane = Lane.READS if request.error else lane_of(request.command, request.path)
        if request.lane is Lane.FILES and self._is_full():
            request.lane, request.is_file_too_many = Lane.READS, True
        if request.lane in COMPUTED_HERE:
            self.in_hand.add(request)
        self.lanes.add_task(request.lane, channel)

    def _is_full(self) -> bool:
        unsent = sum(channel.total_outbufs_len for channel in list(self.active_channels.values()))
        return unsent > MOST_UNSENT or self.lanes.count_waiting(Lane.FILES) >= MOST_FILES_WAITING

    def has_too_many(self) -> bool:
        """Whether another web process has so few requests in hand that it should take the next ones.

        A connection stays with the process that accepted it, and a proxy sends each request on the one that
        it used last. So one process could get nearly all while another rests.
        """
        least = IN_HAND.find_least_of_others()
        return least is not None and len(self.in_hand) > least + 1 + least // 4

    def maintenance(self, now: float) -> None:
        """Close connections that are stuck, and more if there are too many; called once a second."""
        self.is_ending = self.is_ending or os.getppid() != self.parent
        at = monotonic()
        for channel in list(self.active_channels.values()):
            if channel.is_stuck(at):
                channel.handle_close()
        self._make_room()

    def _make_room(self) -> None:
        """Close connections with unfinished requests first, then those with untaken answers; oldest first."""
        waiting = [channel for channel in self.active_channels.values() if channel.waits_for_client]
        too_many = len(self.active_channels) - MOST_CONNECTIONS * 9 // 10
        if too_many > 0:
            waiting.sort(key=lambda channel: (channel.is_answering, channel.creation_time))
            for channel in waiting[: too_many + MOST_CONNECTIONS // 4]:
                channel.handle_close()
        received = sum(channel.bytes_received for channel in waiting)
        for channel in sorted(waiting, key=lambda channel: -channel.bytes_received):
            if received <= MOST_RECEIVED:
                break
            received -= channel.bytes_received
            channel.handle_close()

    def begin_to_end(self, *_: object) -> None:
        """Make ``run`` return once the requests under way are answered."""
        self.is_ending = True
        self.pull_trigger()

    def run(self) -> None:
        """Serve until told to end or the parent process is gone; finish requests under way."""
        while not self.is_ending:
            self._poll(1)
        try:
            self._finish_requests()
        finally:
            IN_HAND.set_own(0)

    def _finish_requests(self) -> None:
        self.resting.forget(self._fileno)
        self.del_channel()
        self.socket.close()
        last = monotonic() + FINISH_SECONDS
        while monotonic() < last:
            for channel in list(self.active_channels.values()):
                if not channel.is_answering:
                    channel.handle_close()
            if not self.active_channels:
                return
            self._poll(0.1)
            self.maintenance(time.time())

    def _poll(self, seconds: float) -> None:
        self.resting.wake_answered()
        wasyncore.poll2(seconds, self.awake)
        self.resting.lay_to_rest()
        IN_HAND.set_own(len(self.in_hand))


def serve_requests(
    application: Application,
    long_requests: LongRequests,
    listening: socket.socket,
    refusal_headers: Mapping[str, str],
) -> None:
    """Run one web process until SIGTERM; Ctrl-C is handled by its parent.

    Args:
        application: The WSGI application.
        long_requests: Where the process for those that take seconds gets them.
        listening: Bound, and shared with the other web processes.
        refusal_headers: Headers of the server's own error answers.
    """
    name_process("portal-web")
    for name in (signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = FILES_EACH * MOST_CONNECTIONS + 200
    if hard == resource.RLIM_INFINITY or hard > soft:
        most = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # else each request to a full lane is logged
    server = Server(application, long_requests, listening, refusal_headers)
    signal.signal(signal.SIGTERM, server.begin_to_end)
    server.run()
