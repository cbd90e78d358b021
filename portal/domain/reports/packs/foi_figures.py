"""Reads the numbers of a report that FOI tables are made of, and makes them."""

from config import current_settings
from portal.domain.people.rank_order import sort_ranks
from portal.domain.reports.packs.foi_tables import (
    FoiFigures,
    FoiTables,
    PostGroup,
    RequirementTotal,
    StatusCounts,
    make_tables,
)
from portal.domain.reports.packs.rounding import Rounding
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import group_units, name_unit

NOT_RECORDED = "Not recorded"


def make_report_tables(report: CompletionReport, small: int) -> FoiTables:
    """The FOI tables of a report without filters, on at least twice the small number of people."""
    rounding = Rounding.of_subject(small, current_settings().secret_key, report.directive.reference)
    return make_tables(read_figures(report), rounding)


def read_figures(report: CompletionReport) -> FoiFigures:
    """The numbers of everybody in a report without filters, by the highest units that tell people apart."""
    units = report.viewer_scope.units
    group_of, top = group_units(report.figures.people, units)
    groups: dict[PostGroup, StatusCounts] = {}
    for unit_id, role, rank, status, people in report.count_groups():
        unit = name_unit(group_of[unit_id], top, units)
        counts = groups.setdefault(
            PostGroup(unit, rank or NOT_RECORDED, role.capitalize() or NOT_RECORDED), {}
        )
        counts[status] = counts.get(status, 0) + people
    ranks = sort_ranks({group.rank for group in groups})
    return FoiFigures(groups, tuple(ranks), _count_requirements(report))


def _count_requirements(report: CompletionReport) -> tuple[RequirementTotal, ...]:
    """How many completed each requirement; nothing if not everybody has the same ones."""
    figures, requirements = report.figures, report.directive.requirements
    if figures.rows_of_each != len(requirements):
        return ()
    return tuple(
        RequirementTotal(
            requirement.kind,
            requirement.key,
            requirement.title,
            sum(n for status, n in figures.requirements[requirement.position].items() if status.held),
        )
        for requirement in requirements
    )
