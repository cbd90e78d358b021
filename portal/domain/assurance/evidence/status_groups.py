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
    asked: Iterable[tuple[Whose, Position]], directive_ids: Collection[int]
) -> dict[tuple[Whose, Position], StatusGroups]:
    """The people asked for at each position, as the directives' reports count them.

    One statement for all days of the same people as known on the same instant, where they are not chosen by
    units, and one for the instants.
    """
    found: dict[tuple[Whose, Position], StatusGroups] = {each: {} for each in asked}
    if not directive_ids:
        return found
    ids = tuple(sorted(directive_ids))
    positions = {position for _, position in found}
    later = counting.measure_later(ids, {each.as_known_on for each in positions if not each.latest})
    together: dict[tuple[Whose, datetime, Later], dict[date, list[Position]]] = defaultdict(dict)
    for whose, position in found:
        much = Later.NOTHING if position.latest else later[position.as_known_on]
        together[whose, position.as_known_on, much].setdefault(position.as_at, []).append(position)
    for (whose, known, much), days in together.items():
        scope = Scope(ids, max(days), known, whose, much)
        for day, directive_id, place, status, people in counting.count_statuses_over_days(
            scope, sorted(days)
        ):
            for position in days[day]:
                group = found[whose, position].setdefault((directive_id, place), {})
                group[status] = group.get(status, 0) + people
    return found
