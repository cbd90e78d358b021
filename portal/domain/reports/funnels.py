"""The funnel plot: shares of groups by their size, between the limits of what chance alone explains.

Places are in per cent of the drawing, as in ``charts.py``. Nothing here knows the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import ceil, floor, sqrt

from portal.domain.reports.charts import Dot
from portal.domain.reports.statistics import Share
from portal.platform.wording import number

# Wilson's interval of a share, and the limits of a funnel plot.
#
# Both are the same test: a unit lies outside the funnel exactly when the share of all lies outside the
# unit's own interval.

WARNING = 1.959963984540054  # standard deviations that 95 in 100 samples keep within
ALARM = 3.090232306167813  # 99.8 in 100
FEWEST = 10  # documents; a share of fewer is not judged


@dataclass(frozen=True, slots=True)
class Interval:
    """A lower and an upper share, each from 0 to 1."""

    low: float
    high: float

    @property
    def words(self) -> str:
        """In whole per cent, rounded outwards, so that it is never narrower than the interval.

        >>> Interval(0.4902, 0.9433).words
        '49% to 95%'
        """
        return f"{floor(100 * self.low)}% to {ceil(100 * self.high)}%"

    def covers(self, share: float) -> bool:
        """Whether a share lies within."""
        return self.low <= share <= self.high


class Standing(StrEnum):
    """How a unit's share compares with that of all units together."""

    TOO_FEW = "too_few"
    INSIDE = "inside"
    LOW = "low"  # beyond the inner limit
    HIGH = "high"
    VERY_LOW = "very_low"  # beyond the outer limit
    VERY_HIGH = "very_high"


def wilson_interval(reached: int, total: int, deviations: float = WARNING) -> Interval:
    """Wilson's score interval of a share; all of 0 to 1 where nothing was counted.

    >>> interval = wilson_interval(8, 10)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.4902, 0.9433)
    """
    if not total:
        return Interval(0.0, 1.0)
    share, square = reached / total, deviations**2
    middle = share + square / (2 * total)
    half = deviations * sqrt(share * (1 - share) / total + square / (4 * total**2))
    low = 0.0 if not reached else (middle - half) / (1 + square / total)
    high = 1.0 if reached == total else (middle + half) / (1 + square / total)
    return Interval(max(low, 0.0), min(high, 1.0))


def funnel_limits(share: float, total: int, deviations: float = WARNING) -> Interval:
    """The shares between which a unit of ``total`` documents lies by chance; ``share`` is that of all."""
    if not total:
        return Interval(0.0, 1.0)
    half = deviations * sqrt(share * (1 - share) / total)
    return Interval(max(share - half, 0.0), min(share + half, 1.0))


def judge_standing(reached: int, total: int, share: float) -> Standing:
    """Compare a unit's share with that of all units together; fewer than ``FEWEST`` documents are not judged.

    Args:
        reached: The unit's documents that count.
        total: All of the unit's documents.
        share: That of all units together, from 0 to 1.
    """
    if total < FEWEST:
        return Standing.TOO_FEW
    own = reached / total
    if not wilson_interval(reached, total, ALARM).covers(share):
        return Standing.VERY_LOW if own < share else Standing.VERY_HIGH
    if not wilson_interval(reached, total).covers(share):
        return Standing.LOW if own < share else Standing.HIGH
    return Standing.INSIDE


# The drawing.

_LEFT, _WIDTH = 14.0, 83.0
_TOP, _HEIGHT = 6.0, 78.0
_STEPS = 40  # pieces of each curve
_LEAST_SPAN = 20  # per cent from the lowest grid line to the highest
BEYOND = {Standing.LOW, Standing.VERY_LOW, Standing.HIGH, Standing.VERY_HIGH}
STANDING_WORDS = {
    Standing.TOO_FEW: "Too few to say",
    Standing.INSIDE: "Within what chance explains",
    Standing.LOW: "Lower than chance explains (1 in 20)",
    Standing.VERY_LOW: "Much lower than chance explains (1 in 500)",
    Standing.HIGH: "Higher than chance explains (1 in 20)",
    Standing.VERY_HIGH: "Much higher than chance explains (1 in 500)",
}


@dataclass(frozen=True, slots=True)
class FunnelPoint:
    """A group in the plot; ``total`` is how far right it is."""

    name: str
    share: Share
    standing: Standing
    x: float
    y: float

    @property
    def mark(self) -> str:
        """Its shape: "up" or "down" for what lies beyond the limits, else "dot"."""
        if self.standing not in BEYOND:
            return "dot"
        return "up" if self.standing in {Standing.HIGH, Standing.VERY_HIGH} else "down"


@dataclass(frozen=True, slots=True)
class FunnelPlot:
    """Groups with their shares; those of nobody are left out."""

    groups: Sequence[tuple[str, Share]]

    @property
    def counted(self) -> list[tuple[str, Share]]:
        """The groups that somebody was counted in."""
        return [(name, share) for name, share in self.groups if share.total]

    @property
    def drawn(self) -> bool:
        """Whether there is something to compare: two groups or more."""
        return len(self.counted) > 1

    @property
    def whole(self) -> Share:
        """All groups together."""
        return sum((share for _, share in self.counted), Share())

    @property
    def centre(self) -> float:
        """The share of all groups together, from 0 to 1."""
        return self.whole.done / self.whole.total if self.whole.total else 0.0

    @property
    def most(self) -> int:
        """How many people the right edge stands for: a round number."""
        largest = max((share.total for _, share in self.counted), default=1)
        step = int(f"1{'0' * (len(str(largest)) - 1)}")
        return max(-(-largest // step) * step, FEWEST)

    @property
    def span(self) -> tuple[int, int]:
        """The lowest and the highest per cent that is drawn: tens, around every group."""
        shares = [100 * share.done / share.total for _, share in self.counted] or [0.0]
        low, high = int(min(shares) // 10 * 10), int(-(-max(shares) // 10) * 10)
        if high - low < _LEAST_SPAN:
            low, high = max(low - 10, 0), min(high + 10, 100)
        return low, high

    @property
    def grid(self) -> list[tuple[int, float]]:
        """The horizontal grid lines: per cent, and distance from the top."""
        low, high = self.span
        return [(percent, self._place_share(percent / 100)) for percent in (low, (low + high) // 2, high)]

    @property
    def middle(self) -> float:
        """Where the line of all groups together is, from the top."""
        return self._place_share(self.centre)

    @property
    def edges(self) -> tuple[float, float]:
        """Where the plot begins and ends, from the left."""
        return _LEFT, _LEFT + _WIDTH

    @property
    def ends(self) -> tuple[str, str]:
        """The numbers of people below the plot."""
        return "0", number(self.most)

    @property
    def inner(self) -> list[tuple[Dot, Dot]]:
        """The pieces of the two curves that 95 in 100 groups keep within by chance."""
        return self._draw_curves(WARNING)

    @property
    def outer(self) -> list[tuple[Dot, Dot]]:
        """The pieces of the two curves that 998 in 1,000 groups keep within by chance."""
        return self._draw_curves(ALARM)

    @property
    def points(self) -> list[FunnelPoint]:
        """The groups, each where it stands."""
        return [
            FunnelPoint(
                name,
                share,
                judge_standing(share.done, share.total, self.centre),
                self._place_size(share.total),
                self._place_share(share.done / share.total),
            )
            for name, share in self.counted
        ]

    def _place_size(self, people: float) -> float:
        return _LEFT + _WIDTH * people / self.most

    def _place_share(self, share: float) -> float:
        low, high = self.span
        return _TOP + _HEIGHT * (1 - (100 * share - low) / (high - low))

    def _draw_curves(self, deviations: float) -> list[tuple[Dot, Dot]]:
        """Both curves, without what lies above or below the drawing."""
        sizes = [FEWEST + (self.most - FEWEST) * (place / _STEPS) ** 2 for place in range(_STEPS + 1)]
        limits = [funnel_limits(self.centre, round(size), deviations) for size in sizes]
        curves = [
            [(self._place_size(size), each.low) for size, each in zip(sizes, limits, strict=True)],
            [(self._place_size(size), each.high) for size, each in zip(sizes, limits, strict=True)],
        ]
        low, high = (percent / 100 for percent in self.span)
        return [
            (Dot(left[0], self._place_share(left[1])), Dot(right[0], self._place_share(right[1])))
            for curve in curves
            for left, right in pairwise(curve)
            if low <= left[1] <= high and low <= right[1] <= high
        ]
