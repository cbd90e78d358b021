"""One row of the completion file: the contract's columns, in the contract's order, with their types.

A row is read as a ``Line``: texts in three parts, of which the first is the same for all rows of a
person and the second for all rows of a requirement, so that a file writes each of them once. What needs
values asks for a ``CompletionRow``.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, get_args

Line = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]  # "" where there is nothing


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
    def of(cls, line: Line) -> "CompletionRow":
        """The row with the values of this line."""
        values: Any = [
            None if text == "" and name in NULLABLE else _READ[KINDS[name]](text)
            for name, text in zip(COLUMNS, cells(line), strict=True)
        ]
        return cls(*values)


def cells(line: Line) -> tuple[str, ...]:
    """The texts in the order of ``COLUMNS``."""
    person, asked, stands = line
    return (*person, *asked, *stands)


def _kind(annotation: Any) -> type:
    kind: type = next(one for one in get_args(annotation) or (annotation,) if one is not NoneType)
    return kind


COLUMNS = tuple(field.name for field in fields(CompletionRow))
KINDS = {field.name: _kind(field.type) for field in fields(CompletionRow)}
NULLABLE = frozenset(field.name for field in fields(CompletionRow) if NoneType in get_args(field.type))
_READ: dict[type, Callable[[str], Any]] = {
    str: str,
    int: int,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    Decimal: Decimal,
}
