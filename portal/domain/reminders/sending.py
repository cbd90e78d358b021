"""Sends the messages of the outbox: each is claimed, checked again, sent and recorded, one by one."""

import smtplib
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from math import inf
from urllib.parse import urlsplit
from uuid import UUID

from govuk_bank_holidays.bank_holidays import BankHolidays
from sqlalchemy import case, func, or_, select

from config import Config, current_settings
from portal.domain.accounts import services
from portal.domain.people.visibility import Viewer
from portal.domain.reminders import invitations, queries
from portal.domain.reminders import services as reminders_services
from portal.domain.reminders.desk_mails import (
    compose_review_mail,
)
from portal.domain.reminders.invitations import LinkLetter
from portal.domain.reminders.message_texts import NothingToSend, PortalDetails, compose_reminder
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.notice_texts import compose_notice
from portal.domain.reminders.rules import SendWindow, lines_in_words, make_send_window, words_of_kind
from portal.domain.reminders.services import send_window_of
from portal.platform import clock
from portal.platform.clock import LONDON
from portal.platform.db import db, transaction
from portal.platform.errors import RuleError
from portal.platform.jobs.registry import ItemFailures
from portal.platform.mail import (
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

    @property
    def portal_details(self) -> PortalDetails:
        """The part of the settings that letters need."""
        return PortalDetails(self.address, self.force, self.line_managers, self.relay.sender)


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
        return invitations.compose_link_mail(row, now=now, portal=portal)


Writer = Callable[[Message, datetime, PortalDetails], LinkLetter | Letter | NothingToSend]
WRITERS: dict[MessageKind, Writer] = {  # of the core
    MessageKind.REMINDER: _write_reminder,
    MessageKind.NOTICE: _write_notice,
    MessageKind.INVITATION: _write_link_mail,
    MessageKind.RESET: _write_link_mail,
    MessageKind.REVIEW: compose_review_mail,
}


def _writer_of(kind: MessageKind) -> Writer:
    """What writes messages of a kind; those of a feature that is off are dropped."""
    of_features = {mail.kind: (each, mail) for each in current_settings().features_on for mail in each.mails}
    if kind in WRITERS or kind not in of_features:
        return WRITERS.get(kind, lambda _row, _now, _portal: NothingToSend("Not needed any more."))
    feature, mail = of_features[kind]
    writer: Writer = feature.load(mail.write)
    return writer


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
        reminders_services.requeue_lost_messages(clock.now(), settings.hours)
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
    return [
        kind for kind in kinds if reminders_services.send_window_of(kind, settings.hours).allows_sending(now)
    ]


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
        if not reminders_services.send_window_of(kind, hours).allows_sending(now):
            return
        with transaction():
            if not reminders_services.claim_message(message_id, at=now, hours=hours):
                return
        put_off = partial(self._put_off_failed, message_id, now)
        with self.failures.of(message_id, put_off):
            self._write_and_send(message_id, kind, now)

    def _put_off_failed(self, message_id: int, now: datetime) -> None:
        self.outcome.put_off += 1
        with transaction():
            reminders_services.postpone_message(message_id, UNEXPECTED, at=now, hours=self.settings.hours)

    def _write_and_send(self, message_id: int, kind: MessageKind, now: datetime) -> None:
        row = db.session.execute(select(Message).where(Message.id == message_id)).scalar_one()
        reference = row.reference
        draft = _writer_of(kind)(row, now, self.settings.portal_details)
        db.session.rollback()  # no reading transaction stays open while the relay is slow
        if isinstance(draft, NothingToSend):
            self.outcome.dropped += 1
            with transaction():
                reminders_services.mark_dropped(message_id, draft.reason)
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
                reminders_services.mark_refused(message_id, str(error))
                services.discard_link(token)
        except DeferredError as error:
            self.outcome.put_off += 1
            with transaction():
                reminders_services.postpone_message(message_id, str(error), at=now, hours=hours)
                services.discard_link("" if error.broken else token)  # if broken, it may have arrived
            if error.broken:
                self.close()
                self.breaks += 1
                if self.breaks >= BREAKS:
                    raise RelayError(
                        "The mail relay broke the connection three times. The other messages go on waiting."
                    ) from error
        except RelayError as error:
            with transaction():
                reminders_services.postpone_message(
                    message_id, str(error), at=now, hours=hours, counted=False
                )
                services.discard_link(token)
            raise
        else:
            self.outcome.sent += 1
            self.breaks = 0
            with transaction():
                reminders_services.mark_sent(message_id, at=clock.now())
                invitations.record_delivery(message_id, token, clock.now())

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


# The portal's settings of mail.


class NoRelayError(RuleError):
    """Sending was requested, but no mail relay is set."""

    def __init__(self) -> None:
        super().__init__("Email is not set up (SMTP_HOST), so messages wait in the outbox.")


@cache
def bank_holidays() -> frozenset[date]:
    """Bank holidays of England and Wales from the library's own list, without the network."""
    holidays = BankHolidays(use_cached_holidays=True).get_holidays(division=BankHolidays.ENGLAND_AND_WALES)
    return frozenset(holiday["date"] for holiday in holidays)


def _portal_config() -> Config:
    return current_settings()


def mail_hours() -> SendWindow:
    """The hours in which reminders may be sent."""
    config = _portal_config()
    days_off = set(config.mail.days_off)
    if config.mail_bank_holidays == "no":
        days_off |= bank_holidays()
    return make_send_window(*config.mail.times, days_off)


def line_managers_see() -> bool:
    """Whether the roster alone gives line managers sight of their direct reports."""
    return _portal_config().line_managers_see


def relay_is_set() -> bool:
    """Whether a mail relay is set, without which nothing can be sent."""
    return bool(_portal_config().smtp_host)


def sending_settings() -> SendingSettings:
    """The settings for sending messages.

    Raises:
        NoRelayError: No relay is set.
    """
    config = _portal_config()
    if not config.smtp_host:
        raise NoRelayError
    relay = Relay(
        config.smtp_host,
        config.smtp_port,
        config.smtp_tls,
        config.smtp_user,
        config.smtp_password,
        config.smtp_from,
        config.smtp_seconds,
        config.smtp_per_minute,
        config.smtp_authorities,
    )
    return SendingSettings(
        relay,
        mail_hours(),
        config.address,
        config.force_name,
        config.line_managers_see,
    )


# How many messages wait in the outbox, and for how long they could have been sent.


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """The waiting messages of one kind."""

    kind: MessageKind
    waiting: int
    postponed: int  # tried, or without a relay that answered
    oldest_seconds: float  # for which the oldest could have been sent; 0 while none may be


def read_outbox_figures(at: datetime, hours: SendWindow) -> list[OutboxFigures]:
    """The waiting messages of each kind that has some. One statement.

    A message waits from the first instant at which it might be sent, on each day anew for what is sent in
    ``hours`` alone: what the evening left over does not look old in the morning.
    """
    is_postponed = Message.reason != ""
    since = case((is_postponed, Message.created_at), (Message.not_before <= at, Message.not_before))
    statement = (
        select(
            Message.kind,
            func.count(),
            func.sum(case((is_postponed, 1), else_=0)),
            func.min(since),
        )
        .where(Message.state == Delivery.WAITING, or_(is_postponed, Message.not_before <= at))
        .group_by(Message.kind)
        .order_by(Message.kind)
    )
    return [
        OutboxFigures(
            MessageKind(kind),
            waiting,
            int(postponed),
            _seconds_open(oldest, at, send_window_of(MessageKind(kind), hours)),
        )
        for kind, waiting, postponed, oldest in db.session.execute(statement)
    ]


def _seconds_open(since: datetime, at: datetime, window: SendWindow) -> float:
    """For how long a message could have been sent today, which waits since then."""
    if not window.allows_sending(at):
        return 0.0
    opened = datetime.combine(at.astimezone(LONDON).date(), window.first, LONDON)
    begin = max(since, opened) if window.first > window.first.min else since
    return max(0.0, (at - begin).total_seconds())


# The messages that a person was mailed, so that they find them in the portal too.

SHOWN_FOR = timedelta(days=180)
MOST_SHOWN = 50
_MAILED = (Delivery.SENT, Delivery.BOUNCED, Delivery.REFUSED, Delivery.FAILED)


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """One message to the person who reads it."""

    kind: str  # a MessageKind
    mailed_at: datetime
    arrived: bool  # False: no email could be delivered
    lines: tuple[str, ...]  # what it said, in words


def list_own_messages(viewer: Viewer, at: datetime) -> list[OwnMessage]:
    """The messages mailed to the viewer in the last half year, the newest first. Three statements."""
    rows = db.session.scalars(
        select(Message)
        .where(Message.person_id == viewer.person_id, Message.state.in_(_MAILED))
        .where(Message.created_at > at - SHOWN_FOR)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    words = lines_in_words(viewer, [row.id for row in rows])
    return [
        OwnMessage(
            kind=row.kind,
            mailed_at=row.sent_at or row.created_at,
            arrived=row.state == Delivery.SENT,
            lines=tuple(words.get(row.id, ())) or words_of_kind(row.kind),
        )
        for row in rows
    ]
