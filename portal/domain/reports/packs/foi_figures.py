"""Reads the numbers of a report that FOI tables are made of."""

from collections.abc import Iterable

from portal.domain.people.rank_order import rank_key
from portal.domain.reports.packs.foi_tables import Counts, FoiFigures, RequirementCount
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import group_units, name_unit
from portal.domain.status.rules import Status

NOT_RECORDED = "Not recorded"


def read_figures(report: CompletionReport) -> FoiFigures:
    """The numbers of everybody in a report without filters, by the highest units that tell people apart."""
    units = report.viewer_scope.units
    group_of, top = group_units(report.figures.people, units)
    by_unit = _add_up(
        (name_unit(group_of[unit_id], top, units), status, people)
        for unit_id, counts in report.figures.people.items()
        for status, people in counts.items()
    )
    by_rank = _add_up((rank, status, people) for _, rank, status, people in report.posts)
    by_role = _add_up((role.capitalize(), status, people) for role, _, status, people in report.posts)
    return FoiFigures(
        statuses=report.figures.by_status,
        units={name: by_unit[name] for name in sorted(by_unit)},
        ranks={name: by_rank[name] for name in sorted(by_rank, key=rank_key)},
        roles={name: by_role[name] for name in sorted(by_role)},
        requirements=_count_requirements(report),
    )


def _add_up(counted: Iterable[tuple[str, Status, int]]) -> dict[str, Counts]:
    groups: dict[str, Counts] = {}
    for name, status, people in counted:
        counts = groups.setdefault(name or NOT_RECORDED, {})
        counts[status] = counts.get(status, 0) + people
    return groups


def _count_requirements(report: CompletionReport) -> tuple[RequirementCount, ...]:
    """How many completed each requirement; nothing if not everybody has the same ones."""
    figures, requirements = report.figures, report.directive.requirements
    if figures.rows_of_each != len(requirements):
        return ()
    return tuple(
        RequirementCount(
            requirement.kind,
            requirement.key,
            requirement.title,
            sum(n for status, n in figures.requirements[requirement.position].items() if status.held),
        )
        for requirement in requirements
    )
