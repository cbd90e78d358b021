"""One row of the completion file: the contract's columns, in the contract's order, with their types.

A row is read as a ``Line``: texts in three parts, of which the first is the same for all rows of a
person and the second for all rows of a requirement, so that a file writes each of them once. The third
holds days, numbers, keys and references, nothing that a CSV would have to quote: it is made as a CSV
writes it. What needs values asks for a ``CompletionRow``. Every column says what it means and which fact
it comes from: the data dictionary is nothing but that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Annotated, Any, get_args

Line = tuple[tuple[str, ...], tuple[str, ...], str]  # "" where there is nothing


@dataclass(frozen=True, slots=True)
class Means:
    """What a column means, and the fact or table it is read from."""

    meaning: str
    fact: str


@dataclass(frozen=True, slots=True)
class CompletionRow:
    """Where one person stands on one requirement of a directive; None means not yet, or no end."""

    force: Annotated[str, Means("Name of the force: the top of the unit's path.", "unit_state")]
    staff_number: Annotated[
        str, Means("Staff number, as it is now. “Erased” and a number after erasure.", "name")
    ]
    surname: Annotated[str, Means("Surname, as it is now.", "name")]
    forenames: Annotated[str, Means("Forenames, as they are now.", "name")]
    rank_or_grade: Annotated[str, Means("Rank or grade of the row's post.", "post")]
    designated_role: Annotated[str, Means("Designated role of the row's post.", "post")]
    unit: Annotated[str, Means("Name of the unit of the row's post on the as-at day.", "unit_state")]
    unit_path: Annotated[
        str,
        Means(
            "Names from the force down to the unit on the as-at day; a / within a name is written //.",
            "unit_state",
        ),
    ]
    line_manager_staff_number: Annotated[
        str | None, Means("Staff number of the line manager that the row's post names.", "post")
    ]
    directive: Annotated[str, Means("Reference of the directive.", "directive")]
    requirement_kind: Annotated[str, Means("What is asked for: module, event or guide.", "requirement")]
    requirement: Annotated[str, Means("Key of the module, event type or guide.", "requirement")]
    requirement_title: Annotated[
        str, Means("Title of the version named in the next column.", "module version")
    ]
    version: Annotated[
        int | None,
        Means(
            "Number of the version that was passed; else that registered on; else the current one.",
            "record, registration, module version",
        ),
    ]
    assigned_on: Annotated[date, Means("The day from which the days to the due date count.", "assignment")]
    due_on: Annotated[
        date,
        Means(
            "Last day in time, in London: the assignment's, or a later one that a deferral gave.",
            "assignment, exclusion",
        ),
    ]
    status: Annotated[
        str,
        Means(
            "Where the person stands at the end of the as-at day: not_started, in_progress, satisfied, "
            "expiring (satisfied, ends soon), overdue, expired, exempt or deferred.",
            "computed from all facts",
        ),
    ]
    started_at: Annotated[
        datetime | None,
        Means("When the latest registration was begun, not after the as-at day.", "registration"),
    ]
    satisfied_at: Annotated[datetime | None, Means("When the record that counts was achieved.", "record")]
    late_days: Annotated[
        int | None,
        Means(
            "Days between the due date and the first record that was in force on it or after it.", "record"
        ),
    ]
    score_scaled: Annotated[
        Decimal | None,
        Means("Score from 0 to 1 of the pass; else the best score so far.", "submission, imported record"),
    ]
    mastery_score: Annotated[
        Decimal | None,
        Means("Least score that passes, of the version passed or in use.", "pass record, module version"),
    ]
    attempts: Annotated[int, Means("Submitted attempts over all registrations.", "submission")]
    valid_until: Annotated[
        date | None,
        Means(
            "Last day on which the record counts; empty beside a satisfied status: no end.",
            "record, directive version",
        ),
    ]
    exclusion_reason: Annotated[
        str | None, Means("Reason category of the exemption or deferral; never a diagnosis.", "exclusion")
    ]
    source: Annotated[
        str | None,
        Means(
            "How it was achieved: assessed, attended, acknowledged, waived, imported or external.", "record"
        ),
    ]
    record_reference: Annotated[str | None, Means("Reference of the record that counts.", "record")]
    as_at: Annotated[date, Means("The London day of which the row speaks, at its end.", "the question asked")]
    as_known_on: Annotated[
        datetime, Means("The instant whose knowledge the row uses: nothing recorded later is in it.", "stamp")
    ]

    @classmethod
    def of(cls, line: Line) -> "CompletionRow":
        """The row with the values of this line."""
        values: Any = [one.read(text) for one, text in zip(LONG, cells(line), strict=True)]
        return cls(*values)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its name, the type of its values, and what it means."""

    name: str
    kind: type
    nullable: bool
    meaning: str
    fact: str

    def read(self, text: str) -> Any:
        """The value that a cell of this column stands for."""
        return None if text == "" and self.nullable else _READ[self.kind](text)


def cells(line: Line) -> tuple[str, ...]:
    """The texts in the order of the columns."""
    person, asked, stands = line
    return (*person, *asked, *stands.split(","))


def _column(name: str, annotation: Any) -> Column:
    values, means = get_args(annotation)
    kinds = get_args(values) or (values,)
    kind = next(one for one in kinds if one is not NoneType)
    return Column(name, kind, NoneType in kinds, means.meaning, means.fact)


_READ: dict[type, Callable[[str], Any]] = {
    str: str,
    int: int,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    Decimal: Decimal,
}
LONG = tuple(_column(each.name, each.type) for each in fields(CompletionRow))
_NAMED = {each.name: each for each in LONG}
_OF_PERSON = tuple(each.name for each in LONG[:10])


def wide(requirements: Iterable[tuple[str, str, str]]) -> tuple[Column, ...]:
    """The columns of a file with one row a person and one column a requirement.

    Args:
        requirements: Kind, key and title of each, in the order of the directive.
    """
    asked = [
        Column(f"{kind}_{key}", str, True, f"Status of this requirement: {title}.", "computed from all facts")
        for kind, key, title in requirements
    ]
    due = Column("due_on", date, False, "Last day in time for the whole directive.", "assignment, exclusion")
    status = Column(
        "status",
        str,
        False,
        "Where the person stands under the whole directive: the worst of its requirements; in_progress "
        "where one is not started and another is begun or held.",
        "computed from all facts",
    )
    last = [_NAMED[name] for name in ("exclusion_reason", "as_at", "as_known_on")]
    person = [_NAMED[name] for name in _OF_PERSON]
    return (*person, _NAMED["assigned_on"], due, status, *asked, *last)
