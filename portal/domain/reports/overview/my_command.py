"""My command: how many people have completed everything that is asked of them, and its units."""

from dataclasses import dataclass

from portal.domain.reports.filters import Filters
from portal.domain.reports.statistics import Figures, Share, UnitLine, unit_lines
from portal.domain.reports.viewer_scope import Reach
from portal.domain.status import aggregates
from portal.platform.wording import number, percent_cut, plural


@dataclass(frozen=True, slots=True)
class Command:
    """A unit, or all units of a manager, over every directive at once."""

    name: str
    share: Share
    units: list[UnitLine]  # nothing where there is one alone

    @property
    def words(self) -> str:
        """The figure with its definition."""
        share = self.share
        if not share.total:
            return "Nobody is counted: all are exempt or deferred."
        people = plural(share.total, "person", "people")
        return (
            f"{percent_cut(share.done, share.total)} have completed everything asked of them: "
            f"{number(share.done)} of {people}."
        )


def command(reach: Reach, filters: Filters) -> Command | None:
    """The unit asked for, as far as the viewer may see it, else the units granted; None without either.

    A person counts once, by the worst standing under any directive that reaches them.
    """
    if not filters.unit and (reach.everyone or not reach.tops):
        return None
    counted = aggregates.across(reach.position.as_at, reach.position.as_known_on, reach.whose(filters))
    figures = Figures.of((unit_id, 0, status, people) for unit_id, status, people in counted)
    top = reach.unit_of(filters.unit) if filters.unit else None
    if top is None and len(reach.tops) == 1:
        top = reach.tops[0]
    unit = reach.units.get(top) if top is not None else None
    name = unit.name if unit else "Your units"
    lines = unit_lines(figures, reach.units, top)
    return Command(name, figures.share, lines if len(lines) > 1 else [])
