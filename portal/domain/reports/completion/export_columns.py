"""Rows of completion files and people files, and the one ordered list of columns that says what each holds.

A row is a flat record of named, typed values; None means not yet, or no end. A column names its header, the
field it shows, its meaning, its type and the facts that it comes from. CSV, XLSX, JSON and the data
dictionary are made from the list, so a new column is a field, a line in
``COLUMNS``, and the value that ``RowBuilder`` fills in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from portal.domain.status.rules import Status

Value = str | int | date | datetime | Decimal | Status | None


class DayOrInstant:
    """The type of a column of instants, with the day alone where no time of day was given."""


class CompletionRow(NamedTuple):
    """One row of the completion file: the status of one person on one requirement of a directive."""

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
    status: Status
    started_at: datetime | None  # instants are in UTC
    satisfied_at: date | datetime | None  # only the day where no time was given
    late_days: int | None
    score_scaled: Decimal | None  # 0 to 1, four places
    mastery_score: Decimal | None
    attempts: int
    valid_until: date | None
    exclusion_reason: str | None
    source: str | None
    record_reference: str | None
    as_at: date
    as_known_on: datetime


class PersonRow(NamedTuple):
    """The status of one person under a directive and on each of its requirements."""

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
    assigned_on: date
    due_on: date
    status: Status
    requirement_statuses: Mapping[int, Status]  # by position of the requirement
    exclusion_reason: str | None
    as_at: date
    as_known_on: datetime


AnyRow = CompletionRow | PersonRow


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file."""

    header: str
    meaning: str
    kind: type  # of the values
    fact: str  # the fact or table that the values come from
    optional: bool = False  # whether a cell can be empty
    field: str = ""  # of the row, if its name differs from the header

    @property
    def source_field(self) -> str:
        """The name of the row's field that the column shows."""
        return self.field or self.header

    def value_of(self, row: AnyRow) -> Value:
        """The column's value in a row."""
        value: Value = getattr(row, self.source_field)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementColumn(Column):
    """A column that shows the person's status on the requirement at one position of the directive."""

    position: int

    def value_of(self, row: AnyRow) -> Value:
        """The status on the requirement; None if the person does not have it."""
        statuses: Mapping[int, Status] = getattr(row, self.source_field)
        return statuses.get(self.position)


def values_reader(columns: Sequence[Column]) -> Callable[[AnyRow], Sequence[Value]]:
    """A function that reads the values of a row in the order of ``columns``.

    One call reads all fields, because a file of a whole force has two million values.
    """
    fields = tuple(column.source_field for column in columns)
    if fields == CompletionRow._fields:
        all_fields: Callable[[AnyRow], Any] = tuple
        return all_fields
    if not any(isinstance(column, RequirementColumn) for column in columns):
        return attrgetter(*fields)
    readers = [column.value_of for column in columns]
    return lambda row: [read(row) for read in readers]


_FORCE_TO_DIRECTIVE = (
    Column("force", "Name of the force: the first name of the unit path.", str, "unit_state"),
    Column("staff_number", "Staff number, as it is now. “Erased” and a number if erased.", str, "name"),
    Column("surname", "Surname, as it is now.", str, "name"),
    Column("forenames", "Forenames, as they are now.", str, "name"),
    Column("rank_or_grade", "Rank or grade of the row's post.", str, "post"),
    Column("designated_role", "Designated role of the row's post.", str, "post"),
    Column("unit", "Name of the unit of the row's post on the as_at day.", str, "unit_state"),
    Column(
        "unit_path",
        "Names from the force down to the unit on the as_at day. A / within a name is written //.",
        str,
        "unit_state",
    ),
    Column(
        "line_manager_staff_number",
        "Staff number of the line manager that the row's post names, if whoever asked may see that person.",
        str,
        "post",
        optional=True,
    ),
    Column("directive", "Reference of the directive.", str, "directive"),
)
_ASSIGNED_ON = Column(
    "assigned_on", "Day from which the time to the due date is counted.", date, "assignment"
)
_EXCLUSION_REASON = Column(
    "exclusion_reason",
    "Reason category of the exemption or deferral; never a diagnosis.",
    str,
    "exclusion",
    optional=True,
)
_AS_AT = Column("as_at", "The date of the report, counted at the end of the day, UK time.", date, "report")
_AS_KNOWN_ON = Column("as_known_on", "Only records entered by this time are used.", datetime, "stamp")

COLUMNS: tuple[Column, ...] = (  # of a file with one row for each person and requirement
    *_FORCE_TO_DIRECTIVE,
    Column("requirement_kind", "Kind of the requirement: module, event or guide.", str, "requirement"),
    Column("requirement", "Key of the module, event type or guide.", str, "requirement"),
    Column("requirement_title", "Title of the version named in the next column.", str, "module version"),
    Column(
        "version",
        "Number of the version passed; else of the version started; else of the current version.",
        int,
        "record, registration, module version",
        optional=True,
    ),
    _ASSIGNED_ON,
    Column(
        "due_on",
        "Last day in time, UK time: the due date of the assignment, or a later one set by a deferral.",
        date,
        "assignment, exclusion",
    ),
    Column(
        "status",
        "Status at the end of the as_at day: not_started, in_progress, satisfied, "
        "expiring (satisfied, ends soon), overdue, expired, exempt or deferred.",
        Status,
        "computed from all facts",
    ),
    Column(
        "started_at",
        "When the person last started the module, not after the as_at day.",
        datetime,
        "registration",
        optional=True,
    ),
    Column(
        "satisfied_at",
        "When the counted record was achieved; only the day, where no time of day was given.",
        DayOrInstant,
        "record",
        optional=True,
    ),
    Column(
        "late_days",
        "Days from the due date to the first record that was valid on or after it.",
        int,
        "record",
        optional=True,
    ),
    Column(
        "score_scaled",
        "Score from 0 to 1 of the pass; else the best score so far.",
        Decimal,
        "submission, imported record",
        optional=True,
    ),
    Column(
        "mastery_score",
        "Pass mark, from 0 to 1, of the version passed or in use.",
        Decimal,
        "pass record, module version",
        optional=True,
    ),
    Column("attempts", "How many attempts the person has submitted, of all versions.", int, "submission"),
    Column(
        "valid_until",
        "Last day on which the record counts. Empty with status satisfied: it does not expire.",
        date,
        "record, directive version",
        optional=True,
    ),
    _EXCLUSION_REASON,
    Column(
        "source",
        "How it was achieved: assessed, attended, acknowledged, waived, imported or external.",
        str,
        "record",
        optional=True,
    ),
    Column("record_reference", "Reference of the counted record.", str, "record", optional=True),
    _AS_AT,
    _AS_KNOWN_ON,
)


def person_columns(requirements: Iterable[tuple[int, str, str, str]]) -> tuple[Column, ...]:
    """The columns of a file with one row for each person and one column for each requirement.

    Args:
        requirements: Position, kind, key and title of each, in the order of the directive.
    """
    return (
        *_FORCE_TO_DIRECTIVE,
        _ASSIGNED_ON,
        Column("due_on", "Last day in time for the whole directive.", date, "assignment, exclusion"),
        Column(
            "status",
            "Status under the whole directive: the worst status of its requirements; in_progress "
            "if one is not started and another is started or satisfied.",
            Status,
            "computed from all facts",
        ),
        *(
            RequirementColumn(
                f"{kind}_{key}",
                f"Status of this requirement: {title}.",
                Status,
                "computed from all facts",
                optional=True,
                field="requirement_statuses",
                position=position,
            )
            for position, kind, key, title in requirements
        ),
        _EXCLUSION_REASON,
        _AS_AT,
        _AS_KNOWN_ON,
    )
