"""How forces differ: each share with its Wilson interval, compared with that of all forces together."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.domain.dip_samples.statistics import Interval, Standing, judge_standing, wilson_interval
from portal.domain.reports.funnels import BEYOND, STANDING_WORDS, FunnelPlot
from portal.domain.reports.statistics import Share
from portal.domain.returns.national import NationalFigures
from portal.domain.returns.receipts import NationalForce
from portal.platform.wording import number


@dataclass(frozen=True, slots=True)
class ForceStanding:
    """A force's share, with its interval.

    Attributes:
        interval: Wilson's 95% interval of the share.
        standing: Compared with all forces together.
    """

    force: NationalForce
    share: Share
    interval: Interval
    standing: Standing

    @property
    def words(self) -> str:
        """The standing in words."""
        return STANDING_WORDS[self.standing]

    @property
    def percent(self) -> float:
        """The share in per cent, for a chart."""
        return 100 * self.share.done / self.share.total


@dataclass(frozen=True, slots=True)
class Variation:
    """The forces of a month that have a share, the most people first, and those that have none.

    They are in the order of their size, not of their share: a small force is high or low by chance more
    easily than a large one, so an order by percentage would mislead.
    """

    forces: Sequence[ForceStanding]
    without_share: Sequence[NationalForce]

    @property
    def funnel(self) -> FunnelPlot:
        """The forces with a share as a funnel plot."""
        return FunnelPlot([(row.force.name, row.share) for row in self.forces])

    @property
    def beyond_limits(self) -> list[ForceStanding]:
        """The forces beyond the limits, the lowest standing first."""
        order = [Standing.VERY_LOW, Standing.LOW, Standing.HIGH, Standing.VERY_HIGH]
        rows = [row for row in self.forces if row.standing in BEYOND]
        return sorted(rows, key=lambda row: (order.index(row.standing), row.force.name))

    @property
    def quartiles(self) -> tuple[int, int, int] | None:
        """The lower quartile, the median and the upper quartile of shares in per cent, cut; None: too few."""
        shares = sorted(100 * row.share.done // row.share.total for row in self.forces)
        if len(shares) < 4:
            return None
        return shares[len(shares) // 4], shares[len(shares) // 2], shares[3 * len(shares) // 4]

    @property
    def sentence(self) -> str:
        """How many forces differ by more than chance, as a sentence or two."""
        count = len(self.beyond_limits)
        if len(self.forces) < 2:
            return "Too few forces have a figure to compare them."
        if not count:
            return (
                f"No force of {number(len(self.forces))} differs from the rest by more than chance explains."
            )
        text = (
            f"{number(count)} of {number(len(self.forces))} forces differ from all forces together by more "
            "than chance explains (1 in 20)."
        )
        if 2 * count > len(self.forces):
            text += " Most do, so chance is not the reason: ask what is."
        return text


def compare_forces(figures: NationalFigures) -> Variation:
    """Compare the forces of the newest month."""
    shares = {force: figures.newest_month.figures_of(force).share for force in figures.forces}
    whole = sum((share for share in shares.values() if share), Share())
    centre = whole.done / whole.total if whole.total else 0.0
    standings = [
        ForceStanding(
            force,
            share,
            wilson_interval(share.done, share.total),
            judge_standing(share.done, share.total, centre),
        )
        for force, share in shares.items()
        if share and share.total
    ]
    standings.sort(key=lambda row: (-row.share.total, row.force.name))
    return Variation(standings, [force for force, share in shares.items() if not (share and share.total)])
