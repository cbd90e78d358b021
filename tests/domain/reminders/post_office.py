"""A mail relay of the tests' own: it accepts, refuses, stalls or dies, as it is told for each address."""

import asyncio
import socket
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Office:
    """What came in, and how it behaves."""

    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)  # at RCPT, for good
    busy: set[str] = field(default_factory=set)  # at RCPT, for now
    spoil: set[str] = field(default_factory=set)  # after DATA, for good
    stall: set[str] = field(default_factory=set)  # never answers RCPT
    die: set[str] = field(default_factory=set)  # takes the text and breaks off before it answers
    tries: list[str] = field(default_factory=list)
    when: list[float] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.tries.append(address)
        if address in self.refuse:
            return "550 5.1.1 No such mailbox"
        if address in self.busy:
            return "451 4.7.1 Try again later"
        if address in self.stall:
            await asyncio.sleep(10)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        address = envelope.rcpt_tos[0]
        if address in self.spoil:
            return "554 5.7.1 Not wanted"
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append((address, message_from_bytes(content, policy=policy.default)))
        self.when.append(time.monotonic())
        if address in self.die:
            assert server.transport is not None
            server.transport.abort()
            return "250 OK"
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """What came in for one address."""
        return [mail for one, mail in self.taken if one == address]


class _Relay(Controller):  # type: ignore[misc]
    """Listens on a port that the machine chooses."""

    def _create_server(self) -> Coroutine[Any, Any, asyncio.AbstractServer]:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        made: Coroutine[Any, Any, asyncio.AbstractServer] = self.loop.create_server(
            self._factory_invoker, sock=listening
        )
        return made


@contextmanager
def open_office() -> Iterator[Office]:
    """A relay on loopback, on a free port."""
    office = Office()
    controller = _Relay(office, hostname="127.0.0.1")
    controller.start()
    try:
        office.port = controller.port
        yield office
    finally:
        controller.stop()
