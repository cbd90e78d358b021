"""Parses requests: refuses ambiguous ones, and measures how fast they arrive.

A proxy in front and the server behind it must agree on where a request ends and which host it is for, or one
request is smuggled inside another.
"""

import socket
import struct
from time import monotonic
from typing import Any

from waitress.channel import ClientDisconnected
from waitress.parser import HTTPRequestParser, ParsingError, get_header_lines
from waitress.rfc7230 import HEADER_FIELD_RE
from waitress.task import ErrorTask, WSGITask

from portal.platform.serving.lanes import FILES_ARE_BUSY, LANE, Lane

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
