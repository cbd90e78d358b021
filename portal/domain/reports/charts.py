"""The line chart of a percentage over time: coordinates in per cent, and a text alternative."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from portal.domain.people.units import UnitTree, read_tree
from portal.domain.reports.parameters import Filters
from portal.domain.reports.queries import CompletionReport, ViewerScope, tree_on, units_under
from portal.domain.reports.statistics import Share
from portal.domain.status.counts import DaysRun, Scope, count_over_days
from portal.platform.months import month_end_before
from portal.platform.wording import date as say_date
from portal.platform.wording import percent_cut

# A directive's percentage at the end of each of the last months, from one query.

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """How many people were complete at the end of a day."""

    day: date
    share: Share


def month_ends(day: date, months: int = MONTHS) -> list[date]:
    """The last day of each of the months before that of ``day``, in order, then ``day`` itself."""
    days = [day]
    for _ in range(months):
        days.append(month_end_before(days[-1]))
    return days[::-1]


def read_trend(report: CompletionReport, days: Sequence[date]) -> list[Point]:
    """The trend of a report's directive and group, as ``read_trends`` reads it."""
    scope = report.scope_of(report.viewer_scope.select_people())
    return read_trends(report.viewer_scope, scope, days, report.filters.group)[report.directive.id]


def read_trends(
    viewer_scope: ViewerScope, scope: Scope, days: Sequence[date], filters: Filters
) -> dict[int, list[Point]]:
    """Read the share of complete people at the end of each of ``days``, by directive; one query.

    Each share is that of the report of its day: the posts and units of that day decide who is visible.

    Args:
        viewer_scope: Gives the viewer.
        scope: Gives the directives and as_known_on.
        days: In rising order.
        filters: Apply to the posts of each day; the unit is the one with this path on the viewer's day.
    """
    visible_units = _VisibleUnits(viewer_scope, filters, days)
    counts = {directive_id: [[0, 0] for _ in days] for directive_id in scope.directive_ids}
    for run in count_over_days(replace(scope, whose=visible_units.widest), days):
        if run.status.excluded:
            continue
        for index in visible_units.indexes_of_days(run):
            counts[run.directive_id][index][0] += run.people * run.status.held
            counts[run.directive_id][index][1] += run.people
    return {
        directive_id: [Point(day, Share(*pair)) for day, pair in zip(days, pairs, strict=True)]
        for directive_id, pairs in counts.items()
    }


class _VisibleUnits:
    """The units that the viewer may see on each of the days: units move."""

    def __init__(self, viewer_scope: ViewerScope, filters: Filters, days: Sequence[date]) -> None:
        people = viewer_scope.select_people(filters)
        self._everyone, self._visible, self._within = viewer_scope.everyone, [], []
        top = viewer_scope.unit_of(filters.unit) if filters.unit else None
        if filters.unit or not viewer_scope.everyone:
            tree = read_tree(viewer_scope.position.as_known_on)
            self._visible = _units_under_by_day(tree, days, viewer_scope.granted)
        if filters.unit:
            self._within = _units_under_by_day(tree, days, () if top is None else (top,))
        self.widest = replace(
            people,
            unit_ids=_join_sets(self._visible) if viewer_scope.granted else frozenset(),
            within=_join_sets(self._within) if filters.unit else None,
        )

    def indexes_of_days(self, run: DaysRun) -> Iterator[int]:
        """The indexes of the days on which the viewer may see these people."""
        for index in range(run.first, run.last + 1):
            visible = self._everyone or run.reports or run.unit_id in self._visible[index]
            if visible and (not self._within or run.unit_id in self._within[index]):
                yield index


def units_visible_throughout(earlier: ViewerScope, later: ViewerScope) -> frozenset[int]:
    """The units that a viewer may see at both positions and on every day between, as known at the later one.

    Args:
        earlier: The viewer's scope at one position.
        later: The same viewer's scope at the other.
    """
    first, last = sorted((earlier.position.as_at, later.position.as_at))
    tree = read_tree(later.position.as_known_on)
    days = [first, *(day for day in tree.edges_after(first) if day <= last)]
    return earlier.unit_ids.intersection(later.unit_ids, *_units_under_by_day(tree, days, later.granted))


def _units_under_by_day(tree: UnitTree, days: Iterable[date], tops: Iterable[int]) -> list[set[int]]:
    """The units ``tops`` and all below them on each day, computed once for each state of the tree."""
    units: dict[int, set[int]] = {}
    versions = [tree.version_on(day) for day in days]
    for day, version in zip(days, versions, strict=True):
        if version not in units:
            units[version] = units_under(tree_on(tree, day), *tops)
    return [units[version] for version in versions]


def _join_sets(groups: Iterable[set[int]]) -> frozenset[int]:
    return frozenset().union(*groups)


_LEFT, _WIDTH = 14.0, 83.0  # room for labels of heights on the left, and for the newest dot on the right
_TOP, _HEIGHT = 14.0, 70.0  # room for a figure above, and for the days below
GRID = (0, 50, 100)


@dataclass(frozen=True, slots=True)
class Dot:
    """One point of the line: distance from the left and from the top."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line of shares; it is interrupted at days on which nobody was counted."""

    points: Sequence[Point]

    @property
    def drawn(self) -> bool:
        """Whether there is a line: two days or more have a share."""
        return sum(bool(point.share.total) for point in self.points) > 1

    @property
    def left(self) -> float:
        """Distance of the first point from the left."""
        return _LEFT

    @property
    def ends(self) -> tuple[str, str]:
        """The first and the last month, short enough for a phone."""
        first, last = self.points[0].day, self.points[-1].day
        return f"{first:%b %Y}", f"{last:%b %Y}"

    @property
    def grid(self) -> list[tuple[int, float]]:
        """The horizontal grid lines: per cent, and distance from the top."""
        return [(percent, _height(percent / 100)) for percent in GRID]

    @property
    def dots(self) -> list[Dot]:
        """The points that have a share."""
        return [dot for dot in self._all_dots() if dot]

    @property
    def parts(self) -> list[tuple[Dot, Dot]]:
        """The pieces of the line between neighbouring points."""
        return [(left, right) for left, right in pairwise(self._all_dots()) if left and right]

    @property
    def newest(self) -> tuple[Dot, str] | None:
        """The last point and its percentage; None if nobody was counted."""
        last, dot = self.points[-1].share, self._all_dots()[-1]
        return (dot, percent_cut(last.done, last.total)) if dot else None

    @property
    def words(self) -> str:
        """The text alternative of the drawing."""
        shown = [point for point in self.points if point.share.total]
        first, last = shown[0], shown[-1]
        return (
            f"From {percent_cut(first.share.done, first.share.total)} on {say_date(first.day)} "
            f"to {percent_cut(last.share.done, last.share.total)} on {say_date(last.day)}. "
            "The table has every number."
        )

    def _all_dots(self) -> list[Dot | None]:
        step = _WIDTH / (len(self.points) - 1)
        return [
            Dot(_LEFT + step * place, _height(point.share.done / point.share.total))
            if point.share.total
            else None
            for place, point in enumerate(self.points)
        ]


def _height(share: float) -> float:
    return _TOP + _HEIGHT * (1 - share)
