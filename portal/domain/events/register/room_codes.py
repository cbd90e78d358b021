"""What the screen in the room shows, and the ticket for which it is exchanged. Pure; the time is an argument.

A code is valid for one event and thirty seconds. A signed-in person who reads it in time gets a ticket in
their own name, which signs in nobody else. With it they type a number that the screen shows only later, so
that whoever has a picture of the screen alone has nothing.
"""

import hashlib
import hmac
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

CODE_SECONDS = 30
GRACE_SECONDS = 10  # after the next code is shown: for the phone that is reading
NUMBER_SECONDS = 10  # that a number is shown
TICKET_LASTS = timedelta(minutes=2)
_LENGTH = 24  # characters of a code: 120 bits


@dataclass(frozen=True, slots=True)
class Ticket:
    """Lets one person sign in at one event."""

    event_id: int
    person_id: int
    key: UUID  # of the entry: sent twice is once
    ends_at: datetime


def make_room_code(secret: str, reference: str, at: datetime) -> str:
    """The code of this event that is shown at ``at``.

    Args:
        secret: The portal's secret key.
        reference: Of the event.
        at: Now.
    """
    return _code_of_window(secret, reference, _window_at(at))


def is_room_code(secret: str, reference: str, code: str, at: datetime) -> bool:
    """Whether ``code`` is on show for this event, or was until a moment ago."""
    windows = {_window_at(at), _window_at(at - timedelta(seconds=GRACE_SECONDS))}
    matches = [_is_same(_code_of_window(secret, reference, window), code) for window in windows]
    return any(matches)


def seconds_to_next_number(at: datetime) -> float:
    """How long the number of ``at`` is still shown, and its code at least as long."""
    return NUMBER_SECONDS - at.timestamp() % NUMBER_SECONDS


def make_room_number(secret: str, reference: str, at: datetime) -> str:
    """The four digits of this event that are shown at ``at``; no link carries them."""
    return _number_of_window(secret, reference, int(at.timestamp() // NUMBER_SECONDS))


def is_room_number(secret: str, reference: str, number: str, ticket: str, at: datetime) -> bool:
    """Whether ``number`` is on show, or was until a moment ago, and came after the code of this ticket."""
    read_at = int(ticket.split(".")[3]) - TICKET_LASTS.total_seconds()
    moments = (at.timestamp(), at.timestamp() - GRACE_SECONDS)
    windows = {int(moment // NUMBER_SECONDS) for moment in moments}
    matches = [
        _is_same(_number_of_window(secret, reference, window), number)
        for window in windows
        if window * NUMBER_SECONDS > read_at
    ]
    return any(matches)


def seal_ticket(secret: str, ticket: Ticket) -> str:
    """The ticket as text, signed."""
    fields = (ticket.event_id, ticket.person_id, ticket.key.hex, int(ticket.ends_at.timestamp()))
    text = ".".join(map(str, fields))
    return f"{text}.{urlsafe_b64encode(_sign_text(secret, f'ticket {text}')).decode()}"


def is_ticket_of(secret: str, text: str, event_id: int, person_id: int, at: datetime) -> bool:
    """Whether the text is a ticket of this person for this event that has not ended."""
    fields, _, signature = text.rpartition(".")
    try:
        signed = hmac.compare_digest(_sign_text(secret, f"ticket {fields}"), urlsafe_b64decode(signature))
    except ValueError:
        return False
    if not signed:
        return False
    event, person, _, ends = fields.split(".")
    return (int(event), int(person)) == (event_id, person_id) and at.timestamp() < int(ends)


def key_of_ticket(text: str) -> UUID:
    """The key of the entry that this ticket, which was checked, makes."""
    return UUID(text.split(".")[2])


def _code_of_window(secret: str, reference: str, window: int) -> str:
    return b32encode(_sign_text(secret, f"room {reference} {window}")).decode()[:_LENGTH]


def _number_of_window(secret: str, reference: str, window: int) -> str:
    drawn = int.from_bytes(_sign_text(secret, f"number {reference} {window}")[:8])
    return f"{drawn % 10_000:04}"


def _window_at(at: datetime) -> int:
    return int(at.timestamp() // CODE_SECONDS)


def _is_same(code: str, other: str) -> bool:
    return hmac.compare_digest(code.encode(), other.upper().encode(errors="replace"))


def _sign_text(secret: str, text: str) -> bytes:
    return hmac.new(
        f"portal.events {secret}".encode(), text.encode(errors="replace"), hashlib.sha256
    ).digest()
