"""The slope of a cost: the exponent of the power of the size as which it grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from benchmarks.growth.plan import FLAT, LINEAR, PAGES, Dimension, Reading

MORE_STATEMENTS = 2  # that a page may send at the largest size: a branch that a smaller force has no need of
NEARLY = 0.8
STEEP = 1.35  # of the last step alone, which has less room and so more noise: said, and fails nothing


@dataclass(frozen=True, slots=True)
class Slope:
    """One line in one dimension, from the smallest size to the largest."""

    dimension: Dimension
    line: str
    readings: Sequence[Reading]  # by size

    @property
    def exponent(self) -> float:
        """0: flat; 1: linear."""
        return _exponent(self.readings[0], self.readings[-1])

    @property
    def last_step(self) -> float:
        """The exponent between the two largest sizes, where a fixed cost hides least."""
        return _exponent(self.readings[-2], self.readings[-1])

    @property
    def most(self) -> float:
        """The greatest exponent that it may have."""
        return self.dimension.most(self.line)

    @property
    def more_statements(self) -> int | None:
        """How many statements a page sends more at the largest size than at the smallest; None if no page."""
        return self.readings[-1].statements - self.readings[0].statements if self.line in PAGES else None

    @property
    def as_it_should(self) -> bool:
        """Whether neither cost nor statements grow faster than they may."""
        return self.exponent <= self.most and (self.more_statements or 0) <= MORE_STATEMENTS

    @property
    def steepens(self) -> bool:
        """Whether it grows faster than its size between the two largest, whatever it does before."""
        return self.last_step > STEEP

    @property
    def verdict(self) -> str:
        """How it grows, in words."""
        if self.exponent <= FLAT:
            words = "flat"
        elif self.exponent < NEARLY:
            words = "slower than linear"
        else:
            words = "linear" if self.exponent <= LINEAR else "faster than linear"
        if self.steepens:
            words += ", faster in the last step"
        if (self.more_statements or 0) > MORE_STATEMENTS:
            words += f", {self.more_statements} more statements"
        return words


def slopes_of(dimension: Dimension, readings: Sequence[Reading]) -> list[Slope]:
    """The slope of each line that was measured at two sizes or more, in the order of measuring."""
    by_line: dict[str, list[Reading]] = {}
    for reading in readings:
        if reading.dimension == dimension.key:
            by_line.setdefault(reading.line, []).append(reading)
    return [Slope(dimension, line, some) for line, some in by_line.items() if len(some) > 1]


def _exponent(smaller: Reading, larger: Reading) -> float:
    return log(larger.milliseconds / smaller.milliseconds) / log(larger.size / smaller.size)
