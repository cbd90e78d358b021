"""The tables of an FOI pack: rounded numbers of people by status, unit, rank, role and requirement.

All tables have the same rounded totals by status, so together they could themselves be the truth: see
``rounding``. Percentages are worked out from rounded numbers alone. Pure.
"""

import hmac
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from config import current_settings
from portal.domain.people.staff_numbers import sort_ranks
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import group_units, name_unit
from portal.domain.status.rules import Status

# Rounds numbers of people so that tables add up and tell no small number (controlled rounding). Pure.
#
# Every number becomes a multiple of the base, one of the two beside it; a multiple stays. Which of the
# two is chosen at random, the nearer one more often, by a secret key and by what is counted: so the same
# number of the same thing is rounded alike each time, wherever the sums allow it, and repeating a request
# averages nothing out. Sums are those of the rounded parts.
#
# So what is published could itself be the truth, and would then be published unchanged, whatever the key.
# In it no number is small. Hence nobody who has the tables and this rule, and tries every force there
# could be, is certain of a small number.

Row = Sequence[int]
Cell = tuple[int, int]  # row, column
MOST_TRIES = 50


def is_small(count: int, small: int) -> bool:
    """Whether a count is above zero and below the small number.

    Zero is not small: it says of nobody that they did something.
    """
    return 0 < count < small


@dataclass(frozen=True, slots=True)
class Rounding:
    """How numbers are rounded.

    Attributes:
        base: Every number becomes a multiple of it.
        key: Secret, and of what is counted: two directives have two keys, so that what differs between them
            cannot be told from their rounded numbers.
    """

    base: int
    key: bytes = field(repr=False)

    @classmethod
    def of_subject(cls, base: int, secret: str, subject: str) -> "Rounding":
        """The rounding of one subject's numbers, by the portal's secret."""
        return cls(base, hmac.digest(secret.encode(), f"rounding: {subject}".encode(), "sha256"))

    def prefer_up(self, count: int, *label: str | int) -> float:
        """How much rather a count is rounded up than down: above 0 as often as it is near the one above."""
        words = repr((self.base, count, *label)).encode()
        chance = int.from_bytes(hmac.digest(self.key, words, "sha256")[:7], "big") / 2**56
        return count % self.base / self.base - chance

    def round_count(self, count: int, *label: str | int) -> int:
        """Round one count."""
        return self.floor(count) + (self.base if self.prefer_up(count, *label) > 0 else 0)

    def round_parts(self, parts: Mapping[str, int], total: int, *label: str | int) -> dict[str, int]:
        """Round the parts of a total that is rounded already: they add up to it."""
        wishes = {name: self.prefer_up(count, *label, name) for name, count in parts.items()}
        open_parts = [name for name, count in parts.items() if count % self.base]
        rounded = {name: self.floor(count) for name, count in parts.items()}
        ups = (total - sum(rounded.values())) // self.base
        for name in sorted(open_parts, key=lambda name: -wishes[name])[:ups]:
            rounded[name] += self.base
        return rounded

    def floor(self, count: int) -> int:
        """The multiple at or below a count."""
        return count - count % self.base

    def ceil(self, count: int) -> int:
        """The multiple at or above a count."""
        return count + -count % self.base

    def name_groups(self, people: Mapping[str, int]) -> list[str]:
        """The groups of at least twice the base, in the order given; the others are to be counted together.

        So that those together are not fewer, the smallest of the named ones may join them.
        """
        least = 2 * self.base
        named = sorted((name for name in people if people[name] >= least), key=lambda name: people[name])
        rest = sum(count for count in people.values() if count < least)
        while named and 0 < rest < least:
            rest += people[named.pop(0)]
        return [name for name in people if name in named]

    def merge_rows(self, rows: Mapping[str, Row], other: str) -> dict[str, Row]:
        """The rows of the groups that are named, and the sum of the others."""
        named = self.name_groups({name: sum(row) for name, row in rows.items()})
        others = [row for name, row in rows.items() if name not in named]
        merged = {name: rows[name] for name in named}
        if others:
            merged[other] = [sum(column) for column in zip(*others, strict=True)]
        return merged

    def round_lacking(self, lacking: Mapping[str, int], least: int, most: int) -> dict[str, int]:
        """Round how many lack each requirement: none more than ``most``, all together at least ``least``.

        Whoever lacks one is not complete, and whoever is not complete lacks at least one.
        """
        rounded = {
            key: min(self.round_count(lack, "requirement", key), most) for key, lack in lacking.items()
        }
        while sum(rounded.values()) < least:
            rounded[max((key for key in rounded if rounded[key] < most), key=rounded.__getitem__)] += (
                self.base
            )
        return rounded

    def round_rows(self, rows: Mapping[str, Row], totals: Row, *label: str) -> "RoundedRows":
        """Round the rows of a table whose column totals are rounded already.

        Each cell is rounded, so each column adds up to its total. Each row adds up to a multiple beside its
        true sum, if any choice of cells does that.
        """
        table = _Table(self, list(rows.values()))
        for column, total in enumerate(totals):
            parts = {name: row[column] for name, row in rows.items()}
            rounded = self.round_parts(parts, total, *label, column)
            table.ups |= {
                (place, column) for place, name in enumerate(rows) if rounded[name] > self.floor(parts[name])
            }
        fits = table.settle_rows()
        return RoundedRows(dict(zip(rows, table.list_rows(), strict=True)), fits)


@dataclass(frozen=True, slots=True)
class RoundedRows:
    """A rounded table, and whether each row's sum is beside the true one."""

    rows: dict[str, list[int]]
    fits: bool


@dataclass
class _Table:
    """Cells that are rounded up or down, moved between rows until the rows fit too."""

    rounding: Rounding
    counts: list[Row]
    ups: set[Cell] = field(default_factory=set)

    def list_rows(self) -> list[list[int]]:
        """The rounded cells."""
        base, floor = self.rounding.base, self.rounding.floor
        return [
            [floor(count) + base * ((place, column) in self.ups) for column, count in enumerate(row)]
            for place, row in enumerate(self.counts)
        ]

    def settle_rows(self) -> bool:
        """Move what is rounded up from rows with too much, and to rows with too little; whether all fit."""
        floor, ceil = self.rounding.floor, self.rounding.ceil
        low = [floor(sum(row)) for row in self.counts]
        high = [ceil(sum(row)) for row in self.counts]
        while True:
            sums = [sum(row) for row in self.list_rows()]
            too_much = {place for place, total in enumerate(sums) if total > high[place]}
            too_little = {place for place, total in enumerate(sums) if total < low[place]}
            if not too_much and not too_little:
                return True
            has_room = {place for place, total in enumerate(sums) if total < high[place]}
            can_give = {place for place, total in enumerate(sums) if total > low[place]}
            path = self._find_path(too_much, has_room) or self._find_path(can_give, too_little)
            if path is None:
                return False
            for (giver, column), (taker, _) in path:
                self.ups -= {(giver, column)}
                self.ups |= {(taker, column)}

    def _find_path(self, givers: Collection[int], takers: Collection[int]) -> list[tuple[Cell, Cell]] | None:
        """The shortest way to move one rounding up from a giver to a taker, by rows between them."""
        came_by: dict[int, tuple[Cell, Cell] | None] = dict.fromkeys(sorted(givers))
        seen_columns: set[int] = set()
        queue = list(came_by)
        for row in queue:
            for column in range(len(self.counts[row])):
                if column in seen_columns or (row, column) not in self.ups:
                    continue
                seen_columns.add(column)
                for other in self._list_open(column):
                    if other not in came_by:
                        came_by[other] = ((row, column), (other, column))
                        queue.append(other)
                        if other in takers:
                            return _walk_back(came_by, other)
        return None

    def _list_open(self, column: int) -> list[int]:
        """The rows whose cell in a column is rounded down and may be rounded up."""
        return [
            place
            for place, row in enumerate(self.counts)
            if row[column] % self.rounding.base and (place, column) not in self.ups
        ]


def _walk_back(came_by: Mapping[int, tuple[Cell, Cell] | None], row: int) -> list[tuple[Cell, Cell]]:
    path = []
    while (step := came_by[row]) is not None:
        path.append(step)
        row = step[0][0]
    return path


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


# Reads the numbers of a report that FOI tables are made of, and makes them.

NOT_RECORDED = "Not recorded"


def make_report_tables(report: CompletionReport, small: int) -> FoiTables:
    """The FOI tables of a report without filters, on at least twice the small number of people."""
    rounding = Rounding.of_subject(small, current_settings().secret_key, report.directive.reference)
    return make_tables(read_figures(report), rounding)


def read_figures(report: CompletionReport) -> FoiFigures:
    """The numbers of everybody in a report without filters, by the highest units that tell people apart."""
    units = report.viewer_scope.units
    group_of, top = group_units(report.figures.people, units)
    groups: dict[PostGroup, StatusCounts] = {}
    for unit_id, role, rank, status, people in report.count_groups():
        unit = name_unit(group_of[unit_id], top, units)
        counts = groups.setdefault(
            PostGroup(unit, rank or NOT_RECORDED, role.capitalize() or NOT_RECORDED), {}
        )
        counts[status] = counts.get(status, 0) + people
    ranks = sort_ranks({group.rank for group in groups})
    return FoiFigures(groups, tuple(ranks), _count_requirements(report))


def _count_requirements(report: CompletionReport) -> tuple[RequirementTotal, ...]:
    """How many completed each requirement; nothing if not everybody has the same ones."""
    figures, requirements = report.figures, report.directive.requirements
    if figures.rows_of_each != len(requirements):
        return ()
    return tuple(
        RequirementTotal(
            requirement.kind,
            requirement.key,
            requirement.title,
            sum(n for status, n in figures.requirements[requirement.position].items() if status.held),
        )
        for requirement in requirements
    )
