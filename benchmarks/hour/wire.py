"""An HTTP client for thousands of people in one thread: asyncio, and connections kept as a proxy keeps them.

It shares the machine with the portal it measures, so it parses as little as it can: no more than status,
length, cookies and redirects.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import cast

PATIENCE = 120.0  # seconds for one answer; a browser waits longer
KEPT = 60.0  # seconds that an idle connection is kept, as docs/runbook/serving.md has it


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; the body of a file is counted, not kept."""

    status: int
    location: str
    cookies: list[str]
    body: bytes
    size: int

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Wire(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self._reply: asyncio.Future[Reply] | None = None
        self._left = bytearray()
        self._head: list[str] | None = None
        self._missing = 0  # bytes of the body, or of the chunk; -1: the size of the next chunk is to come
        self._chunked = self._keeps = False
        self._body: list[bytes] = []
        self._size = 0

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent."""
        return self.transport is not None and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request under way."""
        self.transport = None
        if self._reply and not self._reply.done():
            self._reply.set_exception(ConnectionResetError("closed"))

    def close(self) -> None:
        """Close it."""
        if self.transport:
            self.transport.abort()

    async def ask(self, request: bytes, *, keeps: bool = True) -> Reply:
        """Send a request and wait for its whole answer; without ``keeps`` a file is only counted."""
        assert self.transport is not None
        self._reply = asyncio.get_running_loop().create_future()
        self._head, self._body, self._size, self._keeps = None, [], 0, keeps
        self.transport.write(request)
        try:
            return await asyncio.wait_for(self._reply, PATIENCE)
        except BaseException:
            self.close()
            raise

    def data_received(self, data: bytes) -> None:
        """Take what came; the answer is complete with its last byte."""
        self._left += data
        if self._head is None and not self._take_head():
            return
        if self._chunked:
            self._take_chunks()
        else:
            self._take(len(self._left))
            if self._missing == 0:
                self._finish()

    def _take_head(self) -> bool:
        end = self._left.find(b"\r\n\r\n")
        if end < 0:
            return False
        self._head = self._left[:end].decode("latin-1").split("\r\n")
        del self._left[: end + 4]
        self._chunked, self._missing = False, 0
        for line in self._head:
            name, _, value = line.partition(": ")
            if name.lower() == "content-length":
                self._missing = int(value)
            elif name.lower() == "transfer-encoding":
                self._chunked, self._missing = True, -1
            elif name.lower() == "content-type" and value.startswith("text/html"):
                self._keeps = True
        return True

    def _take(self, most: int) -> None:
        """Move as much of the body as there is, up to ``most``."""
        size = min(self._missing, most)
        if self._keeps:
            self._body.append(bytes(self._left[:size]))
        del self._left[:size]
        self._size += size
        self._missing -= size

    def _take_chunks(self) -> None:
        """Take chunk after chunk; each has its size in a line before it, and a line end after it."""
        while True:
            if self._missing > 0:
                self._take(len(self._left))
            if self._missing > 0 or (self._missing == 0 and not self._drop(2)):
                return
            self._missing = -1
            end = self._left.find(b"\r\n")
            if end < 0:
                return
            size = int(self._left[:end], 16)
            if size == 0:
                if self._drop(end + 4):
                    self._finish()
                return
            self._drop(end + 2)
            self._missing = size

    def _drop(self, size: int) -> bool:
        """Drop so many bytes; False where they have not all come."""
        if len(self._left) < size:
            return False
        del self._left[:size]
        return True

    def _finish(self) -> None:
        assert self._head is not None
        location, cookies, closes = "", [], False
        for line in self._head[1:]:
            name, _, value = line.partition(": ")
            match name.lower():
                case "location":
                    location = value
                case "set-cookie":
                    cookies.append(value.partition(";")[0])
                case "connection":
                    closes = value.lower() == "close"
        reply = Reply(int(self._head[0].split()[1]), location, cookies, b"".join(self._body), self._size)
        if closes:
            self.close()
        if self._reply and not self._reply.done():
            self._reply.set_result(reply)


class Pool:
    """Connections to one port, lent for one request each, as nginx keeps those to its upstream."""

    def __init__(self, port: int) -> None:
        self.port, self.most = port, 0  # the most that were lent at once
        self._free: deque[Wire] = deque()
        self._lent: set[Wire] = set()

    async def ask(self, request: bytes, *, keeps: bool = True) -> Reply:
        """Send a request on a connection that nobody uses."""
        wire = await self._take()
        self._lent.add(wire)
        self.most = max(self.most, len(self._lent))
        try:
            reply = await wire.ask(request, keeps=keeps)
        finally:
            self._lent.discard(wire)
        if wire.is_open:
            wire.idle_since = asyncio.get_running_loop().time()
            self._free.append(wire)
        return reply

    async def _take(self) -> Wire:
        loop = asyncio.get_running_loop()
        while self._free:
            wire = self._free.pop()
            if wire.is_open and loop.time() - wire.idle_since < KEPT:
                return wire
            wire.close()
        _, wire = await loop.create_connection(Wire, "127.0.0.1", self.port)
        return wire

    async def close(self) -> None:
        """Close all, lent or free."""
        for wire in (*self._free, *self._lent):
            wire.close()
        self._free.clear()
        await asyncio.sleep(0.05)  # a socket is closed in the loop's next round
