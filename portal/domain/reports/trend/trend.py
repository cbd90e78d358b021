"""A directive's percentage at the end of each of the last months, in one reading."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from portal.domain.people.queries import UnitRow
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.reports.filters import EVERYONE, Filters
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import Share
from portal.domain.reports.viewer_scope import Reach, under
from portal.domain.status.aggregates import DaysRun
from portal.domain.status.counting import Question, count_source

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """How many were complete at the end of a day."""

    day: date
    share: Share


def month_ends(day: date, months: int = MONTHS) -> list[date]:
    """The last days of the months before ``day``'s, in order, then ``day`` itself."""
    found = [day]
    for _ in range(months):
        found.append(found[-1].replace(day=1) - timedelta(days=1))
    return found[::-1]


def over_time(report: CompletionReport, days: Sequence[date], filters: Filters = EVERYONE) -> list[Point]:
    """The share on each of ``days``, which rise, all with the report's knowledge.

    Each is what the report of that day says: the posts and the tree of that day decide whom the viewer
    may be told of, as known at the report's instant.

    Args:
        report: Whose viewer, directive and knowledge count.
        days: Each at its end.
        filters: Narrows whom it is about, by the posts of each day; a unit is the one that has the path
            at the report's own day.
    """
    sights = _Sights(report, filters, days)
    counts = [[0, 0] for _ in days]
    source = count_source(report.scope_of(sights.widest), Question.OVER_DAYS)
    for run in source.count_over_days(days):
        if run.status.excluded:
            continue
        for place in sights.days_of(run):
            counts[place][0] += run.people * run.status.held
            counts[place][1] += run.people
    return [Point(day, Share(done, total)) for day, (done, total) in zip(days, counts, strict=True)]


class _Sights:
    """Whom the viewer may be told of on each of the days, since units move."""

    def __init__(self, report: CompletionReport, filters: Filters, days: Sequence[date]) -> None:
        reach = report.reach
        whose = reach.whose(filters)
        self._everyone, self._seen, self._within = reach.everyone, [], []
        top = reach.unit_of(filters.unit) if filters.unit else None
        if filters.unit or not reach.everyone:
            tree = read_tree(report.position.as_known_on)
            self._seen = _under(tree, days, reach.granted)
        if filters.unit:
            self._within = _under(tree, days, () if top is None else (top,))
        self.widest = replace(
            whose,
            unit_ids=_all(self._seen) if reach.granted else frozenset(),
            within=_all(self._within) if filters.unit else None,
        )

    def days_of(self, run: DaysRun) -> Iterator[int]:
        """The places of the days on which these people count."""
        for place in range(run.first, run.last + 1):
            seen = self._everyone or run.reports or run.unit_id in self._seen[place]
            if seen and (not self._within or run.unit_id in self._within[place]):
                yield place


def units_seen_between(then: Reach, now: Reach) -> frozenset[int]:
    """The units in sight by the trees of both positions and of every day between, as known at the later one.

    Args:
        then: What a viewer may see at one position.
        now: What the same viewer may see at another.
    """
    low, high = sorted((then.position.as_at, now.position.as_at))
    tree = read_tree(now.position.as_known_on)
    seen = _under(tree, [low, *(day for day in tree.edges_after(low) if day <= high)], now.granted)
    return then.unit_ids.intersection(now.unit_ids, *seen)


def _under(tree: UnitTree, days: Iterable[date], tops: Iterable[int]) -> list[set[int]]:
    """Some units and all below them on each of these days: found once for days of the same tree."""
    found: dict[int, set[int]] = {}
    places = [tree.version_on(day) for day in days]
    for day, place in zip(days, places, strict=True):
        if place not in found:
            states = ((unit_id, tree.state_on(unit_id, day)) for unit_id in tree.unit_ids())
            units = {unit_id: UnitRow(one.name, one.parent_id, "") for unit_id, one in states if one}
            found[place] = under(units, *tops)
    return [found[place] for place in places]


def _all(groups: Iterable[set[int]]) -> frozenset[int]:
    return frozenset().union(*groups)
