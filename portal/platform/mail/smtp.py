"""Handing a mail to the force's relay by SMTP, and saying exactly what became of it."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
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
