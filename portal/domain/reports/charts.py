"""The line of a percentage over time: places in percent of its drawing, and words that say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from portal.domain.reports.trend.trend import Point
from portal.platform.wording import date as say_date
from portal.platform.wording import percent_cut

_LEFT, _WIDTH = 14.0, 83.0  # room for the heights' words on the left, and for the newest dot on the right
_TOP, _HEIGHT = 14.0, 70.0  # room for a figure above, and for the days below
GRID = (0, 50, 100)


@dataclass(frozen=True, slots=True)
class Dot:
    """One point of the line: its place, from the left and from the top."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line without a point where nobody was counted: it breaks there."""

    points: Sequence[Point]

    @property
    def drawn(self) -> bool:
        """Whether two days or more have a share: one makes no line."""
        return sum(bool(point.share.total) for point in self.points) > 1

    @property
    def left(self) -> float:
        """Where the line begins."""
        return _LEFT

    @property
    def ends(self) -> tuple[str, str]:
        """The first and the last month, short enough for a phone; the table has the days."""
        first, last = self.points[0].day, self.points[-1].day
        return f"{first:%b %Y}", f"{last:%b %Y}"

    @property
    def grid(self) -> list[tuple[int, float]]:
        """The lines to read heights by: per cent, and place from the top."""
        return [(percent, _top(percent / 100)) for percent in GRID]

    @property
    def dots(self) -> list[Dot]:
        """The points that have a share."""
        return [dot for dot in self._dots() if dot]

    @property
    def parts(self) -> list[tuple[Dot, Dot]]:
        """The pieces between points that follow each other."""
        return [(left, right) for left, right in pairwise(self._dots()) if left and right]

    @property
    def newest(self) -> tuple[Dot, str] | None:
        """The last point and its figure; None where it has none."""
        last, dot = self.points[-1].share, self._dots()[-1]
        return (dot, percent_cut(last.done, last.total)) if dot else None

    @property
    def words(self) -> str:
        """What the drawing shows, for those who do not see it."""
        shown = [point for point in self.points if point.share.total]
        first, last = shown[0], shown[-1]
        return (
            f"From {percent_cut(first.share.done, first.share.total)} on {say_date(first.day)} "
            f"to {percent_cut(last.share.done, last.share.total)} on {say_date(last.day)}. "
            "The table holds every number."
        )

    def _dots(self) -> list[Dot | None]:
        step = _WIDTH / (len(self.points) - 1)
        return [
            Dot(_LEFT + step * place, _top(point.share.done / point.share.total))
            if point.share.total
            else None
            for place, point in enumerate(self.points)
        ]


def _top(share: float) -> float:
    return _TOP + _HEIGHT * (1 - share)
