"""One row of the completion file: the contract's columns, in the contract's order, with their types."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter

Cell = str | int | Decimal | date | datetime | None


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

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The values in the order of ``COLUMNS``."""
        return _cells(self)


COLUMNS = tuple(field.name for field in fields(CompletionRow))
_cells = attrgetter(*COLUMNS)  # many times faster than astuple, which copies deeply
