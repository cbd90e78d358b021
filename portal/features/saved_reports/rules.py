"""What a saved report is made of: its page with filters, and the rule for its day; and who may open it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, urlencode

from portal.domain.people.visibility import Viewer
from portal.domain.reports.parameters import (
    EARLIEST,
    FIELD_WORDS,
    NAMES,
    Filters,
    parse_filters,
    read_position,
    read_position_today,
)
from portal.domain.reports.queries import CompletionReport, ViewerScope, accept_filters, completion_report
from portal.features.saved_reports.models import SavedPage, SavedReport
from portal.platform.clock import london_day
from portal.platform.errors import NotFoundError, UnknownValueError
from portal.platform.months import add_months, month_end_before
from portal.platform.permissions import Permission
from portal.platform.wording import date as date_words
from portal.platform.wording import instant as instant_words

# The rules of a saved report about time: its day, what was known, and when it is mailed. Pure.
#
# Every day is a London day. Nothing here asks the clock.

SATURDAY = 5
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class DayRule(StrEnum):
    """The day whose position a saved report shows."""

    TODAY = "today"
    MONTH_END = "month-end"  # the last day of the month before
    FIXED = "fixed"


class KnownRule(StrEnum):
    """What the position knows."""

    NOW = "now"  # all that is known when it is opened
    THEN = "then"  # what was known at the end of its day


class Span(StrEnum):
    """How far a saved report of changes looks back from its day."""

    WEEK = "week"
    MONTH = "month"  # to the last day of the month before
    FIXED = "fixed"  # to the position that was chosen when it was saved

    def start_before(self, day: date) -> date:
        """The day from which changes up to ``day`` are shown, where it is not fixed."""
        return day - timedelta(days=7) if self is Span.WEEK else month_end_before(day)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The as-of rule of a saved report."""

    day_rule: DayRule = DayRule.TODAY
    known_rule: KnownRule = KnownRule.NOW
    fixed_on: date | None = None

    def day_for(self, opened_on: date) -> date:
        """The day whose position the report shows when it is opened on, or mailed for, ``opened_on``."""
        if self.day_rule is DayRule.FIXED and self.fixed_on is not None:
            return self.fixed_on
        return month_end_before(opened_on) if self.day_rule is DayRule.MONTH_END else opened_on

    def address_for(self, opened_on: date, today: date) -> dict[str, str]:
        """The position as arguments of a report's address; empty for today as known now."""
        day = self.day_for(opened_on)
        if day == today:
            return {}
        known = {"as_known_on": day.isoformat()} if self.known_rule is KnownRule.THEN else {}
        return {"as_at": day.isoformat(), **known}


class Every(StrEnum):
    """How often a report is mailed."""

    WEEK = "week"
    MONTH = "month"  # on the first working day


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The days on which a report is mailed."""

    every: Every
    weekday: int = 0  # of a weekly one: 0 is Monday

    def next_after(self, day: date, holidays: Collection[date]) -> date:
        """The first of its days after ``day``."""
        if self.every is Every.WEEK:
            return day + timedelta(days=(self.weekday - day.weekday() - 1) % 7 + 1)
        first = first_working_day(day, holidays)
        return first if first > day else first_working_day(add_months(day, 1), holidays)

    def latest_between(self, after: date, until: date, holidays: Collection[date]) -> date | None:
        """The last of its days after ``after`` and up to ``until``; None if there is none."""
        if self.every is Every.WEEK:
            latest = until - timedelta(days=(until.weekday() - self.weekday) % 7)
        else:
            latest = first_working_day(until, holidays)
            if latest > until:
                latest = first_working_day(month_end_before(until), holidays)
        return latest if after < latest else None


def first_working_day(day: date, holidays: Collection[date]) -> date:
    """The first day of the month of ``day`` that is neither a weekend nor a holiday.

    >>> first_working_day(date(2027, 1, 31), {date(2027, 1, 1)}).isoformat()
    '2027-01-04'
    """
    first = day.replace(day=1)
    while first.weekday() >= SATURDAY or first in holidays:
        first += timedelta(days=1)
    return first


KEPT = {  # arguments of each page's address that are saved; the position follows from the rule
    SavedPage.DIRECTIVE: (*NAMES, "sort", "columns"),
    SavedPage.OVERVIEW: ("unit",),
    SavedPage.CHANGES: ("unit", "role", "rank", "kind"),
}
START = ("from_as_at", "from_as_known_on")  # of changes since a fixed position: saved among the arguments
NO_RIGHT = "They may not see reports. A role on a unit, from an administrator, would let them."


@dataclass(frozen=True, slots=True)
class Definition:
    """A page with its filters, and the rule for its day."""

    kind: SavedPage
    directive: str = ""  # its reference; empty for the overview
    arguments: Mapping[str, str] = field(default_factory=dict)
    as_of: AsOf = field(default_factory=AsOf)
    span: Span = Span.WEEK  # of changes

    @classmethod
    def of(cls, row: SavedReport) -> "Definition":
        """The definition that a row keeps."""
        as_of = AsOf(DayRule(row.day_rule), KnownRule(row.known_rule), row.fixed_on)
        return cls(
            SavedPage(row.kind),
            row.directive,
            row.arguments,
            as_of,
            Span(row.span) if row.span else Span.WEEK,
        )

    @property
    def filters(self) -> Filters:
        """The filters on people."""
        return parse_filters(self.arguments)

    def path_for(self, opened_on: date, today: date) -> str:
        """The path of the page, with the position for ``opened_on`` and the filters as they were saved.

        A unit that was renamed since is found by the page itself, as in any kept address of a report.
        """
        pairs = self.as_of.address_for(opened_on, today)
        if self.kind is SavedPage.CHANGES:
            pairs = {**self._start_for(self.as_of.day_for(opened_on)), **pairs}
        pairs |= {name: value for name in KEPT[self.kind] if (value := self.arguments.get(name))}
        query = f"?{urlencode(pairs)}" if pairs else ""
        if self.kind is SavedPage.OVERVIEW:
            return f"/monitoring{query}"
        changes = "/changes" if self.kind is SavedPage.CHANGES else ""
        return f"/monitoring/directives/{quote(self.directive, safe='')}{changes}{query}"

    def _start_for(self, day: date) -> dict[str, str]:
        """The earlier position of changes up to ``day``, as arguments of their address."""
        if self.span is Span.FIXED:
            return {name: value for name in START if (value := self.arguments.get(name))}
        return dict.fromkeys(START, max(self.span.start_before(day), EARLIEST).isoformat())

    @property
    def page_words(self) -> str:
        """The page in words."""
        if self.kind is SavedPage.OVERVIEW:
            return "Overview"
        return (
            f"Changes of {self.directive} {self._span_words}"
            if self.kind is SavedPage.CHANGES
            else self.directive
        )

    @property
    def _span_words(self) -> str:
        if self.span is Span.FIXED:
            return f"since {self.start_words}"
        return "over the week before" if self.span is Span.WEEK else "since the end of the month before"

    @property
    def start_words(self) -> str:
        """The fixed position from which changes are shown, in words; empty where there is none."""
        text, known = (self.arguments.get(name, "") for name in START)
        if not text:
            return ""
        day = date_words(date.fromisoformat(text))
        if not known or known == text:
            return f"{day}, as known {'then' if known else 'now'}"
        if len(known) == len(text):
            return f"{day}, as known on {date_words(date.fromisoformat(known))}"
        return f"{day}, as known at {instant_words(datetime.fromisoformat(known))}"

    def time_words_for(self, opened_on: date) -> str:
        """The day that its rule gives for ``opened_on``, and what is known then, in words."""
        return f"As at {date_words(self.as_of.day_for(opened_on))}, as known {self._known_words}"

    @property
    def time_words(self) -> str:
        """The rule for its day in words."""
        as_of = self.as_of
        day = {
            DayRule.TODAY: "As at the day it is opened",
            DayRule.MONTH_END: "As at the last day of the month before",
        }
        words = day.get(as_of.day_rule) or f"As at {date_words(as_of.fixed_on)}"
        return f"{words}, as known {self._known_words}"

    @property
    def _known_words(self) -> str:
        return "then" if self.as_of.known_rule is KnownRule.THEN else "now"


def open_report(definition: Definition, viewer: Viewer, opened_on: date, now: datetime) -> CompletionReport:
    """The report on a directive as this viewer sees it; its figures are read when they are asked for.

    Raises:
        PositionError: The day lies ahead, or before 1900.
        UnknownValueError: A filter has a value that the viewer cannot know.
    """
    pairs = definition.as_of.address_for(opened_on, london_day(now))
    position = read_position(pairs.get("as_at", ""), pairs.get("as_known_on", ""), now=now)
    return completion_report(viewer, definition.directive, position, definition.filters)


def find_refusal(definition: Definition, viewer: Viewer | None, now: datetime) -> str:
    """Why somebody may not open the report, in a sentence; empty if they may. A few statements, no figures.

    What they may know is decided today, so that a day before the directive was issued stops nothing.

    Args:
        definition: The report.
        viewer: By the roles and posts of today; None: nobody has that name any more.
        now: This instant.
    """
    if viewer is None or not viewer.has_post or Permission.COMPLETION_VIEW not in viewer.permissions:
        return NO_RIGHT
    position = read_position_today(now)
    try:
        if definition.kind is SavedPage.OVERVIEW:
            accept_filters(definition.filters, ViewerScope.of_viewer(viewer, position))
        else:
            completion_report(viewer, definition.directive, position, definition.filters)
    except UnknownValueError as error:
        names = [FIELD_WORDS[name].lower() for _, name in error.faults]
        return f"They may not see what it is filtered by: {', '.join(dict.fromkeys(names))}."
    except NotFoundError as error:
        return str(error)
    return ""


def list_filter_words(definitions: Sequence[Definition], viewer: Viewer, now: datetime) -> list[list[str]]:
    """The filters of each definition in words, with today's names of units; few statements for any number."""
    filters = [definition.filters for definition in definitions]
    if any(each.unit for each in filters):
        scope = ViewerScope.of_viewer(viewer, read_position_today(now))
        filters = [scope.label_unit(each) for each in filters]
    return [each.in_words for each in filters]
