"""Units with their dip samples beside module completion and attendance, all at one position.

Completion and attendance are what the report of each directive counts of the unit's own people, so that this
page and that report agree. Nothing here says that one causes the other.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from portal.domain.dip_samples.queries import SampleRatio
from portal.domain.dip_samples.statistics import Standing, judge_standing
from portal.domain.dip_samples.tables import SampleTable
from portal.domain.people.queries import Viewer
from portal.domain.reports.directive_snapshot import DirectiveSnapshot, read_directives
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.domain.reports.viewer_scope import ViewerScope
from portal.domain.status.period_counts import CountBy, count_periods
from portal.platform.replica import read_as_known_on

KINDS = {"module": "Modules", "event": "Attendance"}


@dataclass(frozen=True, slots=True)
class UnitBeside:
    """One unit: its share of documents, how that stands beside all units, and what its people completed."""

    unit_id: int
    label: str
    ratio: SampleRatio
    standing: Standing
    missing_months: int  # without a sample
    completed: Mapping[str, Share] = field(default_factory=dict)  # by kind of requirement

    @property
    def modules(self) -> Share:
        """Of all modules that its people must complete, counted for each person: those completed."""
        return self.completed.get("module", Share())

    @property
    def attendance(self) -> Share:
        """Of all events that its people must attend, counted for each person: those attended."""
        return self.completed.get("event", Share())


def list_units_beside(viewer: Viewer, table: SampleTable, position: Position) -> list[UnitBeside]:
    """The units of a table that recorded documents, in its order. As many statements for many as for one.

    Args:
        viewer: Whose sight of people counts for completion and attendance.
        table: The shares, as at the same position.
        position: The position.
    """
    completed = _count_completed(viewer, {line.unit_id for line in table.lines}, position)
    whole = table.ratio.reached / table.ratio.total if table.ratio.total else 0.0
    return [
        UnitBeside(
            line.unit_id,
            line.label,
            line.ratio,
            judge_standing(line.ratio.reached, line.ratio.total, whole),
            line.missing_months,
            completed.get(line.unit_id, {}),
        )
        for line in table.lines
    ]


def _count_completed(viewer: Viewer, unit_ids: set[int], position: Position) -> dict[int, dict[str, Share]]:
    """By unit and kind of requirement: how many requirements of people are complete, of those counted."""
    viewer_scope = ViewerScope.of_viewer(viewer, position)
    read_as_known_on(position.as_known_on)
    directives = {directive.id: directive for directive in read_directives(position)}
    if not directives or not unit_ids:
        return {}
    kinds = {found: _kinds_of(directive) for found, directive in directives.items()}
    columns = [CountBy.DIRECTIVE, CountBy.UNIT, CountBy.POSITION, CountBy.STATUS]
    found: dict[int, dict[str, Share]] = defaultdict(dict)
    scope = viewer_scope.scope_of(*sorted(directives))
    scope = replace(scope, whose=replace(scope.whose, within=frozenset(unit_ids)))
    for directive_id, unit_id, place, status, people in count_periods(scope, columns):
        kind = kinds[directive_id].get(place, "")
        if kind in KINDS and not status.excluded:
            share = Share(people * status.held, people)
            found[unit_id][kind] = found[unit_id].get(kind, Share()) + share
    return found


def _kinds_of(directive: DirectiveSnapshot) -> dict[int, str]:
    """The kind of each requirement, by its position."""
    return {requirement.position: requirement.kind for requirement in directive.requirements}
