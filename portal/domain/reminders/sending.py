"""Sends the messages of the outbox: each is claimed, checked again, sent and recorded, one by one."""

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
from portal.domain.reminders.notice_texts import compose_notice
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
BREAKS = 3  # broken connections in a row, after which the round ends


@dataclass(slots=True)
class SendingRound:
    """How many messages of one round were sent, dropped, refused or put off."""

    sent: int = 0
    dropped: int = 0
    refused: int = 0
    put_off: int = 0

    @property
    def message_count(self) -> int:
        """The number of all messages of the round."""
        return self.sent + self.dropped + self.refused + self.put_off

    @property
    def summary_words(self) -> str:
        """The numbers in one line."""
        return (
            f"{self.sent} sent, {self.dropped} not needed any more, "
            f"{self.refused} refused, {self.put_off} put off"
        )


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """The settings for sending messages."""

    relay: Relay
    hours: SendWindow
    address: str  # of the portal, for links
    force: str
    line_managers: bool = False  # whether the roster alone shows line managers their direct reports

    @property
    def portal_details(self) -> PortalDetails:
        """The part of the settings that letters need."""
        return PortalDetails(self.address, self.force, self.line_managers)


def _write_reminder(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    lines = queries.read_lines([row.id])[row.id]
    return compose_reminder(
        row.person_id, lines, queries.directives_in_force(clock.london_day(now)), now=now, portal=portal
    )


def _write_notice(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    return compose_notice(row.person_id, row.email, queries.read_acts(row.id), now=now, portal=portal)


WRITERS = {MessageKind.REMINDER: _write_reminder, MessageKind.NOTICE: _write_notice}


def send_due_messages(
    settings: SendingSettings,
    tell: Callable[[int, str], None] = lambda count, text: None,
    kinds: Collection[MessageKind] = tuple(MessageKind),
) -> SendingRound:
    """Send the waiting messages that may be sent now. Edge: it commits after each message.

    Args:
        settings: Of this portal.
        kinds: Of the messages to send; notices about accounts come first, and at any hour.
        tell: Is told after each message how many are done, and the numbers in words; may raise to stop.

    Raises:
        RelayError: The relay cannot be used. The other messages go on waiting.
    """
    outcome = SendingRound()
    if not _kinds_allowed_now(settings, kinds):
        return outcome
    with transaction():
        services.requeue_lost_messages(clock.now(), settings.hours)
    sender = _MailSender(settings, outcome)
    try:
        while due := queries.list_due_messages(clock.now(), BATCH, _kinds_allowed_now(settings, kinds)):
            count_before = outcome.message_count
            for message_id, kind in due:
                sender.send_message(message_id, kind)
                tell(outcome.message_count, outcome.summary_words)
            if outcome.message_count == count_before:
                break  # other senders have claimed them
    finally:
        sender.close()
    return outcome


def _kinds_allowed_now(settings: SendingSettings, kinds: Collection[MessageKind]) -> list[MessageKind]:
    """The kinds of message that may be sent at this instant."""
    now = clock.now()
    return [kind for kind in kinds if services.send_window_of(kind, settings.hours).allows_sending(now)]


class _MailSender:
    """Sends messages over one connection, at the relay's pace, and counts their outcome."""

    def __init__(self, settings: SendingSettings, outcome: SendingRound) -> None:
        self.settings, self.outcome = settings, outcome
        self.stack, self.breaks, self.next = ExitStack(), 0, 0.0
        self.connection: smtplib.SMTP | None = None

    def close(self) -> None:
        self.stack.close()
        self.connection = None

    def send_message(self, message_id: int, kind: MessageKind) -> None:
        """Claim one message, check it again, send it and record its outcome."""
        self._keep_pace()  # before the check, so that what is completed during the pause is not mentioned
        now, hours = clock.now(), self.settings.hours
        if not services.send_window_of(kind, hours).allows_sending(now):
            return
        with transaction():
            if not services.claim_message(message_id, at=now, hours=hours):
                return
        row = db.session.execute(select(Message).where(Message.id == message_id)).scalar_one()
        reference = row.reference
        letter = WRITERS[kind](row, now, self.settings.portal_details)
        db.session.rollback()  # no reading transaction stays open while the relay is slow
        if isinstance(letter, NothingToSend):
            self.outcome.dropped += 1
            with transaction():
                services.mark_dropped(message_id, letter.reason)
            return
        self._send_and_record(message_id, letter, reference, now)

    def _send_and_record(self, message_id: int, letter: Letter, reference: UUID, now: datetime) -> None:
        hours = self.settings.hours
        try:
            self.next = time.monotonic() + 60 / self.settings.relay.per_minute
            self._hand_to_relay(letter, reference, now)
        except RefusedError as error:
            self.outcome.refused += 1
            with transaction():
                services.mark_refused(message_id, str(error))
        except DeferredError as error:
            self.outcome.put_off += 1
            with transaction():
                services.postpone_message(message_id, str(error), at=now, hours=hours)
            if error.broken:
                self.close()
                self.breaks += 1
                if self.breaks >= BREAKS:
                    raise RelayError(
                        "The mail relay broke the connection three times. The other messages go on waiting."
                    ) from error
        except RelayError as error:
            with transaction():
                services.postpone_message(message_id, str(error), at=now, hours=hours, counted=False)
            raise
        else:
            self.outcome.sent += 1
            self.breaks = 0
            with transaction():
                services.mark_sent(message_id, at=clock.now())

    def _hand_to_relay(self, letter: Letter, reference: UUID, now: datetime) -> None:
        relay = self.settings.relay
        if self.connection is None:
            self.stack = ExitStack()
            self.connection = self.stack.enter_context(connect_relay(relay))
        host = urlsplit(self.settings.address).hostname or "localhost"
        hand_over(self.connection, letter, relay=relay, reference=reference, host=host, at=now)

    def _keep_pace(self) -> None:
        wait = self.next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
