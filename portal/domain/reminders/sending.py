"""The outbox's round: what waits is claimed, checked again, handed over, and noted, one by one."""

import smtplib
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from portal.domain.reminders import queries, services
from portal.domain.reminders.message_texts import NothingToSend, PortalDetails, compose_reminder
from portal.domain.reminders.models import Message, MessageKind
from portal.domain.reminders.notice_texts import notice_letter
from portal.domain.reminders.send_window import SendWindow
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.mail.smtp import (
    DeferredError,
    Letter,
    RefusedError,
    Relay,
    RelayError,
    connect_relay,
    hand_over,
)

BATCH = 200
BREAKS = 3  # connections in a row that broke, after which the round ends


@dataclass(slots=True)
class SendingRound:
    """What became of the messages of one round."""

    sent: int = 0
    dropped: int = 0
    refused: int = 0
    put_off: int = 0

    @property
    def summary_words(self) -> str:
        """In one line."""
        return (
            f"{self.sent} sent, {self.dropped} not needed any more, "
            f"{self.refused} refused, {self.put_off} put off"
        )


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """What a round needs to know."""

    relay: Relay
    hours: SendWindow
    address: str  # where people reach the portal
    force: str
    line_managers: bool = False  # see direct reports by the roster alone

    @property
    def portal_details(self) -> PortalDetails:
        """What letters need to know."""
        return PortalDetails(self.address, self.force, self.line_managers)


def _write_reminder(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    lines = queries.lines_of([row.id])[row.id]
    return compose_reminder(
        row.person_id, lines, queries.directives_in_force(clock.london_day(now)), now=now, portal=portal
    )


def _write_notice(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    return notice_letter(row.person_id, row.email, queries.acts_of(row.id), now=now, portal=portal)


WRITERS = {MessageKind.REMINDER: _write_reminder, MessageKind.NOTICE: _write_notice}


def send_waiting(
    settings: SendingSettings,
    tell: Callable[[int, str], None] = lambda done, said: None,
    kinds: Collection[MessageKind] = tuple(MessageKind),
) -> SendingRound:
    """Send what waits and may go now. Edge: it commits after each message.

    Args:
        settings: Of this portal.
        kinds: Of the messages to send; notices about accounts go first, and at any hour.
        tell: Told after each message how many are done; may raise to end the round.

    Raises:
        RelayError: The relay cannot be used; what waits goes on waiting.
    """
    done = SendingRound()
    if not _may_go(settings, kinds):
        return done
    with transaction():
        services.take_back_lost(clock.now(), settings.hours)
    sender = _MailSender(settings, done)
    try:
        while due := queries.to_send(clock.now(), BATCH, _may_go(settings, kinds)):
            before = (done.sent, done.dropped, done.refused, done.put_off)
            for message_id, kind in due:
                sender.send_message(message_id, kind)
                tell(sum((done.sent, done.dropped, done.refused, done.put_off)), done.summary_words)
            if before == (done.sent, done.dropped, done.refused, done.put_off):
                break  # others have them
    finally:
        sender.close()
    return done


def _may_go(settings: SendingSettings, kinds: Collection[MessageKind]) -> list[MessageKind]:
    """Those of these kinds that may go at this instant."""
    return [kind for kind in kinds if services.hours_of(kind, settings.hours).allows_sending(clock.now())]


class _MailSender:
    """Holds the connection and its pace."""

    def __init__(self, settings: SendingSettings, done: SendingRound) -> None:
        self.settings, self.done = settings, done
        self.stack, self.breaks, self.next = ExitStack(), 0, 0.0
        self.connection: smtplib.SMTP | None = None

    def close(self) -> None:
        self.stack.close()
        self.connection = None

    def send_message(self, message_id: int, kind: MessageKind) -> None:
        """Claim, check again, hand over and note one message."""
        self._keep_pace()  # before it is checked: what is done while the relay rests is not asked for
        now, hours = clock.now(), self.settings.hours
        if not services.hours_of(kind, hours).allows_sending(now):
            return
        with transaction():
            if not services.claim_message(message_id, at=now, hours=hours):
                return
        row = db.session.execute(select(Message).where(Message.id == message_id)).scalar_one()
        reference = row.reference
        made = WRITERS[kind](row, now, self.settings.portal_details)
        db.session.rollback()  # no reading transaction is left open while the relay is slow
        if isinstance(made, NothingToSend):
            self.done.dropped += 1
            with transaction():
                services.mark_dropped(message_id, made.reason)
            return
        self._hand_over(message_id, made, reference, now)

    def _hand_over(self, message_id: int, made: Letter, reference: UUID, now: datetime) -> None:
        hours = self.settings.hours
        try:
            self.next = time.monotonic() + 60 / self.settings.relay.per_minute
            self._hand_to_relay(made, reference, now)
        except RefusedError as error:
            self.done.refused += 1
            with transaction():
                services.mark_refused(message_id, str(error))
        except DeferredError as error:
            self.done.put_off += 1
            with transaction():
                services.put_off(message_id, str(error), at=now, hours=hours)
            if error.broken:
                self.close()
                self.breaks += 1
                if self.breaks >= BREAKS:
                    raise RelayError("The mail relay broke off three times; the rest waits.") from error
        except RelayError as error:
            with transaction():
                services.put_off(message_id, str(error), at=now, hours=hours, counted=False)
            raise
        else:
            self.done.sent += 1
            self.breaks = 0
            with transaction():
                services.mark_sent(message_id, at=clock.now())

    def _hand_to_relay(self, made: Letter, reference: UUID, now: datetime) -> None:
        relay = self.settings.relay
        if self.connection is None:
            self.stack = ExitStack()
            self.connection = self.stack.enter_context(connect_relay(relay))
        host = urlsplit(self.settings.address).hostname or "localhost"
        hand_over(self.connection, made, relay=relay, reference=reference, host=host, at=now)

    def _keep_pace(self) -> None:
        wait = self.next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
