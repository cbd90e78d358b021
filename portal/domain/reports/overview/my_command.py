"""My command: how many people have completed all required training, by unit, rank or grade, and role."""

from dataclasses import dataclass

from portal.domain.people.rank_order import rank_key
from portal.domain.reports.parameters import Filters
from portal.domain.reports.statistics import (
    Figures,
    GroupLine,
    Share,
    UnitLine,
    group_lines,
    share_of_group,
    unit_lines,
)
from portal.domain.reports.viewer_scope import ViewerScope
from portal.domain.status.period_counts import CountBy, count_worst
from portal.platform.wording import number, percent_cut, plural


@dataclass(frozen=True, slots=True)
class Command:
    """The figures of a unit, or of all units of a manager, over all directives together."""

    name: str
    share: Share
    units: list[UnitLine]  # empty if there is only one

    @property
    def words(self) -> str:
        """The percentage with its definition, as a sentence."""
        share = self.share
        if not share.total:
            return "Nobody is counted: all are exempt or deferred."
        people = plural(share.total, "person", "people")
        return (
            f"{percent_cut(share.done, share.total)} have completed all required training: "
            f"{number(share.done)} of {people}."
        )


def read_command(viewer_scope: ViewerScope, filters: Filters) -> Command | None:
    """Read the figures of the unit of the filters, else of the viewer's units; None without either.

    A person is counted once, by the worst status under any directive that applies to them.
    """
    if not filters.unit and (viewer_scope.everyone or not viewer_scope.tops):
        return None
    position, people = viewer_scope.position, viewer_scope.select_people(filters)
    counts = count_worst([CountBy.UNIT], position.as_at, position.as_known_on, people)
    figures = Figures.from_unit_counts(counts, 0)
    top = viewer_scope.unit_of(filters.unit) if filters.unit else None
    if top is None and len(viewer_scope.tops) == 1:
        top = viewer_scope.tops[0]
    unit = viewer_scope.units.get(top) if top is not None else None
    name = unit.label if unit else "Your units"
    lines = unit_lines(figures.unit_shares, viewer_scope.units, top)
    return Command(name, figures.share, lines if len(lines) > 1 else [])


def read_command_groups(
    viewer_scope: ViewerScope, filters: Filters
) -> tuple[list[GroupLine], list[GroupLine]]:
    """Read the lines by rank or grade and by designated role, of the people whom ``read_command`` counts.

    A person is counted once in each line, by the worst status under any directive that applies there.
    """
    position, people = viewer_scope.position, viewer_scope.select_people(filters)
    by = [CountBy.ROLE, CountBy.RANK]
    counts = count_worst(by, position.as_at, position.as_known_on, people)
    shares = [(role, rank, share_of_group({status: n})) for role, rank, status, n in counts]
    ranks = group_lines((rank, share) for _, rank, share in shares)
    roles = group_lines((role, share) for role, _, share in shares)
    return sorted(ranks, key=lambda line: rank_key(line.name)), roles
