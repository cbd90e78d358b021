"""The funnel plot: shares of groups by their size, between the limits of what chance alone explains.

Places are in per cent of the drawing, as in ``charts.py``. Nothing here knows the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from portal.domain.dip_samples.rules import ALARM, FEWEST, WARNING, Standing, funnel_limits, judge_standing
from portal.domain.reports.charts import Dot
from portal.domain.reports.statistics import Share
from portal.platform.wording import number

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
