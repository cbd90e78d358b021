"""Handing a mail to the force's relay by SMTP, and saying exactly what became of it."""

import os
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from portal.platform.errors import PortalError

PERMANENT = 500  # replies from here on are for good


class RelayError(PortalError):
    """The relay cannot be used at all: not reached, no TLS, sign-in refused."""


class DeferredError(PortalError):
    """This mail did not go, and may go later. ``broken``: the connection is of no use any more."""

    def __init__(self, reason: str, *, broken: bool = False) -> None:
        super().__init__(reason)
        self.broken = broken


class RefusedError(PortalError):
    """The relay refused this mail for good."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a mail goes to."""

    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A CSV file that goes with a mail."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """An entry for the reader's calendar, which their mail program puts there, replaces or removes."""

    text: str
    method: str  # REQUEST or CANCEL, as the text says too


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as its reader gets it."""

    to: Recipient
    subject: str
    text: str
    html: str
    file: AttachedFile | None = None
    calendar: CalendarPart | None = None


@dataclass(frozen=True, slots=True)
class Relay:
    """How a force's relay is reached."""

    host: str
    port: int = 587
    tls: str = "starttls"  # starttls, tls or none
    user: str = ""
    password: str = ""
    sender: str = ""
    seconds: float = 30.0  # without an answer
    per_minute: int = 60
    authorities: str = ""  # a file of certificates that are trusted beside the system's


@contextmanager
def connect_relay(relay: Relay) -> Iterator[smtplib.SMTP]:
    """A connection with TLS and sign-in as set.

    Raises:
        RelayError: It cannot be had.
    """
    try:
        connection = _open_connection(relay)
    except (OSError, smtplib.SMTPException) as error:
        raise RelayError(f"The mail relay {relay.host} cannot be used: {_error_text(error)}") from error
    try:
        yield connection
    finally:
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()
        connection.close()


def _open_connection(relay: Relay) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=relay.authorities or None)
    connection: smtplib.SMTP
    if relay.tls == "tls":
        connection = smtplib.SMTP_SSL(relay.host, relay.port, timeout=relay.seconds, context=context)
    else:
        connection = smtplib.SMTP(relay.host, relay.port, timeout=relay.seconds)
    try:
        if relay.tls == "starttls":
            connection.starttls(context=context)
        if relay.user:
            connection.login(relay.user, relay.password)
    except BaseException:
        connection.close()
        raise
    return connection


def hand_over(
    connection: smtplib.SMTP, letter: Letter, *, relay: Relay, reference: UUID, host: str, at: datetime
) -> None:
    """Give one mail to the relay; it has it when this returns.

    Raises:
        RefusedError: The relay refused it for good, or the address is none.
        DeferredError: It did not go, or nobody can say whether it did.
    """
    mail = mail_of(letter, sender=relay.sender, reference=reference, host=host, at=at)
    try:
        connection.send_message(
            mail, from_addr=_plain_address(relay.sender), to_addrs=[letter.to.email or ""]
        )
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise _refusal_of(code, answer) from error
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError, smtplib.SMTPHeloError) as error:
        raise _refusal_of(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
        raise RefusedError(f"The relay takes no address such as “{letter.to.email}”.") from error
    except smtplib.SMTPServerDisconnected as error:
        raise DeferredError("The relay broke off; the mail may have arrived.", broken=True) from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeferredError(f"The relay did not answer: {_error_text(error)}", broken=True) from error


def mail_of(letter: Letter, *, sender: str, reference: UUID, host: str, at: datetime) -> EmailMessage:
    """The mail with its headers; the same message has the same Message-ID whenever it is sent.

    Raises:
        RefusedError: The address is none.
    """
    mail = EmailMessage(policy=SMTP)
    try:
        local, _, domain = (letter.to.email or "").rpartition("@")
        mail["To"] = Address(letter.to.name, local, domain)
        if not (local and domain):
            raise ValueError("no address")
    except (ValueError, IndexError) as error:
        raise RefusedError(f"“{letter.to.email}” is no email address.") from error
    mail["From"] = sender
    mail["Subject"] = " ".join(letter.subject.split())
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{reference}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    if letter.calendar is not None:
        parameters = {"method": letter.calendar.method}
        mail.add_alternative(letter.calendar.text, subtype="calendar", params=parameters)
    if letter.file is not None:
        content = letter.file.text.encode()
        mail.add_attachment(content, maintype="text", subtype="csv", filename=letter.file.name)
    return mail


def _plain_address(sender: str) -> str:
    return sender.rpartition("<")[2].rstrip("> ").strip()


def _refusal_of(code: int, said: bytes | str) -> PortalError:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    reason = f"The relay said {code}: {' '.join(words.split())[:300]}"
    return RefusedError(reason) if code >= PERMANENT else DeferredError(reason)


def _error_text(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


# Reading the notice of a mail that came back (RFC 3464). Pure.

_ID = re.compile(r"<([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})@")


@dataclass(frozen=True, slots=True)
class Bounce:
    """Which message came back, and why."""

    reference: UUID
    reason: str


def read_bounce(notice: Message) -> Bounce | None:
    """What a notice says; None where it is none, or only tells of a delay."""
    reason, reference = "", None
    for part in notice.walk():
        if part.get_content_type() == "message/delivery-status":
            reason = reason or _bounce_reason(part)
        elif part.get_content_type() in {"message/rfc822", "text/rfc822-headers"}:
            reference = reference or _reference_of(part)
    return Bounce(reference, reason) if reference and reason else None


def _bounce_reason(status: Message) -> str:
    for fields in _status_blocks(status):
        if str(fields.get("Action", "")).strip().lower() == "failed":
            code = str(fields.get("Status", "")).strip()
            diagnosis = (
                str(fields.get("Diagnostic-Code", "")).partition(";")[2] or "it could not be delivered"
            )
            return f"Came back: {code} {' '.join(diagnosis.split())[:300]}".replace("  ", " ")
    return ""


def _status_blocks(status: Message) -> Iterator[Message]:
    inside = status.get_payload()
    if isinstance(inside, list):
        yield from (one for one in inside if isinstance(one, Message))


def _reference_of(returned: Message) -> UUID | None:
    inside = returned.get_payload()
    text = "\n".join(str(one) for one in inside) if isinstance(inside, list) else str(inside)
    match = _ID.search(text)
    return UUID(match[1]) if match else None


# Settings of mail, and a sentence for each that is wrong.


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How the force's relay is reached, and when mail may go."""

    host: str  # empty: nothing is sent
    tls: str
    sender: str
    authorities: str  # path of a file of certificates
    from_time: str
    until_time: str
    bank_holidays: str
    off_days: str

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is wrong."""
        if self.tls not in {"starttls", "tls", "none"}:
            yield "SMTP_TLS is 'starttls', 'tls' or 'none'."
        if self.host and not re.fullmatch(r"[A-Za-z0-9.:_-]+", self.host):
            yield "SMTP_HOST is the name of a machine, such as relay.example.police.uk"
        if self.host and "@" not in self.sender:
            yield "Set SMTP_FROM, such as 'Learning portal <learning@example.police.uk>'."
        if self.authorities and not os.access(self.authorities, os.R_OK):
            yield "SMTP_CA_FILE names a file that can be read."
        if self.bank_holidays not in {"yes", "no"}:
            yield "MAIL_ON_BANK_HOLIDAYS is 'yes' or 'no'."
        yield from self._day_faults()

    def _day_faults(self) -> Iterator[str]:
        try:
            first, last = self.times
            if first >= last:
                yield "MAIL_FROM_TIME lies before MAIL_UNTIL_TIME."
        except ValueError:
            yield "MAIL_FROM_TIME and MAIL_UNTIL_TIME are times such as 07:00."
        try:
            self.days_off  # noqa: B018 - read, so that a wrong one stops the start
        except ValueError:
            yield "MAIL_DAYS_OFF are days such as 2026-12-24, one after the other."

    @property
    def times(self) -> tuple[time, time]:
        """From and until when mail may go, in London."""
        return time.fromisoformat(self.from_time), time.fromisoformat(self.until_time)

    @property
    def days_off(self) -> list[date]:
        """Days of the force's own on which no mail goes."""
        return [date.fromisoformat(day) for day in self.off_days.replace(",", " ").split()]
