"""One row of the completion file: the contract's columns, in the contract's order, with their types.

Rows are read as ``Cells``, tuples of what a file writes: days and instants as ISO 8601 text, scores as
text with four places. What needs typed values asks for a ``CompletionRow``.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Cells = tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True)
class CompletionRow:
    """Where one person stands on one requirement of a directive; None means not yet, or no end."""

    force: str
    staff_number: str
    surname: str
    forenames: str
    rank_or_grade: str
    designated_role: str
    unit: str
    unit_path: str
    line_manager_staff_number: str | None
    directive: str
    requirement_kind: str
    requirement: str
    requirement_title: str
    version: int | None
    assigned_on: date
    due_on: date
    status: str
    started_at: datetime | None
    satisfied_at: datetime | None
    late_days: int | None
    score_scaled: Decimal | None
    mastery_score: Decimal | None
    attempts: int
    valid_until: date | None
    exclusion_reason: str | None
    source: str | None
    record_reference: str | None
    as_at: date
    as_known_on: datetime

    @classmethod
    def of(cls, cells: Cells) -> "CompletionRow":
        """The row that these cells are of."""
        values: Any = [
            _READ[TYPES[name]](cell) if name in TYPES and cell is not None else cell
            for name, cell in zip(COLUMNS, cells, strict=True)
        ]
        return cls(*values)


COLUMNS = tuple(field.name for field in fields(CompletionRow))
TYPES: dict[str, type] = {  # of the columns whose cells are text that means more
    "assigned_on": date,
    "due_on": date,
    "started_at": datetime,
    "satisfied_at": datetime,
    "score_scaled": Decimal,
    "mastery_score": Decimal,
    "valid_until": date,
    "as_at": date,
    "as_known_on": datetime,
}
COUNTS = ("version", "late_days", "attempts")
_READ: dict[type, Callable[[Any], Any]] = {
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    Decimal: Decimal,
}
