"""People by directive, requirement and status at many positions, counted in few statements."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime

from portal.domain.reports.parameters import Position
from portal.domain.status import counting
from portal.domain.status.filters import Later, Scope, Whose
from portal.domain.status.rules import Status

StatusGroups = dict[tuple[int, int], dict[Status, int]]  # by directive and position; 0 is the whole


def count_people(
    populations: Iterable[tuple[Whose, Position]], directive_ids: Collection[int]
) -> dict[tuple[Whose, Position], StatusGroups]:
    """The people asked for at each position, as the directives' reports count them.

    One statement for all days of the same people as known on the same instant, where they are not chosen by
    units, and one for the instants.
    """
    groups: dict[tuple[Whose, Position], StatusGroups] = {population: {} for population in populations}
    if not directive_ids:
        return groups
    ids = tuple(sorted(directive_ids))
    positions = {position for _, position in groups}
    later = counting.measure_later(ids, {each.as_known_on for each in positions if not each.latest})
    together: dict[tuple[Whose, datetime, Later], dict[date, list[Position]]] = defaultdict(dict)
    for whose, position in groups:
        more = Later.NOTHING if position.latest else later[position.as_known_on]
        together[whose, position.as_known_on, more].setdefault(position.as_at, []).append(position)
    for (whose, known, more), days in together.items():
        scope = Scope(ids, max(days), known, whose, more)
        for day, directive_id, requirement, status, people in counting.count_statuses_over_days(
            scope, sorted(days)
        ):
            for position in days[day]:
                group = groups[whose, position].setdefault((directive_id, requirement), {})
                group[status] = group.get(status, 0) + people
    return groups
