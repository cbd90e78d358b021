"""Connections with limits on idle time and on slow clients."""

import fcntl
import socket
import struct
import termios
from time import monotonic
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel

from portal.platform.serving.requests import HEADER_SECONDS, LaneTask, Pace, RefusalTask, StrictParser

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
