"""My command by rank or grade and by role, over every directive at once; read only where it is asked for."""

from portal.domain.reports.filters import Filters
from portal.domain.reports.statistics import GroupLine, group_lines
from portal.domain.reports.viewer_scope import Reach
from portal.domain.status import aggregates


def by_post(reach: Reach, filters: Filters) -> tuple[list[GroupLine], list[GroupLine]]:
    """The lines by rank or grade and by designated role, of those whom ``command`` counts.

    A person counts once in each, by the worst standing under any directive that reaches them in it.
    """
    position = reach.position
    found = aggregates.across_posts(position.as_at, position.as_known_on, reach.whose(filters))
    ranks = group_lines((rank, status, people) for _, rank, status, people in found)
    roles = group_lines((role, status, people) for role, _, status, people in found)
    return ranks, roles
