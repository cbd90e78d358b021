"""The line of a share of documents by month, each month with its interval; places are in per cent.

A month of few documents has a tall bar: what it says of the next month is little.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from portal.domain.people.visibility import Viewer
from portal.domain.reports.charts import Dot
from portal.domain.reports.funnels import Standing, judge_standing
from portal.domain.reports.parameters import Position
from portal.domain.reports.queries import ViewerScope
from portal.domain.reports.statistics import DirectiveSnapshot, Share, read_directives
from portal.domain.status.counts import CountBy, count_periods
from portal.features.dip_samples.queries import SampleRatio, SampleTable
from portal.platform.replica import read_as_known_on
from portal.platform.wording import fraction, month_words, percent_cut

_LEFT, _WIDTH = 14.0, 80.0
_TOP, _HEIGHT = 8.0, 76.0
GRID = (0, 50, 100)


@dataclass(frozen=True, slots=True)
class MonthBar:
    """One month: its dot, and where its interval begins and ends."""

    dot: Dot
    high: float
    low: float


@dataclass(frozen=True, slots=True)
class SampleTrend:
    """Shares by month, the earliest first; a month without documents interrupts the line."""

    ratios: Sequence[SampleRatio]  # of one month each

    @property
    def drawn(self) -> bool:
        """Whether there is a line: two months or more have documents."""
        return sum(bool(ratio.total) for ratio in self.ratios) > 1

    @property
    def grid(self) -> list[tuple[int, float]]:
        """The horizontal grid lines: per cent, and distance from the top."""
        return [(percent, _place_share(percent / 100)) for percent in GRID]

    @property
    def bars(self) -> list[MonthBar]:
        """The months with documents."""
        return [bar for bar in self._all_bars() if bar]

    @property
    def parts(self) -> list[tuple[Dot, Dot]]:
        """The pieces of the line between neighbouring months."""
        return [(left.dot, right.dot) for left, right in pairwise(self._all_bars()) if left and right]

    @property
    def left(self) -> float:
        """Distance of the first month from the left."""
        return _LEFT

    @property
    def ends(self) -> tuple[str, str]:
        """The first and the last month, short enough for a phone."""
        return f"{self.ratios[0].months[0]:%b %Y}", f"{self.ratios[-1].months[0]:%b %Y}"

    @property
    def words(self) -> str:
        """The text alternative of the drawing."""
        shown = [ratio for ratio in self.ratios if ratio.total]
        return (
            f"From {_say_ratio(shown[0])} to {_say_ratio(shown[-1])}. "
            "Each month has a bar for its 95% interval. The table has every number."
        )

    def _all_bars(self) -> list[MonthBar | None]:
        step = _WIDTH / max(len(self.ratios) - 1, 1)
        return [
            MonthBar(
                Dot(_LEFT + step * place, _place_share(ratio.reached / ratio.total)),
                _place_share(ratio.interval.high),
                _place_share(ratio.interval.low),
            )
            if ratio.total
            else None
            for place, ratio in enumerate(self.ratios)
        ]


def _say_ratio(ratio: SampleRatio) -> str:
    share = percent_cut(ratio.reached, ratio.total)
    return f"{share} ({fraction(ratio.reached, ratio.total)}) in {month_words(ratio.months[0])}"


def _place_share(share: float) -> float:
    return _TOP + _HEIGHT * (1 - share)


# Units with their dip samples beside module completion and attendance, all at one position.
#
# Completion and attendance are what the report of each directive counts of the unit's own people, so that
# this page and that report agree. Nothing here says that one causes the other.

KINDS = {"module": "Modules", "event": "Attendance"}


@dataclass(frozen=True, slots=True)
class UnitBeside:
    """One unit: its share of documents, how that stands beside all units, and what its people completed."""

    unit_id: int
    label: str
    ratio: SampleRatio
    standing: Standing
    missing_months: int  # without a sample
    completed: Mapping[str, Share] = field(default_factory=dict)  # by kind of requirement

    @property
    def modules(self) -> Share:
        """Of all modules that its people must complete, counted for each person: those completed."""
        return self.completed.get("module", Share())

    @property
    def attendance(self) -> Share:
        """Of all events that its people must attend, counted for each person: those attended."""
        return self.completed.get("event", Share())


def list_units_beside(viewer: Viewer, table: SampleTable, position: Position) -> list[UnitBeside]:
    """The units of a table that recorded documents, in its order. As many statements for many as for one.

    Args:
        viewer: Whose sight of people counts for completion and attendance.
        table: The shares, as at the same position.
        position: The position.
    """
    completed = _count_completed(viewer, {line.unit_id for line in table.lines}, position)
    whole = table.ratio.reached / table.ratio.total if table.ratio.total else 0.0
    return [
        UnitBeside(
            line.unit_id,
            line.label,
            line.ratio,
            judge_standing(line.ratio.reached, line.ratio.total, whole),
            line.missing_months,
            completed.get(line.unit_id, {}),
        )
        for line in table.lines
    ]


def _count_completed(viewer: Viewer, unit_ids: set[int], position: Position) -> dict[int, dict[str, Share]]:
    """By unit and kind of requirement: how many requirements of people are complete, of those counted."""
    viewer_scope = ViewerScope.of_viewer(viewer, position)
    read_as_known_on(position.as_known_on)
    directives = {directive.id: directive for directive in read_directives(position)}
    if not directives or not unit_ids:
        return {}
    kinds = {found: _kinds_of(directive) for found, directive in directives.items()}
    columns = [CountBy.DIRECTIVE, CountBy.UNIT, CountBy.POSITION, CountBy.STATUS]
    found: dict[int, dict[str, Share]] = defaultdict(dict)
    scope = viewer_scope.scope_of(*sorted(directives))
    scope = replace(scope, whose=replace(scope.whose, within=frozenset(unit_ids)))
    for directive_id, unit_id, place, status, people in count_periods(scope, columns):
        kind = kinds[directive_id].get(place, "")
        if kind in KINDS and not status.excluded:
            share = Share(people * status.held, people)
            found[unit_id][kind] = found[unit_id].get(kind, Share()) + share
    return found


def _kinds_of(directive: DirectiveSnapshot) -> dict[int, str]:
    """The kind of each requirement, by its position."""
    return {requirement.position: requirement.kind for requirement in directive.requirements}
