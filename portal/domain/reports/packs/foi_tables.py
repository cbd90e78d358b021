"""The tables of an FOI pack: rounded numbers of people by status, unit, rank, role and requirement.

All tables have the same rounded totals by status, so together they could themselves be the truth: see
``rounding``. Percentages are worked out from rounded numbers alone. Pure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from portal.domain.reports.packs.rounding import MOST_TRIES, Rounding, Row
from portal.domain.status.rules import Status

StatusCounts = dict[Status, int]


class FoiStatus(NamedTuple):
    """Statuses that FOI tables count together."""

    key: str
    label: str
    statuses: tuple[Status, Status]


GROUPS = (
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
    """A table as every file of the pack shows it: numbers and texts."""

    key: str
    title: str
    columns: tuple[PackColumn, ...]
    rows: tuple[tuple[str | int, ...], ...]
    merged: bool = False  # whether groups too small to name are together in one row


@dataclass(frozen=True)
class FoiTables:
    """The tables, and what is to be said of them. Every number is rounded."""

    people: int
    tables: tuple[PackTable, ...]
    left_out: tuple[str, ...]  # a sentence for each table that is not published
    complete: int  # numerator and denominator of the percentage
    counted: int


@dataclass(frozen=True)
class _RoundedTotals:
    """The numbers of the whole force by status, which all tables share."""

    statuses: StatusCounts
    groups: list[int]  # of GROUPS

    @property
    def people(self) -> int:
        return sum(self.groups)

    @property
    def complete(self) -> int:
        return self.groups[_COMPLETE]

    @property
    def counted(self) -> int:
        return self.people - self.groups[_NOT_COUNTED]


def make_tables(figures: FoiFigures, rounding: Rounding) -> FoiTables:
    """Make the tables, from which nobody can tell a number below the base but 0.

    Args:
        figures: Of at least twice the base of people.
        rounding: Of the directive.
    """
    totals, rounded = _round_together(figures, rounding)
    tables = [_status_table(totals)]
    tables += [_group_table(frame, rows, totals) for frame, rows in zip(FRAMES, rounded, strict=True)]
    if figures.requirements:
        tables.append(_requirement_table(figures, totals, rounding))
    left_out = () if figures.requirements else (NOT_THE_SAME,)
    return FoiTables(totals.people, tuple(tables), left_out, totals.complete, totals.counted)


def _count(counts: StatusCounts, group: FoiStatus) -> int:
    return sum(counts.get(status, 0) for status in group.statuses)


def _round_together(
    figures: FoiFigures, rounding: Rounding
) -> tuple[_RoundedTotals, list[dict[str, list[int]]]]:
    """Round the totals, then each table to them: the first totals with which the rows of all tables fit.

    Very seldom none of many do. Then a row of the last may be further from its true sum, and still adds up.
    """
    grouped = [_merge_groups(frame, figures, rounding) for frame in FRAMES]
    for attempt in range(MOST_TRIES):
        totals = _round_totals(figures, rounding, attempt)
        tables = [
            rounding.round_rows(rows, totals.groups, frame.key)
            for frame, rows in zip(FRAMES, grouped, strict=True)
        ]
        if all(table.fits for table in tables):
            break
    return totals, [table.rows for table in tables]


def _round_totals(figures: FoiFigures, rounding: Rounding, attempt: int) -> _RoundedTotals:
    people = rounding.round_count(figures.people, "people", attempt)
    true = {group.key: _count(figures.statuses, group) for group in GROUPS}
    groups = rounding.round_parts(true, people, "groups", attempt)
    statuses: StatusCounts = {}
    for group in GROUPS:
        parts = {str(status): figures.statuses.get(status, 0) for status in group.statuses}
        rounded = rounding.round_parts(parts, groups[group.key], "statuses")
        statuses |= {status: rounded[str(status)] for status in group.statuses}
    return _RoundedTotals(statuses, [groups[group.key] for group in GROUPS])


def _status_table(totals: _RoundedTotals) -> PackTable:
    """Each status group, and the two statuses in it."""
    rows: list[tuple[str | int, ...]] = []
    for group, total in zip(GROUPS, totals.groups, strict=True):
        rows.append((group.label, "All", total))
        rows += [(group.label, status.label, totals.statuses[status]) for status in group.statuses if total]
    rows.append(("Everyone", "All", totals.people))
    return PackTable(
        "statuses",
        "People by status",
        (
            PackColumn("group", "Group", "Group of statuses; the columns of the other tables."),
            PackColumn("status", "Status", "Status in the group, or All."),
            PackColumn("people", "People", "Number of people, rounded."),
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


def _merge_groups(frame: _Frame, figures: FoiFigures, rounding: Rounding) -> dict[str, Row]:
    """The true numbers by status of each group that is named, and of the others together."""
    groups = {
        name: [_count(counts, group) for group in GROUPS]
        for name, counts in figures.count_by(frame.part).items()
        if any(counts.values())
    }
    return rounding.merge_rows(groups, frame.other)


def _group_table(frame: _Frame, rounded: Mapping[str, Sequence[int]], totals: _RoundedTotals) -> PackTable:
    """The table, with everyone in its last row."""
    rows = [
        (name, *cells, sum(cells), _percentage(cells[_COMPLETE], sum(cells)))
        for name, cells in [*rounded.items(), ("Everyone", totals.groups)]
    ]
    heads = (frame.column, *map(_status_column, GROUPS), _PEOPLE, _OF_EVERYONE)
    return PackTable(frame.key, frame.title, heads, tuple(rows), frame.other in rounded)


_PEOPLE = PackColumn("people", "People", "Everybody in the row, rounded.")
_OF_EVERYONE = PackColumn(
    "percentage_of_everyone",
    "Complete, % of everyone",
    "Complete people of everybody in the row, by the rounded numbers; cut to a whole per cent.",
)
_OF_COUNTED = PackColumn(
    "percentage_of_counted",
    "Complete, % of those counted",
    "Complete people of those who are counted, by the rounded numbers; cut to a whole per cent.",
)
NOT_THE_SAME = "People by requirement is left out: not everybody had the same requirements."


def _status_column(group: FoiStatus) -> PackColumn:
    return PackColumn(group.key, group.label, f"People: {group.label.lower()}, rounded.")


def _percentage(complete: int, total: int) -> str | int:
    return complete * 100 // total if total else ""


def _requirement_table(figures: FoiFigures, totals: _RoundedTotals, rounding: Rounding) -> PackTable:
    """How many of those counted have completed each requirement."""
    counted = figures.people - _count(figures.statuses, GROUPS[_NOT_COUNTED])
    true = {f"{each.kind}:{each.key}": counted - each.complete for each in figures.requirements}
    incomplete = totals.counted - totals.complete
    lacking = rounding.round_lacking(true, incomplete, incomplete)
    rows = tuple(
        (kind, key, title, totals.counted - lack, lack, _percentage(totals.counted - lack, totals.counted))
        for (kind, key, title, _), lack in zip(figures.requirements, lacking.values(), strict=True)
    )
    heads = (
        PackColumn("requirement_kind", "Kind", "Kind of the requirement: module, event or guide."),
        PackColumn("requirement", "Key", "Key of the module, event type or guide."),
        PackColumn("requirement_title", "Requirement", "Its title."),
        PackColumn("complete", "Complete", "People who have completed it, rounded."),
        PackColumn("not_complete", "Not complete", "Counted people who have not, rounded."),
        _OF_COUNTED,
    )
    return PackTable("requirements", "People by requirement", heads, rows)
