"""The overview: figures of every directive, as far as one viewer may see them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from portal.domain.people.queries import Viewer
from portal.domain.reports import sentences
from portal.domain.reports.charts import LineChart
from portal.domain.reports.completion import export_files
from portal.domain.reports.directive_snapshot import DirectiveSnapshot, list_references, read_directive
from portal.domain.reports.known_values import refuse_unknown
from portal.domain.reports.overview.my_command import Command, read_command, read_command_groups
from portal.domain.reports.parameters import EVERYONE, Filters, Position, join_values, unit_name
from portal.domain.reports.queries import CompletionReport, PersonLine
from portal.domain.reports.statistics import Figures, GroupLine, Outlook, UnitLine, minutes_to_learn
from portal.domain.reports.trend.trend import month_ends, read_trend
from portal.domain.reports.viewer_scope import ViewerScope, linkable_people
from portal.domain.status.rules import Status
from portal.platform.errors import NotFoundError
from portal.platform.replica import read_as_known_on
from portal.platform.wording import date as say_date
from portal.platform.wording import plural

COMMAND = "*"  # opens the groups of the command in an address, as a reference opens those of its directive
WEEK = timedelta(days=7)
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Groups:
    """People by rank or grade and by role: read only for the card, or the command, that the address opens."""

    ranks: list[GroupLine]
    roles: list[GroupLine]


@dataclass(frozen=True)
class Card:
    """One directive in brief."""

    directive: DirectiveSnapshot
    figures: Figures
    outlook: Outlook
    line: LineChart
    units: list[UnitLine]
    change: str
    minutes: int  # still to learn, of all people and modules
    groups: Groups | None

    @property
    def due(self) -> str:
        """The due rule in words."""
        return sentences.due_rule(self.directive)

    @property
    def excluded(self) -> str:
        """How many people are not counted, as a sentence."""
        return sentences.exclusions_sentence(self.figures)

    @property
    def job_notice(self) -> str:
        """The notice that a job will make the workbook; empty if it is made at once."""
        return export_files.job_notice(self.figures, (export_files.LONG,))

    @property
    def overdue(self) -> int:
        """People who are overdue or whose record expired."""
        return self.figures.count_people(Status.OVERDUE, Status.EXPIRED)


@dataclass(frozen=True)
class OverduePerson:
    """One of the people who have been overdue longest."""

    directive: DirectiveSnapshot
    line: PersonLine
    is_linked: bool  # the viewer may open the person's page
    as_at: date

    @property
    def days(self) -> int:
        """Days since the last day in time."""
        return (self.as_at - self.line.overdue_since).days

    @property
    def still_to_do(self) -> str:
        """How many of the requirements are still to complete."""
        missing = sum(not status.held for status in self.line.requirement_statuses.values())
        total = len(self.line.requirement_statuses)
        return f"{missing} of {plural(total, self.directive.requirement_noun)}"


@dataclass(frozen=True)
class Overview:
    """A card for each directive, and the people who have been overdue longest."""

    position: Position
    cards: list[Card]
    most_overdue: list[OverduePerson]
    overdue: int  # people, each counted once, whatever the number of directives
    place: str  # "in Local Policing", "among your direct reports", or empty
    filters: Filters  # by unit alone
    command: Command | None  # of a manager of units, or of the unit filtered by
    command_groups: Groups | None

    @property
    def h1(self) -> str:
        """The heading: how many people are overdue."""
        if self.filters and not self.cards:
            return "Nobody is listed"
        prefix, place = sentences.day_prefix(self.position), f" {self.place}" if self.place else ""
        singular, several = ("was", "were") if prefix else ("is", "are")
        if not self.overdue:
            return f"{prefix}{'nobody' if prefix else 'Nobody'}{place} {singular} overdue"
        people = plural(self.overdue, "person", "people")
        return f"{prefix}{people}{place} {singular if self.overdue == 1 else several} overdue"

    @property
    def lead(self) -> str:
        """How many directives, and both times."""
        count = len(self.cards)
        verb = "applied" if self.position.past else "applies" if count == 1 else "apply"
        directives = plural(count, "directive")
        return f"{directives} {verb} to people you can see. {sentences.both_times(self.position)}."

    @property
    def week_ago(self) -> str:
        """The day that the change is counted from, in words."""
        return say_date(self.position.as_at - WEEK)

    @property
    def unit(self) -> str:
        """The name of the unit filtered by; empty without one."""
        return unit_name(self.filters.unit) if self.filters else ""

    def address_of(self, path: str, **more: str) -> str:
        """The address of another page with the same unit and position, and with further filters."""
        pairs = {**self.position.address, **self.filters.address, **more}
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def address_today(self, path: str) -> str:
        """The address of a page with the same unit, for today as known now."""
        return f"{path}?{urlencode(self.filters.address)}" if self.filters else path

    def unit_rows(self, lines: Iterable[UnitLine], path: str) -> list[dict[str, object]]:
        """The lines of a table of units, each with the address of the page ``path`` narrowed to it."""
        return [
            {
                "name": line.name,
                "href": self.address_of(path, unit=line.path)
                if line.path and line.path != self.filters.unit
                else None,
                "done": line.done,
                "total": line.total,
            }
            for line in lines
        ]

    def group_rows(
        self, lines: Iterable[GroupLine], field: str = "", path: str = ""
    ) -> list[dict[str, object]]:
        """The lines of a table of ranks or roles, each with the address of the report narrowed to it."""
        return [
            {
                "name": f"{line.name[:1].upper()}{line.name[1:]}",
                "href": self.address_of(path, **{field: join_values([line.name])})
                if path and line.name
                else None,
                "done": line.done,
                "total": line.total,
            }
            for line in lines
        ]

    def line_rows(self, card: Card, path: str) -> list[dict[str, object]]:
        """The points of a card's line chart, the newest first, each with the address of that day's report."""
        return [
            {
                "day": point.day,
                "share": point.share,
                "href": self.address_of(path, as_at=point.day.isoformat())
                if point.day != self.position.as_at
                else self.address_of(path),
            }
            for point in reversed(card.line.points)
        ]

    @property
    def has_several_directives(self) -> bool:
        """Whether the table of people needs a column for the directive."""
        return len(self.cards) > 1


def read_overview(
    viewer: Viewer, position: Position, filters: Filters = EVERYONE, opened: str = ""
) -> Overview:
    """Read every directive that applies to somebody the viewer may see; a fixed number of queries for each.

    Args:
        viewer: Only people whom they may see are counted.
        position: Directives that were not known then are left out.
        filters: Only the unit is used, with all units below it.
        opened: Which groups are read too: a directive's reference, or ``COMMAND``.

    Raises:
        UnknownValueError: The viewer cannot know the unit.
    """
    filters, viewer_scope = Filters(unit=filters.unit), ViewerScope.of_viewer(viewer, position)
    refuse_unknown(filters, viewer_scope)
    read_as_known_on(position.as_known_on)
    reports = [
        CompletionReport(viewer, directive, position, viewer_scope, filters)
        for directive in _known_directives(position)
    ]
    reports = [report for report in reports if report.group.assigned]
    own_command = read_command(viewer_scope, filters) if reports else None
    return Overview(
        position,
        [_read_card(report, opened) for report in reports],
        _read_most_overdue(viewer, position, reports),
        _count_overdue_people(reports),
        _place_words(viewer_scope, filters),
        filters,
        own_command,
        Groups(*read_command_groups(viewer_scope, filters)) if own_command and opened == COMMAND else None,
    )


def _read_most_overdue(
    viewer: Viewer, position: Position, reports: Sequence[CompletionReport]
) -> list[OverduePerson]:
    """The people who have been overdue longest, over all directives."""
    overdue_lines = [(report, line) for report in reports for line in report.most_overdue(SHOWN)]
    overdue_lines.sort(key=_longest_overdue_first)
    overdue_lines = overdue_lines[:SHOWN]
    linkable = linkable_people(viewer, [line.holder.person_id for _, line in overdue_lines])
    return [
        OverduePerson(report.directive, line, line.holder.person_id in linkable, position.as_at)
        for report, line in overdue_lines
    ]


def _count_overdue_people(reports: Sequence[CompletionReport]) -> int:
    """How many people are overdue under at least one directive."""
    if len(reports) == 1:  # nobody can be counted twice, so no ids are read
        return reports[0].group.count_people(Status.OVERDUE, Status.EXPIRED)
    return len(set().union(*(report.overdue_people() for report in reports)))


def _longest_overdue_first(pair: tuple[CompletionReport, PersonLine]) -> tuple[date, str, str]:
    line = pair[1]
    return line.overdue_since, line.holder.surname, line.holder.staff_number


def list_groups() -> list[str]:
    """The groups that an address may open: those of each directive, and of the command."""
    return [*list_references(), COMMAND]


def _known_directives(position: Position) -> Iterator[DirectiveSnapshot]:
    for reference in list_references():
        with suppress(NotFoundError):
            yield read_directive(reference, position)


def _read_card(report: CompletionReport, opened: str) -> Card:
    today = report.position.as_at
    months = month_ends(today)
    points = read_trend(report, sorted({*months, today - WEEK}), report.filters.group)
    shares = {point.day: point.share for point in points}
    return Card(
        report.directive,
        report.group,
        report.outlook,
        LineChart([point for point in points if point.day in months]),
        report.units,
        sentences.weekly_change(shares[today - WEEK], shares[today]),
        minutes_to_learn(report.group, report.directive),
        Groups(report.ranks, report.roles) if opened == report.directive.reference else None,
    )


def _place_words(viewer_scope: ViewerScope, filters: Filters) -> str:
    if filters.unit:
        name = unit_name(filters.unit)
        return f"in {name}" if viewer_scope.sees_all_of(filters.unit) else f"you can see in {name}"
    if viewer_scope.everyone:
        return ""
    if viewer_scope.names:
        return f"in {' and '.join(viewer_scope.names)}" if len(viewer_scope.names) < 3 else "in your units"
    return "among your direct reports"
