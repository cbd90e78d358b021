"""What the page of a report shows, and the addresses it links to."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from urllib.parse import urlencode

from portal.domain.reports import sentences
from portal.domain.reports.changes.known_now import KnownNow, group_known_now, known_now
from portal.domain.reports.charts import LineChart
from portal.domain.reports.completion import export_notices
from portal.domain.reports.filters import LATE_WORDS, Order, listed
from portal.domain.reports.linkable_people import openable
from portal.domain.reports.queries import CompletionReport, PersonLine
from portal.domain.reports.statistics import Figures, GroupLine, UnitLine, minutes_to_learn
from portal.domain.reports.trend.trend import month_ends, over_time
from portal.pages.layout.paging import Page
from portal.platform.db import newest_stamp
from portal.platform.wording import number, plural

HEADS = (("person", "Person"), ("status", "Overall"))
LAST_HEADS = (("due", "Due"), ("rank", "Rank or grade"), ("role", "Role"), ("unit", "Unit"))


@dataclass(frozen=True)
class ReportPage:
    """A report with its order, its slice and its addresses."""

    report: CompletionReport
    order: Order
    path: str
    number: str  # of the page of the table that is asked for

    @property
    def figures(self) -> Figures:
        """Everybody the viewer may see."""
        return self.report.figures

    @cached_property
    def page(self) -> Page:
        """The slice of the table that the address asks for."""
        kept = {**self._kept, **self.order.address}
        return Page.of(self.report.shown.assigned, self.path, [*kept.items(), ("page", self.number)])

    @cached_property
    def people(self) -> list[PersonLine]:
        """The people of this slice."""
        return self.report.people(self.order, self.page.offset, self.page.size)

    @cached_property
    def openable(self) -> set[int]:
        """Those of them whose own page the viewer may open."""
        return openable(self.report.viewer, [line.holder.person_id for line in self.people])

    @property
    def h1(self) -> str:
        """The answer."""
        return sentences.headline(self.figures, self.report.position)

    @property
    def lead(self) -> str:
        """What is not counted, and both times."""
        return f"{sentences.not_counted(self.figures)}. {sentences.times(self.report.position)}."

    @property
    def banner(self) -> str:
        """What a past position says of itself."""
        return sentences.banner(self.report.position)

    @property
    def today_url(self) -> str:
        """The same list, today."""
        return self._address(self.report.filters.address, self.order.address)

    @property
    def group(self) -> str:
        """Whom bars, line and figures are about, with their share; empty where about everybody."""
        return sentences.of_group(self.report.filters, self.report.group)

    @property
    def group_known_now(self) -> str:
        """The same as is known now of the same day; empty where the filters name nobody in particular."""
        return sentences.of_group(self.report.filters, group_known_now(self.report))

    @property
    def unit_rows(self) -> list[dict[str, object]]:
        """The lines of the unit table, each with the address that looks into it."""
        return [self._bar(line, "unit", line.path) for line in self.report.units]

    @property
    def rank_rows(self) -> list[dict[str, object]]:
        """The lines by rank or grade, each with the address that narrows to it."""
        return [self._bar(line, "rank", listed([line.name])) for line in self.report.ranks]

    @property
    def role_rows(self) -> list[dict[str, object]]:
        """The lines by designated role, each with the address that narrows to it."""
        return [self._bar(line, "role", line.name) for line in self.report.roles]

    @property
    def key_figures(self) -> list[tuple[str, str, str | None]]:
        """What is late and what comes: label, words, and the address of the people behind it."""
        outlook = self.report.outlook
        found = [(f"Overdue {LATE_WORDS[key].lower()}", n, {"late": key}) for key, n in outlook.late.items()]
        soon = "Due in the 30 days after" if self.report.position.past else "Due in the next 30 days"
        found.append((soon, outlook.soon, {"due": "30"}))
        group = self.report.filters.group.address
        listed: list[tuple[str, str, str | None]] = [
            (words, plural(n, "person", "people"), self._people_at({**group, **asked}) if n else None)
            for words, n, asked in found
        ]
        minutes = minutes_to_learn(self.report.group, self.report.subject)
        known = "Known for today only" if self.report.position.past else number(minutes)
        return [*listed, ("Minutes still to learn", known, None)]

    @cached_property
    def line(self) -> LineChart:
        """The percentage at the end of each of the last months, with this report's knowledge."""
        return LineChart(
            over_time(self.report, month_ends(self.report.position.as_at), self.report.filters.group)
        )

    @property
    def line_rows(self) -> list[dict[str, object]]:
        """The same numbers, the newest first, each with the address of that day's report."""
        known = {k: v for k, v in self.report.position.address.items() if k != "as_at"}
        shown = self.report.position.as_at
        return [
            {
                "day": point.day,
                "share": point.share,
                "href": None
                if point.day == shown
                else self._address({"as_at": point.day.isoformat(), **known}, self.kept_by_position_form),
            }
            for point in reversed(self.line.points)
        ]

    @property
    def heads(self) -> list[tuple[str, str, str | None]]:
        """Sortable heads before the requirements: text, address, direction."""
        return [self._head(*head) for head in HEADS]

    @property
    def last_heads(self) -> list[tuple[str, str, str | None]]:
        """Sortable heads after the requirements."""
        return [self._head(*head) for head in LAST_HEADS]

    @property
    def chips(self) -> list[tuple[str, str]]:
        """The filters in force, each with the address without it."""
        filters = self.report.filters
        return [
            (words, self._without(name)) for name, words in zip(filters.address, filters.said, strict=True)
        ]

    @property
    def summary(self) -> str:
        """How many of how many the table lists."""
        return f"{self.report.shown.assigned:,} of {plural(self.figures.assigned, 'person', 'people')}"

    @property
    def clear_url(self) -> str:
        """The list without filters."""
        return self._address(self.report.position.address, self.order.address)

    @property
    def asked_of_changes(self) -> dict[str, str]:
        """What the page of changes is asked for: this position, and of whom."""
        return {**self.report.position.address, **self.report.filters.group.address}

    @property
    def kept_by_position_form(self) -> dict[str, str]:
        """Fields that the position form sends along."""
        return {**self.report.filters.address, **self.order.address}

    @property
    def kept_by_filter_form(self) -> dict[str, str]:
        """Fields that the filter form sends along."""
        return {**self.report.position.address, **self.order.address}

    @cached_property
    def due_links(self) -> list[tuple[date, str, str]]:
        """Each due date that has come: the day, and its position as known then and as known now."""
        fixed = self.report.subject.due_fixed_on
        days = [fixed] if fixed else self.report.due_dates()
        found = []
        for day in days:
            if day <= self.report.position.today:
                as_at = {"as_at": day.isoformat()}
                then = {**as_at, "as_known_on": day.isoformat()}
                kept = self.kept_by_position_form
                found.append((day, self._address(then, kept), self._address(as_at, kept)))
        return found

    @cached_property
    def known_now(self) -> KnownNow | None:
        """The same day as it is known now; None where that is what is shown."""
        newest = newest_stamp()
        return None if self.report.position.latest or newest is None else known_now(self.report, newest)

    @property
    def known_now_words(self) -> str:
        """The same day as it is known now, in a sentence."""
        return sentences.as_known_now(self.known_now.share) if self.known_now else ""

    @property
    def known_now_url(self) -> str:
        """The same day as it is known now."""
        as_at = self.report.position.as_at.isoformat()
        return self._address({"as_at": as_at}, self.kept_by_position_form)

    def file_url(self, name: str, *, filtered: bool) -> str:
        """The address of a file with exactly the rows that this page shows or sums up."""
        pairs = {**self.report.position.pinned, **(self.report.filters.address if filtered else {})}
        return f"{self.path}/{name}?{urlencode(pairs)}"

    @staticmethod
    def waits(figures: Figures) -> str:
        """Which of the files of these people a job will make, in a sentence; empty where none."""
        return export_notices.waits(figures)

    @property
    def _kept(self) -> dict[str, str]:
        return {**self.report.position.address, **self.report.filters.address}

    def _address(self, *parts: dict[str, str]) -> str:
        pairs = {name: value for part in parts for name, value in part.items()}
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path

    def _head(self, column: str, text: str) -> tuple[str, str, str | None]:
        pressed = self.order.pressed(column)
        return text, self._address(self._kept, pressed.address), self.order.direction(column)

    def _without(self, name: str) -> str:
        kept = self.report.filters.without(name).address
        return self._address(self.report.position.address, kept, self.order.address)

    def _bar(self, line: UnitLine | GroupLine, field: str, value: str | None) -> dict[str, object]:
        """A row of a table with bars; its address narrows the report to exactly those whom it counts."""
        asked = self.report.filters.group.address
        leads = value and asked.get(field) != value
        href = self._address(self.report.position.address, {**asked, field: value or ""}) if leads else None
        name = f"{line.name[:1].upper()}{line.name[1:]}"
        return {"name": name, "href": href, "done": line.done, "total": line.total}

    def _people_at(self, asked: dict[str, str]) -> str:
        return f"{self._address(self.report.position.address, asked)}#people"

    @property
    def definition(self) -> list[str]:
        """How the percentage is worked out, sentence by sentence."""
        return sentences.definition(self.report.subject, self.figures, self.report.exclusions())
