"""Where every directive stands today, as far as one viewer may see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from portal.monitoring import wording
from portal.monitoring.figures import Figures
from portal.monitoring.openable import openable
from portal.monitoring.position import Position
from portal.monitoring.queries import CompletionReport, PersonLine, completion_report, week_before
from portal.monitoring.subject import Subject, references
from portal.people.queries import Viewer
from portal.standing.algebra import Status
from portal.web.filters import date as say_date
from portal.web.filters import plural

NEAR_DAYS = 30
SHOWN = 10


@dataclass(frozen=True)
class Card:
    """One directive in short."""

    subject: Subject
    figures: Figures
    due_soon: int
    change: str
    minutes: int  # still to learn, over all people and modules

    @property
    def due(self) -> str:
        """The due rule in words."""
        return wording.due(self.subject)

    @property
    def excluded(self) -> str:
        """Who is not counted, in a sentence."""
        return wording.excluded(self.figures)

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
    today: date

    @property
    def days(self) -> int:
        """Days since the last day in time."""
        return (self.today - self.line.overdue_since).days

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

    @property
    def h1(self) -> str:
        """Who is missing."""
        where = f" {self.whose}" if self.whose else ""
        if not self.overdue:
            return f"Nobody{where} is overdue"
        people, are = plural(self.overdue, "person", "people"), "is" if self.overdue == 1 else "are"
        return f"{people}{where} {are} overdue"

    @property
    def lead(self) -> str:
        """How many directives, and both times."""
        count = len(self.cards)
        apply = f"{plural(count, 'directive')} {'applies' if count == 1 else 'apply'}"
        return f"{apply} to people you can see. {wording.times(self.position)}."

    @property
    def week_ago(self) -> str:
        """The day the change is counted from."""
        return say_date(self.position.as_at - timedelta(days=7))

    @property
    def several(self) -> bool:
        """Whether a row must say which directive it is about."""
        return len(self.cards) > 1


def overview(viewer: Viewer, position: Position) -> Overview:
    """Every directive that reaches somebody the viewer may see; a fixed number of reads for each."""
    reports = [completion_report(viewer, reference, position) for reference in references()]
    reports = [report for report in reports if report.figures.assigned]
    late = [(report, line) for report in reports for line in report.most_overdue(SHOWN)]
    late.sort(key=lambda pair: (pair[1].overdue_since, pair[1].holder.surname, pair[1].holder.staff_number))
    late = late[:SHOWN]
    opened = openable(viewer, [line.holder.person_id for _, line in late])
    needed = [
        Needed(report.subject, line, line.holder.person_id in opened, position.today) for report, line in late
    ]
    overdue = set().union(*(report.overdue_people() for report in reports))
    return Overview(position, [_card(report) for report in reports], needed, len(overdue), _whose(reports))


def _card(report: CompletionReport) -> Card:
    before = completion_report(report.viewer, report.subject.reference, week_before(report.position))
    soon = report.due_by(report.position.as_at + timedelta(days=NEAR_DAYS))
    figures = report.figures
    return Card(report.subject, figures, soon, wording.change(before.figures, figures), _minutes(report))


def _minutes(report: CompletionReport) -> int:
    """Minutes of the modules that people have still to complete, each module at its full length."""
    minutes = 0
    for asked in report.subject.asked:
        version = report.subject.versions.current.get(asked.activity_id)
        counts = report.figures.requirements.get(asked.position, {})
        missing = sum(n for status, n in counts.items() if not status.held and not status.excluded)
        minutes += missing * (version.minutes if version else 0)
    return minutes


def _whose(reports: Iterable[CompletionReport]) -> str:
    for report in reports:
        reach = report.reach
        if reach.everyone:
            return ""
        if reach.names:
            return f"in {' and '.join(reach.names)}" if len(reach.names) < 3 else "in your units"
        return "among your direct reports"
    return ""
