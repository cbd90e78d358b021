"""Line charts of shares by month: one of all forces together, and a small one of each force."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from portal.domain.reports.charts import Dot, LineChart
from portal.domain.reports.statistics import Share
from portal.domain.reports.trend.trend import Point
from portal.domain.returns.content import last_day_of
from portal.domain.returns.national import NationalFigures
from portal.domain.returns.receipts import NationalForce

_EDGE = 4.0  # per cent of a drawing, so that the first and the last dot are whole


@dataclass(frozen=True, slots=True)
class MonthLine:
    """Shares of one force, month by month; the line is interrupted where there is none. In per cent."""

    shares: Sequence[Share | None]

    @property
    def parts(self) -> list[tuple[Dot, Dot]]:
        """The segments of the line between neighbouring months."""
        return [(left, right) for left, right in pairwise(self._place_dots()) if left and right]

    @property
    def dots(self) -> list[Dot]:
        """The months that have a share."""
        return [dot for dot in self._place_dots() if dot]

    def _place_dots(self) -> list[Dot | None]:
        step = (100 - 2 * _EDGE) / max(len(self.shares) - 1, 1)
        return [
            Dot(_EDGE + step * index, 90 - 80 * share.done / share.total) if share and share.total else None
            for index, share in enumerate(self.shares)
        ]


def line_of_force(figures: NationalFigures, force: NationalForce) -> MonthLine:
    """The line of one force over the months."""
    return MonthLine([month.figures_of(force).share for month in figures.months])


def line_of_all(figures: NationalFigures) -> LineChart:
    """The line of all forces together over the months."""
    return LineChart(list_points(figures))


def list_points(figures: NationalFigures) -> list[Point]:
    """The share of all forces together at the end of each month."""
    return [Point(last_day_of(month.period.period), month.share or Share()) for month in figures.months]
