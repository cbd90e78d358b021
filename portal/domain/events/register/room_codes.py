"""The code shown in the room, and the ticket for which it is exchanged. Pure; the time is an argument.

A code is valid for one event and thirty seconds. A signed-in person who reads it in time gets a ticket in
their own name, which signs in nobody else.
"""

import hashlib
import hmac
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

CODE_SECONDS = 30
GRACE_SECONDS = 10  # after the next code is shown: for the phone that is reading
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


def seconds_to_next_code(at: datetime) -> float:
    """How long the code of ``at`` is still shown."""
    return CODE_SECONDS - at.timestamp() % CODE_SECONDS


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


def _window_at(at: datetime) -> int:
    return int(at.timestamp() // CODE_SECONDS)


def _is_same(code: str, other: str) -> bool:
    return hmac.compare_digest(code.encode(), other.upper().encode(errors="replace"))


def _sign_text(secret: str, text: str) -> bytes:
    return hmac.new(
        f"portal.events {secret}".encode(), text.encode(errors="replace"), hashlib.sha256
    ).digest()
