"""Reading the notice of a mail that came back (RFC 3464). Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from uuid import UUID

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
