"""Sends the messages of the outbox: each is claimed, checked again, sent and recorded, one by one."""

import smtplib
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import inf
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from portal.domain.accounts import delivered_links
from portal.domain.reminders import queries, services
from portal.domain.reminders.clarity_mails import compose_reply_mail
from portal.domain.reminders.event_mails import compose_event_mail
from portal.domain.reminders.evidence_mails import compose_evidence_mail
from portal.domain.reminders.folder_mails import compose_folder_mail
from portal.domain.reminders.invitations import link_mails
from portal.domain.reminders.invitations.link_mails import LinkLetter
from portal.domain.reminders.message_texts import NothingToSend, PortalDetails, compose_reminder
from portal.domain.reminders.models import EVENT_KINDS, Message, MessageKind
from portal.domain.reminders.notice_texts import compose_notice
from portal.domain.reminders.recall_mails import compose_recall
from portal.domain.reminders.report_mails import compose_report_mail
from portal.domain.reminders.review_mails import compose_review_mail
from portal.domain.reminders.send_window import SendWindow
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs.items import ItemFailures
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
UNEXPECTED = "The portal could not write it. Support finds the reason in its log."
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
    mails_files: bool = False  # whether a saved report's rows may be attached

    @property
    def portal_details(self) -> PortalDetails:
        """The part of the settings that letters need."""
        return PortalDetails(
            self.address, self.force, self.line_managers, self.mails_files, self.relay.sender
        )


def _write_reminder(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    lines = queries.read_lines([row.id])[row.id]
    return compose_reminder(
        row.person_id, lines, queries.directives_in_force(clock.london_day(now)), now=now, portal=portal
    )


def _write_notice(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    return compose_notice(row.person_id, row.email, queries.read_acts(row.id), now=now, portal=portal)


def _write_link_mail(row: Message, now: datetime, portal: PortalDetails) -> LinkLetter | NothingToSend:
    """Write a mail with a link, which is made now; the database gets its hash alone."""
    with transaction():
        return link_mails.compose_link_mail(row, now=now, portal=portal)


WRITERS: dict[MessageKind, Callable[[Message, datetime, PortalDetails], LinkLetter | Letter | NothingToSend]]
WRITERS = {
    MessageKind.REMINDER: _write_reminder,
    MessageKind.NOTICE: _write_notice,
    MessageKind.INVITATION: _write_link_mail,
    MessageKind.RESET: _write_link_mail,
    MessageKind.RECALL: compose_recall,
    MessageKind.CLARITY: compose_reply_mail,
    MessageKind.REVIEW: compose_review_mail,
    MessageKind.FOLDER: compose_folder_mail,
    MessageKind.REPORT: compose_report_mail,
    MessageKind.EVIDENCE_STALE: compose_evidence_mail,
    **dict.fromkeys(EVENT_KINDS, compose_event_mail),
}


def send_due_messages(
    settings: SendingSettings,
    tell: Callable[[int, str], None] = lambda count, text: None,
    kinds: Collection[MessageKind] = tuple(MessageKind),
    seconds: float = inf,
) -> SendingRound:
    """Send the waiting messages that may be sent now. Edge: it commits after each message.

    Args:
        settings: Of this portal.
        kinds: Of the messages to send; what somebody waits for comes first, and at any hour.
        tell: Is told after each message how many are done, and the numbers in words; may raise to stop.
        seconds: After which the round ends, so that other jobs get their turn; the others go on waiting.

    Raises:
        RelayError: The relay cannot be used. The other messages go on waiting.
    """
    outcome, last = SendingRound(), time.monotonic() + seconds
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
                if time.monotonic() >= last:
                    sender.keep_pace()  # the next round begins with its first message at once
                    return outcome
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
        self.failures = ItemFailures("message", RelayError)
        self.connection: smtplib.SMTP | None = None

    def close(self) -> None:
        self.stack.close()
        self.connection = None

    def send_message(self, message_id: int, kind: MessageKind) -> None:
        """Claim one message, check it again, send it and record its outcome."""
        self.keep_pace()  # before the check, so that what is completed during the pause is not mentioned
        now, hours = clock.now(), self.settings.hours
        if not services.send_window_of(kind, hours).allows_sending(now):
            return
        with transaction():
            if not services.claim_message(message_id, at=now, hours=hours):
                return
        put_off = partial(self._put_off_failed, message_id, now)
        with self.failures.of(message_id, put_off):
            self._write_and_send(message_id, kind, now)

    def _put_off_failed(self, message_id: int, now: datetime) -> None:
        self.outcome.put_off += 1
        with transaction():
            services.postpone_message(message_id, UNEXPECTED, at=now, hours=self.settings.hours)

    def _write_and_send(self, message_id: int, kind: MessageKind, now: datetime) -> None:
        row = db.session.execute(select(Message).where(Message.id == message_id)).scalar_one()
        reference = row.reference
        draft = WRITERS[kind](row, now, self.settings.portal_details)
        db.session.rollback()  # no reading transaction stays open while the relay is slow
        if isinstance(draft, NothingToSend):
            self.outcome.dropped += 1
            with transaction():
                services.mark_dropped(message_id, draft.reason)
            return
        letter, token = (draft.letter, draft.token) if isinstance(draft, LinkLetter) else (draft, "")
        self._send_and_record(message_id, letter, reference, now, token)

    def _send_and_record(
        self, message_id: int, letter: Letter, reference: UUID, now: datetime, token: str
    ) -> None:
        """Send a letter; ``token`` is that of the link in it, if it has one."""
        hours = self.settings.hours
        try:
            self.next = time.monotonic() + 60 / self.settings.relay.per_minute
            self._hand_to_relay(letter, reference, now)
        except RefusedError as error:
            self.outcome.refused += 1
            with transaction():
                services.mark_refused(message_id, str(error))
                delivered_links.discard_link(token)
        except DeferredError as error:
            self.outcome.put_off += 1
            with transaction():
                services.postpone_message(message_id, str(error), at=now, hours=hours)
                delivered_links.discard_link("" if error.broken else token)  # if broken, it may have arrived
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
                delivered_links.discard_link(token)
            raise
        else:
            self.outcome.sent += 1
            self.breaks = 0
            with transaction():
                services.mark_sent(message_id, at=clock.now())
                link_mails.record_delivery(message_id, token, clock.now())

    def _hand_to_relay(self, letter: Letter, reference: UUID, now: datetime) -> None:
        relay = self.settings.relay
        if self.connection is None:
            self.stack = ExitStack()
            self.connection = self.stack.enter_context(connect_relay(relay))
        host = urlsplit(self.settings.address).hostname or "localhost"
        hand_over(self.connection, letter, relay=relay, reference=reference, host=host, at=now)

    def keep_pace(self) -> None:
        """Wait until the relay's limit allows another message."""
        wait = self.next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
