"""One web process: an event loop for connections, and lanes of threads that handle the requests."""

import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from portal.platform.processes import name_process
from portal.platform.requests_in_hand import IN_HAND
from portal.platform.serving.channel import PacedChannel
from portal.platform.serving.lanes import COMPUTED_HERE, LANE, LONG, Lane, Lanes, lane_of
from portal.platform.serving.long_requests import Application, LongRequests
from portal.platform.serving.resting import RestingConnections

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
