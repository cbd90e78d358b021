"""Wilson's interval of a share, and the limits of a funnel plot.

Both are the same test: a unit lies outside the funnel exactly when the share of all
lies outside the unit's own interval. Pure; nothing here knows the database.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor, sqrt

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
