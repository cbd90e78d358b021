"""Where every directive stands today, as far as one viewer may see it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from portal.domain.people.queries import Viewer
from portal.domain.reports import sentences
from portal.domain.reports.as_of import Position
from portal.domain.reports.charts import LineChart
from portal.domain.reports.completion import export_notices
from portal.domain.reports.directive_snapshot import Subject, references, subject
from portal.domain.reports.filters import EVERYONE, Filters, listed, unit_name
from portal.domain.reports.known_values import refuse_unknown
from portal.domain.reports.linkable_people import openable
from portal.domain.reports.overview.my_command import Command, command
from portal.domain.reports.overview.my_command_posts import by_post
from portal.domain.reports.queries import CompletionReport, PersonLine
from portal.domain.reports.statistics import Figures, GroupLine, Outlook, UnitLine, minutes_to_learn
from portal.domain.reports.trend.trend import month_ends, over_time
from portal.domain.reports.viewer_scope import Reach
from portal.domain.status.rules import Status
from portal.platform.errors import NotFoundError
from portal.platform.wording import date as say_date
from portal.platform.wording import plural

COMMAND = "*"  # in the address: the groups of the command, where a directive's reference asks for its own
WEEK = timedelta(days=7)
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Groups:
    """People by rank or grade and by role: read for one card or for the command, as the address asks."""

    ranks: list[GroupLine]
    roles: list[GroupLine]


@dataclass(frozen=True)
class Card:
    """One directive in short."""

    subject: Subject
    figures: Figures
    outlook: Outlook
    line: LineChart
    units: list[UnitLine]
    change: str
    minutes: int  # still to learn, over all people and modules
    groups: Groups | None

    @property
    def due(self) -> str:
        """The due rule in words."""
        return sentences.due(self.subject)

    @property
    def excluded(self) -> str:
        """Who is not counted, in a sentence."""
        return sentences.excluded(self.figures)

    @property
    def waits(self) -> str:
        """That a job will make the workbook, where it is so."""
        return export_notices.waits(self.figures, (export_notices.LONG,))

    @property
    def overdue(self) -> int:
        """People overdue, with those whose completion lapsed."""
        return self.figures.count(Status.OVERDUE, Status.EXPIRED)


@dataclass(frozen=True)
class Needed:
    """Someone who has been overdue longest."""

    subject: Subject
    line: PersonLine
    opens: bool  # the viewer may open the person's page
    as_at: date

    @property
    def days(self) -> int:
        """Days since the last day in time."""
        return (self.as_at - self.line.overdue_since).days

    @property
    def still_to_do(self) -> str:
        """How many of the requirements are missing."""
        missing = sum(not status.held for status in self.line.requirements.values())
        asked = len(self.line.requirements)
        modules = all(one.kind == "module" for one in self.subject.asked)
        return f"{missing} of {plural(asked, 'module' if modules else 'requirement')}"


@dataclass(frozen=True)
class Overview:
    """All cards, and the people who need the viewer first."""

    position: Position
    cards: list[Card]
    needed: list[Needed]
    overdue: int  # people, each counted once
    whose: str  # "in Local Policing", "among your direct reports" or nothing
    filters: Filters  # a unit, or nothing
    command: Command | None  # of a manager of units, or of the unit asked for
    command_groups: Groups | None

    @property
    def h1(self) -> str:
        """Who is missing."""
        if self.filters and not self.cards:
            return "Nobody is listed"
        before = self.position.as_at != self.position.today
        on, where = sentences.on_day(self.position), f" {self.whose}" if self.whose else ""
        if not self.overdue:
            return f"{on}{'nobody' if on else 'Nobody'}{where} {'was' if before else 'is'} overdue"
        one, many = ("was", "were") if before else ("is", "are")
        people = plural(self.overdue, "person", "people")
        return f"{on}{people}{where} {one if self.overdue == 1 else many} overdue"

    @property
    def lead(self) -> str:
        """How many directives, and both times."""
        count = len(self.cards)
        verb = "applied" if self.position.past else "applies" if count == 1 else "apply"
        apply = f"{plural(count, 'directive')} {verb}"
        return f"{apply} to people you can see. {sentences.times(self.position)}."

    @property
    def week_ago(self) -> str:
        """The day the change is counted from."""
        return say_date(self.position.as_at - WEEK)

    @property
    def unit(self) -> str:
        """The name of the unit asked for; empty where none is."""
        return unit_name(self.filters.unit) if self.filters else ""

    def address(self, path: str, **more: str) -> str:
        """The address of a page about the same people and position, narrowed by ``more``."""
        pairs = {**self.position.address, **self.filters.address, **more}
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def address_today(self, path: str) -> str:
        """The same people, today as known now."""
        return f"{path}?{urlencode(self.filters.address)}" if self.filters else path

    def unit_rows(self, lines: Iterable[UnitLine], path: str) -> list[dict[str, object]]:
        """The lines of a table of units, each with the address of the page ``path`` about it."""
        return [
            {
                "name": line.name,
                "href": self.address(path, unit=line.path)
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
        """The lines of a table of ranks or roles, each with the address of the report ``path`` about it."""
        return [
            {
                "name": f"{line.name[:1].upper()}{line.name[1:]}",
                "href": self.address(path, **{field: listed([line.name])}) if path and line.name else None,
                "done": line.done,
                "total": line.total,
            }
            for line in lines
        ]

    def line_rows(self, card: Card, path: str) -> list[dict[str, object]]:
        """The numbers of a card's line, the newest first, each with the address of that day's report."""
        return [
            {
                "day": point.day,
                "share": point.share,
                "href": self.address(path, as_at=point.day.isoformat())
                if point.day != self.position.as_at
                else self.address(path),
            }
            for point in reversed(card.line.points)
        ]

    @property
    def several(self) -> bool:
        """Whether a row must say which directive it is about."""
        return len(self.cards) > 1


def overview(viewer: Viewer, position: Position, asked: Filters = EVERYONE, opened: str = "") -> Overview:
    """Every directive that reaches somebody the viewer may see; a fixed number of reads for each.

    Args:
        viewer: Who looks: nobody is counted whom they may not see, whatever is asked for.
        position: Directives that were not known then are left out.
        asked: Only its unit counts, with all below it.
        opened: Whose groups are read too: a directive's reference, or ``COMMAND``.

    Raises:
        UnknownValueError: The viewer cannot know of the unit.
    """
    filters, reach = Filters(unit=asked.unit), Reach.of(viewer, position)
    refuse_unknown(filters, reach)
    reports = [
        CompletionReport(viewer, about, position, reach, filters) for about in _known_subjects(position)
    ]
    reports = [report for report in reports if report.group.assigned]
    late = [(report, line) for report in reports for line in report.most_overdue(SHOWN)]
    late.sort(key=lambda pair: (pair[1].overdue_since, pair[1].holder.surname, pair[1].holder.staff_number))
    late = late[:SHOWN]
    opens = openable(viewer, [line.holder.person_id for _, line in late])
    needed = [
        Needed(report.subject, line, line.holder.person_id in opens, position.as_at) for report, line in late
    ]
    if len(reports) == 1:  # nobody counts twice, and nobody's id is needed
        overdue = reports[0].group.count(Status.OVERDUE, Status.EXPIRED)
    else:
        overdue = len(set().union(*(report.overdue_people() for report in reports)))
    own = command(reach, filters) if reports else None
    return Overview(
        position,
        [_card(report, opened) for report in reports],
        needed,
        overdue,
        _whose(reach, filters),
        filters,
        own,
        Groups(*by_post(reach, filters)) if own and opened == COMMAND else None,
    )


def openable_groups() -> list[str]:
    """Whose groups an address may open: every directive's, and the command's."""
    return [*references(), COMMAND]


def _known_subjects(position: Position) -> Iterator[Subject]:
    for reference in references():
        with suppress(NotFoundError):
            yield subject(reference, position)


def _card(report: CompletionReport, opened: str) -> Card:
    today = report.position.as_at
    months = month_ends(today)
    points = over_time(report, sorted({*months, today - WEEK}), report.filters.group)
    shares = {point.day: point.share for point in points}
    return Card(
        report.subject,
        report.group,
        report.outlook,
        LineChart([point for point in points if point.day in months]),
        report.units,
        sentences.change(shares[today - WEEK], shares[today]),
        minutes_to_learn(report.group, report.subject),
        Groups(report.ranks, report.roles) if opened == report.subject.reference else None,
    )


def _whose(reach: Reach, filters: Filters) -> str:
    if filters.unit:
        name = unit_name(filters.unit)
        return f"in {name}" if reach.sees_all_of(filters.unit) else f"you can see in {name}"
    if reach.everyone:
        return ""
    if reach.names:
        return f"in {' and '.join(reach.names)}" if len(reach.names) < 3 else "in your units"
    return "among your direct reports"
