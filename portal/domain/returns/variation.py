"""How forces differ: each share with the interval that its size allows, beside that of all together."""

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
    """A force's share, and how sure it is.

    Attributes:
        interval: Between which shares it would lie if its people were a sample of such forces.
        standing: Beside all forces together.
    """

    force: NationalForce
    share: Share
    interval: Interval
    standing: Standing

    @property
    def words(self) -> str:
        """How it stands, in words."""
        return STANDING_WORDS[self.standing]

    @property
    def at(self) -> float:
        """The share in per cent, for a drawing."""
        return 100 * self.share.done / self.share.total


@dataclass(frozen=True, slots=True)
class Variation:
    """The forces of a month that have a share, the most people first, and those that have none.

    They are in the order of their size, not of their share: a small force is high or low by chance more
    easily than a large one, so an order by percentage would say what is not there.
    """

    forces: Sequence[ForceStanding]
    without: Sequence[NationalForce]

    @property
    def funnel(self) -> FunnelPlot:
        """The same forces as a funnel."""
        return FunnelPlot([(each.force.name, each.share) for each in self.forces])

    @property
    def beyond(self) -> list[ForceStanding]:
        """The forces beyond the limits, the lowest standing first."""
        order = [Standing.VERY_LOW, Standing.LOW, Standing.HIGH, Standing.VERY_HIGH]
        beyond = [each for each in self.forces if each.standing in BEYOND]
        return sorted(beyond, key=lambda each: (order.index(each.standing), each.force.name))

    @property
    def quartiles(self) -> tuple[int, int, int] | None:
        """The lower quartile, the median and the upper quartile of shares in per cent, cut; None: too few."""
        shares = sorted(100 * each.share.done // each.share.total for each in self.forces)
        if len(shares) < 4:
            return None
        return shares[len(shares) // 4], shares[len(shares) // 2], shares[3 * len(shares) // 4]

    @property
    def sentence(self) -> str:
        """What the page says first."""
        beyond = len(self.beyond)
        if len(self.forces) < 2:
            return "Too few forces have a figure to compare them."
        if not beyond:
            return (
                f"No force of {number(len(self.forces))} differs from the rest by more than chance explains."
            )
        said = (
            f"{number(beyond)} of {number(len(self.forces))} forces differ from all forces together by more "
            "than chance explains (1 in 20)."
        )
        if 2 * beyond > len(self.forces):
            said += " Most do, so chance is not the reason: ask what is."
        return said


def compare_forces(figures: NationalFigures) -> Variation:
    """How the forces of the newest month differ."""
    shares = {force: figures.newest.shown(force).share for force in figures.forces}
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
    standings.sort(key=lambda each: (-each.share.total, each.force.name))
    return Variation(standings, [force for force, share in shares.items() if not (share and share.total)])
