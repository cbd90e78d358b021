"""The kind statement: what a person signs in the force's name. Its text never changes."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.assurance.entering import LONGEST_TEXT, LONGEST_TITLE, EntryRefusedError
from portal.domain.assurance.evidence.positions import PieceAtPosition, WholeForce
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports.parameters import Position
from portal.platform import wording as say


def parse_statement(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's fields give.

    Args:
        values: ``text``, and ``post``: as what the person signs, such as "Head of Crime".
        position: Of today, the day on which it is signed.

    Raises:
        EntryRefusedError: A field is empty or too long.
    """
    text, post = (values.get(name, "").strip().replace("\r\n", "\n") for name in ("text", "post"))
    if not text or len(text) > LONGEST_TEXT:
        raise EntryRefusedError(
            "text", f"Write the statement, in at most {say.number(LONGEST_TEXT)} characters."
        )
    if not post or len(post) > LONGEST_TITLE:
        raise EntryRefusedError(
            "post", "Enter the post in which you sign, such as Assistant Chief Constable (crime)."
        )
    return {"text": text, "post": post, "signed_on": position.as_at.isoformat()}


def check_statements(pieces: Sequence[PieceAtPosition], _force: WholeForce) -> list[EvidenceState]:
    """What statements show: who signed, in which post, and when. No statement of SQL."""
    return [_check_statement(pair.piece) for pair in pieces]


def _check_statement(piece: EvidenceSnapshot) -> EvidenceState:
    version = piece.version
    text, post = version.definition["text"], version.definition["post"]
    signed_on = version.definition.get("signed_on")  # a later title or review date is no signature
    day = say.date(date.fromisoformat(signed_on) if signed_on else version.from_on)
    return EvidenceState(
        piece.reference,
        version.title,
        version.kind,
        f"Signed as {post} on {day}",
        definition=(("Statement", text), ("Signed as", post), ("Signed on", day)),
        digest=digest_of_statement(text),
    )


def digest_of_statement(text: str) -> str:
    """The SHA-256 of a statement's text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
