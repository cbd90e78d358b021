"""A directive's percentage at the end of each of the last months, from one query."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.reports.parameters import Filters
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import Share
from portal.domain.reports.viewer_scope import ViewerScope, tree_on, units_under
from portal.domain.status.counting import count_over_days
from portal.domain.status.filters import Scope
from portal.domain.status.period_counts import DaysRun
from portal.platform.months import month_end_before

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
