"""The line of a share of documents by month, each month with its interval; places are in per cent.

A month of few documents has a tall bar: what it says of the next month is little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from portal.domain.dip_samples.queries import SampleRatio
from portal.domain.reports.charts import Dot
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
