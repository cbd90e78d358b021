"""The tables of an FOI pack: numbers of people by status, with no number from which a person can be told.

The columns of every table are groups of statuses whose totals are published. A table is published only if it
is safe together with those before it. Percentages are worked out from published numbers alone. Pure.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from portal.domain.reports.packs.joint_safety import TableView, are_safe_together
from portal.domain.reports.packs.suppression import (
    CountTable,
    ProtectedTable,
    is_small,
    merge_columns,
    protect_table,
)
from portal.domain.status.rules import Status

HIDDEN = "[c]"  # the mark of official statistics for a confidential number
StatusCounts = dict[Status, int]


class FoiStatus(NamedTuple):
    """Statuses that FOI tables count together."""

    key: str
    label: str
    statuses: tuple[Status, Status]


GROUPS = (  # a small one is merged with the next, so those who are not complete stay apart from those who are
    FoiStatus("complete", "Complete", (Status.SATISFIED, Status.EXPIRING)),
    FoiStatus("overdue", "Overdue", (Status.OVERDUE, Status.EXPIRED)),
    FoiStatus("not_yet_due", "Not yet due", (Status.NOT_STARTED, Status.IN_PROGRESS)),
    FoiStatus("not_counted", "Not counted", (Status.EXEMPT, Status.DEFERRED)),
)
_COMPLETE, _NOT_COUNTED = 0, len(GROUPS) - 1


class RequirementTotal(NamedTuple):
    """How many people have completed one requirement."""

    kind: str
    key: str
    title: str
    complete: int


class PostGroup(NamedTuple):
    """People with the same unit, rank or grade, and role."""

    unit: str
    rank: str
    role: str


@dataclass(frozen=True)
class FoiFigures:
    """The true numbers; nothing of them is published but through ``make_tables``."""

    groups: dict[PostGroup, StatusCounts]
    ranks: tuple[str, ...]  # in their order
    requirements: tuple[RequirementTotal, ...]  # empty if not everybody has the same ones

    @property
    def statuses(self) -> StatusCounts:
        """Everybody by status."""
        return dict(sum((Counter(counts) for counts in self.groups.values()), Counter[Status]()))

    @property
    def people(self) -> int:
        """Everybody to whom the directive applied."""
        return sum(self.statuses.values())

    def count_by(self, part: str) -> dict[str, StatusCounts]:
        """People by unit, rank or role, and status: units and roles by name, ranks in their order."""
        names = self.ranks if part == "rank" else sorted({getattr(group, part) for group in self.groups})
        counts: dict[str, Counter[Status]] = {name: Counter() for name in names}
        for group, statuses in self.groups.items():
            counts[getattr(group, part)].update(statuses)
        return {name: dict(statuses) for name, statuses in counts.items()}


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
    left_out: tuple[str, ...]  # a sentence for each table that is not published
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
    for frame, option in zip(FRAMES, _choose_options(figures, columns, small), strict=True):
        if option:
            tables.append(_group_table(option))
        else:
            left_out.append(f"{frame.title} is left out: it would tell a small number.")
    if figures.requirements and columns[0] == [_COMPLETE]:
        tables.append(_requirement_table(figures, columns, small))
    elif figures.requirements:
        left_out.append("People by requirement is left out: it would tell a small number.")
    else:
        left_out.append("People by requirement is left out: not everybody had the same requirements.")
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


def _count(counts: StatusCounts, group: FoiStatus) -> int:
    return sum(counts.get(status, 0) for status in group.statuses)


def _counts_are_shown(columns: Sequence[list[int]]) -> bool:
    """Whether it is published how many are complete, and how many are not counted."""
    return [_COMPLETE] in columns and [_NOT_COUNTED] in columns


_LABELS = {  # of groups that have a common name
    (1, 2): "Not complete",
    (1, 2, 3): "Not complete or not counted",
    (0, 1, 2, 3): "All statuses",
}


def _label(column: Sequence[int]) -> str:
    labels = [GROUPS[place].label for place in column]
    in_words = " or ".join([labels[0], *(label.lower() for label in labels[1:])])
    return _LABELS.get(tuple(column), in_words)


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


class _Frame(NamedTuple):
    """What a table of groups counts people by."""

    part: str  # the field of ``PostGroup``
    key: str
    title: str
    column: PackColumn
    other: str  # the name of the groups that are too small to name


FRAMES = (
    _Frame("unit", "units", "People by unit", PackColumn("unit", "Unit", "Name of the unit."), "Other units"),
    _Frame(
        "rank",
        "ranks",
        "People by rank or grade",
        PackColumn("rank_or_grade", "Rank or grade", "Name of the rank or grade."),
        "Other ranks or grades",
    ),
    _Frame(
        "role",
        "roles",
        "People by designated role",
        PackColumn("role", "Role", "Designated role."),
        "Other roles",
    ),
)


class _Option(NamedTuple):
    """One way to publish a table of groups."""

    frame: _Frame
    columns: Sequence[list[int]]
    protected: ProtectedTable
    totals: list[int]  # of the columns
    view: TableView


def _choose_options(
    figures: FoiFigures, columns: Sequence[list[int]], small: int
) -> Sequence[_Option | None]:
    """How each table is published so that all are safe together: most tables, then most numbers.

    A table that cannot be is None; of two that cannot both be, the first is published.
    """
    counts = [[_count(counts, group) for group in GROUPS] for counts in figures.groups.values()]
    ways = itertools.product(*([*_list_options(frame, figures, columns, small), None] for frame in FRAMES))

    def count_shown(options: Sequence[_Option | None]) -> tuple[int, list[bool], int, int]:
        shown = [_count_shown(option.protected) for option in options if option]
        published = [option is not None for option in options]
        return len(shown), published, sum(keeps for keeps, _ in shown), sum(cells for _, cells in shown)

    return next(
        options
        for options in sorted(ways, key=count_shown, reverse=True)
        if are_safe_together([option.view for option in options if option], counts, small)
    )


def _list_options(
    frame: _Frame, figures: FoiFigures, columns: Sequence[list[int]], small: int
) -> list[_Option]:
    """The ways to publish a table, from the finest statuses to the coarsest."""
    groups = figures.count_by(frame.part)
    options = []
    for merged in _list_coarser(columns):
        counts = [tuple(_sum_column(counts, column) for column in merged) for counts in groups.values()]
        protected = protect_table(CountTable(tuple(groups), tuple(counts)), small, frame.other)
        if protected is None:
            continue
        row_of = {name: row for row, name in enumerate(protected.rows)}
        view = TableView(
            [row_of.get(getattr(group, frame.part), len(row_of) - 1) for group in figures.groups],
            [next(c for c, places in enumerate(merged) if place in places) for place in range(len(GROUPS))],
            protected.hidden,
        )
        options.append(
            _Option(frame, merged, protected, [sum(line) for line in zip(*counts, strict=True)], view)
        )
    return options


def _group_table(option: _Option) -> PackTable:
    """The table, with everyone in its last row."""
    frame, columns, protected, totals, _ = option
    share = columns[0] == [_COMPLETE]
    lines = [
        *zip(protected.rows, protected.cells, protected.totals, strict=True),
        ("Everyone", totals, sum(totals)),
    ]
    rows = []
    for name, cells, total in lines:
        row: list[str | int] = [name, *(HIDDEN if cell is None else cell for cell in cells), total]
        rows.append((*row, *([_percentage(cells[0], total)] if share else [])))
    heads = [frame.column, *map(_status_column, columns), _PEOPLE, *([_OF_EVERYONE] if share else [])]
    merged = frame.other in protected.rows
    return PackTable(frame.key, frame.title, tuple(heads), tuple(rows), merged)


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


def _sum_column(counts: StatusCounts, column: Sequence[int]) -> int:
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

    Numbers are worked out from those shown in three ways. The people complete in one requirement, less those
    complete in all, are those who lack another. The people who lack each requirement, added up, less those
    who lack any, tell how often people lack more than one. And the numbers of the others bound a hidden one
    from below. Where one of these would give a small number, a number that it needs is hidden.

    Args:
        missing: Of each requirement, the people who have not completed it.
        total: The people who are counted.
        complete: Those who have completed every requirement.
        small: The small number.
    """
    incomplete = total - complete
    hidden = {
        place
        for place, count in enumerate(missing)
        if any(is_small(told, small) for told in (count, total - count, incomplete - count))
    }
    if not hidden and is_small(sum(missing) - incomplete, small):
        hidden.add(0)
    if len(hidden) == 1:
        (place,) = hidden
        least = incomplete - (sum(missing) - missing[place])
        if least > (1 if is_small(missing[place], small) else incomplete - small + 1):
            hidden.add(1 if place == 0 else 0)
    return hidden
