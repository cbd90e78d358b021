"""The line chart of a percentage over time: coordinates in per cent, and a text alternative."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from portal.domain.reports.trend.trend import Point
from portal.platform.wording import date as say_date
from portal.platform.wording import percent_cut

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
