"""The tables of an FOI pack: numbers of people by status, with no number from which a person can be told.

The columns of every table are groups of statuses whose totals are published, so tables share nothing else.
Percentages are worked out from published numbers alone. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from portal.domain.reports.packs.suppression import (
    CountTable,
    ProtectedTable,
    is_small,
    merge_columns,
    protect_table,
)
from portal.domain.status.rules import Status

HIDDEN = "[c]"  # the mark of official statistics for a confidential number
Counts = dict[Status, int]


class StatusGroup(NamedTuple):
    """Statuses that FOI tables count together."""

    key: str
    label: str
    statuses: tuple[Status, Status]


GROUPS = (  # a small one is merged with the next, so those who are not complete stay apart from those who are
    StatusGroup("complete", "Complete", (Status.SATISFIED, Status.EXPIRING)),
    StatusGroup("overdue", "Overdue", (Status.OVERDUE, Status.EXPIRED)),
    StatusGroup("not_yet_due", "Not yet due", (Status.NOT_STARTED, Status.IN_PROGRESS)),
    StatusGroup("not_counted", "Not counted", (Status.EXEMPT, Status.DEFERRED)),
)
_COMPLETE, _NOT_COUNTED = 0, len(GROUPS) - 1


class RequirementCount(NamedTuple):
    """How many people have completed one requirement."""

    kind: str
    key: str
    title: str
    complete: int


@dataclass(frozen=True)
class FoiFigures:
    """The true numbers; nothing of them is published but through ``make_tables``."""

    statuses: Counts
    units: dict[str, Counts]
    ranks: dict[str, Counts]  # in the order of ranks
    roles: dict[str, Counts]
    requirements: tuple[RequirementCount, ...]  # empty if not everybody has the same ones

    @property
    def people(self) -> int:
        """Everybody to whom the directive applied."""
        return sum(self.statuses.values())


class PackColumn(NamedTuple):
    """A column of a table."""

    header: str
    label: str
    meaning: str


class PackTable(NamedTuple):
    """A table as every file of the pack shows it: numbers, texts, and ``HIDDEN``."""

    key: str
    title: str
    columns: tuple[PackColumn, ...]
    rows: tuple[tuple[str | int, ...], ...]
    merged: bool = False  # whether groups too small to name are together in one row


@dataclass(frozen=True)
class FoiTables:
    """The tables, and what is to be said of them."""

    people: int
    tables: tuple[PackTable, ...]
    left_out: tuple[str, ...]  # titles of tables that could not be made safe
    complete: int | None  # published numerator and denominator of the percentage; None if it is hidden
    counted: int | None


def make_tables(figures: FoiFigures, small: int) -> FoiTables:
    """Make the tables, in which no number below ``small`` but 0 can be read or worked out.

    Args:
        figures: Of at least twice ``small`` people.
        small: The small number, at least 3.
    """
    columns = merge_columns([_count(figures.statuses, group) for group in GROUPS], small)
    tables, left_out = [_status_table(figures, columns, small)], []
    for key, title, noun, groups in (
        ("units", "People by unit", "unit", figures.units),
        ("ranks", "People by rank or grade", "rank or grade", figures.ranks),
        ("roles", "People by designated role", "role", figures.roles),
    ):
        table = _group_table(PackTable(key, title, (_name_column(noun),), ()), groups, columns, small)
        tables += [table] if table else []
        left_out += [] if table else [title]
    if figures.requirements and columns[0] == [_COMPLETE]:
        tables.append(_requirement_table(figures, columns, small))
    else:
        left_out.append("People by requirement")
    complete = _count(figures.statuses, GROUPS[_COMPLETE])
    excluded = _count(figures.statuses, GROUPS[_NOT_COUNTED])
    shown = _counts_are_shown(columns)
    return FoiTables(
        people=figures.people,
        tables=tuple(tables),
        left_out=tuple(left_out),
        complete=complete if shown else None,
        counted=figures.people - excluded if shown else None,
    )


def _count(counts: Counts, group: StatusGroup) -> int:
    return sum(counts.get(status, 0) for status in group.statuses)


def _counts_are_shown(columns: Sequence[list[int]]) -> bool:
    """Whether it is published how many are complete, and how many are not counted."""
    return [_COMPLETE] in columns and [_NOT_COUNTED] in columns


def _label(column: Sequence[int]) -> str:
    if len(column) == len(GROUPS):
        return "All statuses"
    labels = [GROUPS[place].label for place in column]
    return " or ".join([labels[0], *(label.lower() for label in labels[1:])])


def _status_table(figures: FoiFigures, columns: Sequence[list[int]], small: int) -> PackTable:
    """Each status group and, where it is not merged, the two statuses in it: both or neither."""
    rows: list[tuple[str | int, ...]] = []
    for column in columns:
        total = _sum_column(figures.statuses, column)
        rows.append((_label(column), "All", total))
        if len(column) == 1 and total:
            parts = [(status, figures.statuses.get(status, 0)) for status in GROUPS[column[0]].statuses]
            hide = any(is_small(count, small) for _, count in parts)
            rows += [(_label(column), status.label, HIDDEN if hide else count) for status, count in parts]
    rows.append(("Everyone", "All", figures.people))
    return PackTable(
        "statuses",
        "People by status",
        (
            PackColumn("group", "Group", "Group of statuses; the columns of the other tables."),
            PackColumn("status", "Status", "Status in the group, or All."),
            PackColumn("people", "People", f"Number of people; {HIDDEN} is hidden."),
        ),
        tuple(rows),
    )


def _name_column(noun: str) -> PackColumn:
    return PackColumn(noun.replace(" ", "_"), noun.capitalize(), f"Name of the {noun}.")


def _group_table(
    frame: PackTable, groups: dict[str, Counts], columns: Sequence[list[int]], small: int
) -> PackTable | None:
    """The table of these groups, with the statuses together that let it show the most numbers."""
    other = f"Other {frame.title.removeprefix('People by ')}s".replace("rank or", "ranks or")
    options = [
        (protected, merged)
        for merged in _list_coarser(columns)
        if (protected := _protect_groups(groups, merged, small, other))
    ]
    if not options:
        return None
    protected, columns = max(options, key=lambda option: _count_shown(option[0]))
    share = columns[0] == [_COMPLETE]
    totals = [sum(_sum_column(counts, column) for counts in groups.values()) for column in columns]
    lines = [
        *zip(protected.rows, protected.cells, protected.totals, strict=True),
        ("Everyone", totals, sum(totals)),
    ]
    rows = []
    for name, cells, total in lines:
        row: list[str | int] = [name, *(HIDDEN if cell is None else cell for cell in cells), total]
        rows.append((*row, *([_percentage(cells[0], total)] if share else [])))
    heads = [*frame.columns, *map(_status_column, columns), _PEOPLE, *([_OF_EVERYONE] if share else [])]
    return frame._replace(columns=tuple(heads), rows=tuple(rows), merged=other in protected.rows)


def _list_coarser(columns: Sequence[list[int]]) -> list[Sequence[list[int]]]:
    """These columns, then with the last two together, and so on down to two columns."""
    options = [columns]
    while len(options[-1]) > 2:
        *first, left, right = options[-1]
        options.append([*first, left + right])
    return options


def _count_shown(protected: ProtectedTable) -> tuple[bool, int]:
    """Whether every number of the first column is shown, and how many numbers are."""
    shown = sum(cell is not None for cells in protected.cells for cell in cells)
    return all(cells[0] is not None for cells in protected.cells), shown


_PEOPLE = PackColumn("people", "People", "Everybody in the row.")
_OF_EVERYONE = PackColumn(
    "percentage_of_everyone",
    "Complete, % of everyone",
    f"Complete people of everybody in the row, rounded down; {HIDDEN} if that number is hidden.",
)
_OF_COUNTED = PackColumn(
    "percentage_of_counted",
    "Complete, % of those counted",
    f"Complete people of those who are counted, rounded down; {HIDDEN} if that number is hidden.",
)


def _protect_groups(
    groups: dict[str, Counts], columns: Sequence[list[int]], small: int, other: str
) -> ProtectedTable | None:
    counts = (tuple(_sum_column(counts, column) for column in columns) for counts in groups.values())
    return protect_table(CountTable(tuple(groups), tuple(counts)), small, other)


def _sum_column(counts: Counts, column: Sequence[int]) -> int:
    return sum(_count(counts, GROUPS[place]) for place in column)


def _status_column(column: Sequence[int]) -> PackColumn:
    label = _label(column)
    return PackColumn(label.lower().replace(" ", "_"), label, f"People: {label.lower()}; {HIDDEN} is hidden.")


def _percentage(complete: int | None, total: int) -> str | int:
    """The percentage by published numbers alone."""
    if complete is None:
        return HIDDEN
    return complete * 100 // total if total else ""


def _requirement_table(figures: FoiFigures, columns: Sequence[list[int]], small: int) -> PackTable:
    """How many have completed each requirement, of those who are counted if that number is published."""
    share = _counts_are_shown(columns)
    excluded = _count(figures.statuses, GROUPS[_NOT_COUNTED]) if share else 0
    total = figures.people - excluded
    missing = [total - requirement.complete for requirement in figures.requirements]
    hidden = hide_requirements(missing, total, _count(figures.statuses, GROUPS[_COMPLETE]), small)
    rows: list[tuple[str | int, ...]] = []
    for place, (kind, key, title, complete) in enumerate(figures.requirements):
        shown = None if place in hidden else complete
        cells = [HIDDEN, HIDDEN] if shown is None else [shown, total - shown]
        rows.append((kind, key, title, *cells, *([_percentage(shown, total)] if share else [])))
    rest = PackColumn("not_complete", "Not complete", f"Counted people who have not; {HIDDEN} is hidden.")
    if not share:
        rest = PackColumn(
            "not_complete_or_not_counted",
            "Not complete or not counted",
            f"Everybody else; {HIDDEN} is hidden.",
        )
    heads = (
        PackColumn("requirement_kind", "Kind", "Kind of the requirement: module, event or guide."),
        PackColumn("requirement", "Key", "Key of the module, event type or guide."),
        PackColumn("requirement_title", "Requirement", "Its title."),
        PackColumn("complete", "Complete", f"People who have completed it; {HIDDEN} is hidden."),
        rest,
        *([_OF_COUNTED] if share else []),
    )
    return PackTable("requirements", "People by requirement", heads, tuple(rows))


def hide_requirements(missing: Sequence[int], total: int, complete: int, small: int) -> set[int]:
    """The places of requirements whose numbers are hidden.

    Whoever has not completed everything has not completed at least one requirement, so the numbers of the
    others bound a hidden one from below; where that bound tells too much, another is hidden as well.

    Args:
        missing: Of each requirement, the people who have not completed it.
        total: The people who are counted.
        complete: Those who have completed every requirement.
        small: The small number.
    """
    hidden = {
        place
        for place, count in enumerate(missing)
        if is_small(count, small) or is_small(total - count, small)
    }
    if len(hidden) == 1:
        (place,) = hidden
        least = total - complete - (sum(missing) - missing[place])
        if least > (1 if is_small(missing[place], small) else total - small + 1):
            hidden.add(1 if place == 0 else 0)
    return hidden
