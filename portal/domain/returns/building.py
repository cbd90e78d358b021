"""Builds a return from the report on a directive: the same counts that the report shows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from portal.domain.directives.descriptions import describe_audience
from portal.domain.directives.queries import get_directive
from portal.domain.people.queries import COMMAND_LINE
from portal.domain.people.rank_order import rank_key
from portal.domain.reports.packs.foi_figures import NOT_RECORDED, make_report_tables
from portal.domain.reports.packs.foi_tables import FoiTables, PackTable
from portal.domain.reports.packs.kinds import TOO_FEW
from portal.domain.reports.parameters import Position
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.domain.returns.content import (
    FORCE,
    RANK,
    ROLE,
    WHOLE_DIRECTIVE,
    ReturnContent,
    ReturnCount,
    last_day_of,
)
from portal.domain.returns.schema import LONGEST_LINE, LONGEST_TEXT
from portal.domain.status import counting
from portal.domain.status.period_counts import CountBy
from portal.domain.status.rules import WHOLE, Status
from portal.platform import wording as say
from portal.platform.clock import format_utc
from portal.platform.errors import BadInputError, RuleError

NO_PERIOD = "Enter a month such as 2026-04."
GroupKey = tuple[int, str, str]  # position of the requirement, grouping, group


def read_period(text: str, today: date) -> str:
    """Read the month that a text names.

    Raises:
        BadInputError: The text is no month, or the month has not ended.
    """
    try:
        last_day = last_day_of(text.strip())
    except ValueError as error:
        raise BadInputError([NO_PERIOD]) from error
    if last_day.year < 2000 or last_day.isoformat()[:7] != text.strip():
        raise BadInputError([NO_PERIOD])
    if last_day >= today:
        raise BadInputError([f"{text.strip()} has not ended. A return is made of a month that has."])
    return text.strip()


def build_return(
    reference: str,
    period: str,
    *,
    force: str,
    force_name: str,
    known_on: datetime,
    today: date,
    round_to: int | None = None,
) -> ReturnContent:
    """Build the first return of a month: the counts of a directive at its end, as known on an instant.

    With ``round_to`` every number is rounded to a multiple of it; None: none is. ``force`` is the short name.

    Raises:
        NotFoundError: There is no such directive.
        RuleError: It applied to nobody, or to so few that rounded numbers would say nothing.
    """
    report = _open_report(reference, Position(last_day_of(period), known_on, today, latest=False))
    directive = report.directive
    counts = _count_rounded(report, round_to) if round_to else _count_all_numbers(report)
    return ReturnContent(
        force=force,
        force_name=force_name[:LONGEST_LINE],
        period=period,
        number=1,
        reason="",
        as_at=report.position.as_at.isoformat(),
        as_known_on=format_utc(known_on),
        directive=reference,
        title=directive.title[:LONGEST_TEXT],
        version=directive.version_number,
        threshold=str(directive.target),
        population=_describe_population(reference, directive.version_number),
        small_number=round_to,
        requirements=tuple((f"{row.kind}:{row.key}", row.title) for row in directive.requirements),
        counts=tuple(counts),
    )


def _open_report(reference: str, position: Position) -> CompletionReport:
    report = completion_report(COMMAND_LINE, reference, position)
    if not report.figures.assigned:
        raise RuleError(f"{reference} applied to nobody on {say.date(position.as_at)}.")
    return report


def _describe_population(reference: str, number: int) -> str:
    versions = get_directive(reference).versions
    version = next(version for version in versions if version.number == number)
    return describe_audience(version.file)[:LONGEST_TEXT]


def _count_all_numbers(report: CompletionReport) -> list[ReturnCount]:
    """Every number, of each requirement by role and by rank; one statement."""
    columns = [CountBy.POSITION, CountBy.ROLE, CountBy.RANK, CountBy.STATUS]
    groups: dict[GroupKey, dict[Status, int]] = defaultdict(lambda: defaultdict(int))
    everyone = report.viewer_scope.scope_of(report.directive.id)
    for position, role, rank, status, people in counting.count_by(everyone, columns):
        for key in (
            (position, FORCE, ""),
            (position, ROLE, role or NOT_RECORDED),
            (position, RANK, rank or NOT_RECORDED),
        ):
            groups[key][status] += people
    keys = {WHOLE: WHOLE_DIRECTIVE} | {
        row.position: f"{row.kind}:{row.key}" for row in report.directive.requirements
    }
    return [
        count
        for position, requirement in keys.items()
        for grouping in (FORCE, ROLE, RANK)
        for count in _list_group_counts(groups, (position, grouping), requirement)
    ]


def _list_group_counts(
    groups: dict[GroupKey, dict[Status, int]], part: tuple[int, str], requirement: str
) -> Iterator[ReturnCount]:
    position, grouping = part
    names = sorted(group for *key, group in groups if tuple(key) == part)
    if grouping == RANK:
        names.sort(key=rank_key)
    if grouping == FORCE and not names:
        yield ReturnCount(requirement, FORCE, "", 0, 0, 0)
    for name in names:
        counts = groups[position, grouping, name]
        excluded = sum(people for status, people in counts.items() if status.excluded)
        complete = sum(people for status, people in counts.items() if status.held)
        group = name[:LONGEST_LINE]
        yield ReturnCount(requirement, grouping, group, sum(counts.values()), excluded, complete)


def _count_rounded(report: CompletionReport, small: int) -> list[ReturnCount]:
    if report.figures.assigned < 2 * small:
        raise RuleError(TOO_FEW)
    keys = [f"{row.kind}:{row.key}" for row in report.directive.requirements]
    return list_rounded(make_report_tables(report, small), keys)


def list_rounded(tables: FoiTables, keys: Sequence[str]) -> list[ReturnCount]:
    """What the FOI pack of the same position shows, and nothing else.

    So a return and an FOI pack together tell no more than the pack alone. By role and by rank the whole
    directive is counted, the requirements for the force.

    Args:
        tables: Those of the pack.
        keys: Kind and key of each requirement.
    """
    excluded = tables.people - tables.counted
    whole = ReturnCount(WHOLE_DIRECTIVE, FORCE, "", tables.people, excluded, tables.complete)
    by_group = [
        count
        for key, grouping in (("roles", ROLE), ("ranks", RANK))
        for table in tables.tables
        if table.key == key
        for count in _read_table(table, grouping)
    ]
    shown = _read_requirements(tables)
    requirements = [
        ReturnCount(key, FORCE, "", tables.people, excluded, shown[key])
        if key in shown
        else ReturnCount(key, FORCE, "", None, None, None)
        for key in keys
    ]
    return [whole, *by_group, *requirements]


def _read_table(table: PackTable, grouping: str) -> Iterator[ReturnCount]:
    """The rows of a table of groups, without its last, which is everyone."""
    for row in table.rows[:-1]:
        cells = _name_cells(table, row)
        numbers = (cells["people"], cells["not_counted"], cells["complete"])
        yield ReturnCount(WHOLE_DIRECTIVE, grouping, str(row[0])[:LONGEST_LINE], *numbers)


def _read_requirements(tables: FoiTables) -> dict[str, int]:
    """How many completed each requirement; empty if not everybody has the same ones."""
    requirement_tables: Iterable[PackTable] = (
        table for table in tables.tables if table.key == "requirements"
    )
    return {
        f"{row[0]}:{row[1]}": _name_cells(table, row)["complete"]
        for table in requirement_tables
        for row in table.rows
    }


def _name_cells(table: PackTable, row: Sequence[str | int]) -> dict[str, int]:
    """The numbers of a row by the header of their column."""
    cells = zip((column.header for column in table.columns), row, strict=True)
    return {header: cell for header, cell in cells if isinstance(cell, int)}
