"""A directive's percentage at the end of each of the last months, in one reading."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from portal.monitoring.figures import Share
from portal.monitoring.filters import EVERYONE, Filters
from portal.monitoring.queries import CompletionReport
from portal.monitoring.reach import under
from portal.people.queries import UnitRow
from portal.people.tree import UnitTree, read_tree
from portal.standing.totals import Stretch, stretches

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
    for stretch in stretches(report.scope_of(sights.widest), days):
        if stretch.status.excluded:
            continue
        for place in sights.days_of(stretch):
            counts[place][0] += stretch.people * stretch.status.held
            counts[place][1] += stretch.people
    return [Point(day, Share(done, total)) for day, (done, total) in zip(days, counts, strict=True)]


class _Sights:
    """Whom the viewer may be told of on each of the days, since units move."""

    def __init__(self, report: CompletionReport, filters: Filters, days: Sequence[date]) -> None:
        reach = report.reach
        whose = reach.whose(filters)
        self._everyone, self._seen, self._within = reach.everyone, [], []
        top = reach.unit_of(filters.unit) if filters.unit else None
        needed = bool(filters.unit) or not reach.everyone
        trees = list(_trees(read_tree(report.position.as_known_on), days)) if needed else []
        self._seen = [under(tree, *reach.granted) for tree in trees]
        if filters.unit:
            self._within = [under(tree, top) if top is not None else set() for tree in trees]
        self.widest = replace(
            whose,
            unit_ids=_all(self._seen) if reach.granted else frozenset(),
            within=_all(self._within) if filters.unit else None,
        )

    def days_of(self, stretch: Stretch) -> Iterator[int]:
        """The places of the days on which these people count."""
        for place in range(stretch.first, stretch.last + 1):
            seen = self._everyone or stretch.reports or stretch.unit_id in self._seen[place]
            if seen and (not self._within or stretch.unit_id in self._within[place]):
                yield place


def _trees(tree: UnitTree, days: Iterable[date]) -> Iterator[dict[int, UnitRow]]:
    for day in days:
        states = ((unit_id, tree.on(unit_id, day)) for unit_id in tree.ids())
        yield {unit_id: UnitRow(one.name, one.parent_id, "") for unit_id, one in states if one}


def _all(groups: Iterable[set[int]]) -> frozenset[int]:
    return frozenset().union(*groups)
