"""The overview: figures of every directive, as far as one viewer may see them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from portal.domain.people.staff_numbers import rank_key
from portal.domain.people.visibility import Viewer
from portal.domain.reports import export_files, sentences
from portal.domain.reports.charts import LineChart, month_ends, read_trends
from portal.domain.reports.parameters import EVERYONE, Filters, Position, join_values
from portal.domain.reports.queries import (
    CompletionReport,
    PersonLine,
    ViewerScope,
    accept_filters,
    linkable_people,
    read_person_lines,
)
from portal.domain.reports.statistics import (
    DirectiveSnapshot,
    Figures,
    GroupLine,
    Outlook,
    Share,
    UnitLine,
    group_lines,
    list_references,
    minutes_to_learn,
    read_directives,
    share_of_group,
    unit_lines,
)
from portal.domain.status import paging
from portal.domain.status.counts import CountBy, Scope, count_days_left, count_requirements, count_worst
from portal.domain.status.queries import count_late_people
from portal.domain.status.rules import Status
from portal.platform.replica import read_as_known_on
from portal.platform.wording import date as say_date
from portal.platform.wording import number, percent_cut, plural

# Each directive in a few numbers, as far as one viewer may see its people: for desks.


@dataclass(frozen=True, slots=True)
class DirectiveLine:
    """One directive that applies to somebody the viewer may see."""

    directive: DirectiveSnapshot
    figures: Figures
    soon: int  # people due in 30 days

    @property
    def share(self) -> Share:
        """How many of the counted people are complete."""
        return self.figures.share

    @property
    def overdue(self) -> int:
        """People who are overdue or whose record expired."""
        return self.figures.count_people(Status.OVERDUE, Status.EXPIRED)

    @property
    def due(self) -> str:
        """The due rule in words."""
        return sentences.due_rule(self.directive)


def read_directive_lines(viewer: Viewer, position: Position) -> list[DirectiveLine]:
    """Read each directive that applies to somebody, most overdue people first.

    As many statements for many directives as for one.
    """
    viewer_scope = ViewerScope.of_viewer(viewer, position)
    read_as_known_on(position.as_known_on)
    known = {directive.id: directive for directive in read_directives(position)}
    scope = viewer_scope.scope_of(*known)
    counts = count_requirements(scope)
    figures = {key: group for key, group in Figures.by_directive(counts).items() if group.assigned}
    outlooks = Outlook.by_directive(count_days_left(scope), known)
    lines = [DirectiveLine(known[key], group, outlooks[key].soon) for key, group in figures.items()]
    return sorted(lines, key=lambda line: (-line.overdue, -line.soon, line.directive.reference))


# My command: how many people have completed all required training, by unit, rank or grade, and role.


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
        total = len(self.line.requirement_statuses)
        return f"{self.line.left} of {plural(total, self.directive.requirement_noun)}"


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
        return self.filters.words_of("unit") if self.filters else ""

    def address_of(self, path: str, **more: str) -> str:
        """The address of another page with the same unit and position, and with further filters."""
        pairs = {**self.position.address, **self.filters.address, **more}
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def status_urls(self, path: str) -> Callable[[Status], str]:
        """A function of a status that gives the address of its people in the report at ``path``."""
        return lambda status: f"{self.address_of(path, status=status.key)}#people"

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
    """Read every directive that applies to people the viewer may see; as many statements for many as for one.

    Args:
        viewer: Only people whom they may see are counted.
        position: Directives that were not known then are left out.
        filters: Only the unit is used, with all units below it.
        opened: Which groups are read too: a directive's reference, or ``COMMAND``.

    Raises:
        UnknownValueError: The viewer cannot know the unit.
    """
    filters, viewer_scope = Filters(unit=filters.unit), ViewerScope.of_viewer(viewer, position)
    filters = accept_filters(filters, viewer_scope)
    filters = viewer_scope.label_unit(filters)
    read_as_known_on(position.as_known_on)
    known = {directive.id: directive for directive in read_directives(position)}
    everyone = viewer_scope.scope_of(*known)
    figures = _read_figures(replace(everyone, whose=viewer_scope.select_people(filters)))
    in_units = frozenset[int]().union(*(each.people for each in figures.values()))
    people = replace(viewer_scope.select_people(filters), unit_hint=in_units)
    scope = replace(everyone, directive_ids=tuple(key for key in known if key in figures), whose=people)
    reports = [
        CompletionReport(viewer, known[key], position, viewer_scope, filters) for key in scope.directive_ids
    ]
    cards = _read_cards(scope, figures, reports, opened) if reports else []
    own_command = read_command(viewer_scope, filters) if cards else None
    return Overview(
        position,
        cards,
        _read_most_overdue(viewer, viewer_scope, scope, cards),
        # nobody can be counted twice under one directive, so no more is read
        cards[0].overdue if len(cards) == 1 else count_late_people(scope) if cards else 0,
        _place_words(viewer_scope, filters),
        filters,
        own_command,
        Groups(*read_command_groups(viewer_scope, filters)) if own_command and opened == COMMAND else None,
    )


def _read_most_overdue(
    viewer: Viewer, viewer_scope: ViewerScope, scope: Scope, cards: Sequence[Card]
) -> list[OverduePerson]:
    """The people who have been overdue longest, over all directives."""
    directives = {card.directive.id: card.directive for card in cards}
    if not any(card.overdue for card in cards):
        return []
    visible = replace(scope, whose=viewer_scope.select_people())
    lines = read_person_lines(visible, viewer_scope.units, paging.list_longest_late(scope, SHOWN))
    lines.sort(
        key=lambda line: (
            line.overdue_since,
            -line.left,
            line.holder.surname,
            line.holder.staff_number,
            directives[line.directive_id].reference,
        )
    )
    lines = lines[:SHOWN]
    linkable = linkable_people(viewer, [line.holder.person_id for line in lines])
    return [
        OverduePerson(directives[line.directive_id], line, line.holder.person_id in linkable, scope.as_at)
        for line in lines
    ]


def list_groups() -> list[str]:
    """The groups that an address may open: those of each directive, and of the command."""
    return [*list_references(), COMMAND]


def _read_figures(scope: Scope) -> dict[int, Figures]:
    """The figures of each directive that applies to somebody."""
    counts = count_requirements(scope)
    return {key: figures for key, figures in Figures.by_directive(counts).items() if figures.assigned}


def _read_cards(
    scope: Scope, figures: dict[int, Figures], reports: Sequence[CompletionReport], opened: str
) -> list[Card]:
    """A card for each report: as many statements for many as for one."""
    viewer_scope, filters = reports[0].viewer_scope, reports[0].filters
    outlooks = Outlook.by_directive(count_days_left(scope), scope.directive_ids)
    months, week_ago = month_ends(scope.as_at), scope.as_at - WEEK
    trends = read_trends(viewer_scope, scope, sorted({*months, week_ago}), filters)
    top = viewer_scope.unit_of(filters.unit) if filters.unit else None
    cards = []
    for report in reports:
        directive = report.directive
        group, points = figures[directive.id], trends[directive.id]
        shares = {point.day: point.share for point in points}
        card = Card(
            directive,
            group,
            outlooks[directive.id],
            LineChart([point for point in points if point.day in months]),
            unit_lines(group.unit_shares, viewer_scope.units, top),
            sentences.weekly_change(shares[week_ago], shares[scope.as_at]),
            minutes_to_learn(group, directive),
            Groups(report.ranks, report.roles) if opened == directive.reference else None,
        )
        cards.append(card)
    return cards


def _place_words(viewer_scope: ViewerScope, filters: Filters) -> str:
    if filters.unit:
        name = filters.words_of("unit")
        return f"in {name}" if viewer_scope.sees_all_of(filters.unit) else f"you can see in {name}"
    if viewer_scope.everyone:
        return ""
    if viewer_scope.names:
        return f"in {' and '.join(viewer_scope.names)}" if len(viewer_scope.names) < 3 else "in your units"
    return "among your direct reports"
