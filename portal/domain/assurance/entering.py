"""What every entry at the desk begins with: the stamp, a day that it may hold from, its recommendation."""

from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select

from portal.domain.assurance.models import Recommendation
from portal.domain.people.as_of import is_known_fact
from portal.domain.reports.parameters import EARLIEST, TOO_EARLY, Position
from portal.platform.clock import london_day
from portal.platform.db import Fact, db, stamp
from portal.platform.errors import ConflictError, FieldError, NotFoundError

LONGEST_TITLE, LONGEST_TEXT = 150, 2_000  # characters

Entry = TypeVar("Entry", bound=Fact)


class EntryRefusedError(FieldError):
    """Something cannot be entered at the desk so."""


def begin_entry(from_on: date, at: datetime) -> Position:
    """Take the stamp, and give the position of the entry: as at its day, with all that is known.

    Raises:
        EntryRefusedError: The day is after today, or before 1900.
    """
    recorded_at, today = stamp(), london_day(at)
    if from_on > today:
        raise EntryRefusedError("from_on", "Enter today’s date or an earlier one.")
    if from_on < EARLIEST:
        raise EntryRefusedError("from_on", TOO_EARLY)
    return Position(from_on, recorded_at, today, latest=True)


def require_recommendation(key: str) -> Recommendation:
    """The recommendation.

    Raises:
        NotFoundError: There is none with this key.
    """
    recommendation: Recommendation | None = db.session.scalar(
        select(Recommendation).where(Recommendation.key == key)
    )
    if recommendation is None:
        raise NotFoundError("There is no such recommendation.")
    return recommendation


def refuse_wrong_lengths(**texts: str) -> None:
    """Refuse a text that is empty or too long; ``title`` is shorter than others.

    Raises:
        EntryRefusedError: It names the field.
    """
    for field, text in texts.items():
        longest = LONGEST_TITLE if field in ("title", "decided_by") else LONGEST_TEXT
        if not text.strip():
            raise EntryRefusedError(field, "Enter a text.")
        if len(text) > longest:
            raise EntryRefusedError(
                field, f"This has {len(text):,} characters. Shorten it to {longest:,} or fewer."
            )


def add_entry(kind: type[Entry], position: Position, *, by: int, **columns: Any) -> Entry:
    """Add a fact that holds from the position's day on."""
    row = kind(
        recorded_at=position.as_known_on, from_on=position.as_at, recorded_by_id=by, **columns
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def find_entry(kind: type[Entry], entry_id: int, *conditions: ColumnElement[bool]) -> Entry:
    """A fact that may be corrected or taken back; whoever writes takes the stamp first.

    Raises:
        NotFoundError: There is none with this id that meets the conditions.
        ConflictError: It was corrected or taken back since the person looked.
    """
    entry: Entry | None = db.session.scalar(select(kind).where(kind.id == entry_id, *conditions))
    if entry is None or entry.void:
        raise NotFoundError("There is no such entry.")
    is_known = select(kind.id).where(kind.id == entry_id, is_known_fact(kind))
    if db.session.scalar(is_known) is None:
        raise ConflictError("This entry was corrected or taken back since you opened the page.")
    return entry
