"""What a saved report is made of: its page with filters, and the rule for its day; and who may open it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import quote, urlencode

from portal.domain.people.queries import Viewer
from portal.domain.reports.known_values import accept_filters
from portal.domain.reports.parameters import (
    EARLIEST,
    FIELD_WORDS,
    NAMES,
    Filters,
    parse_filters,
    read_position,
    read_position_today,
)
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.domain.reports.viewer_scope import ViewerScope
from portal.domain.saved_reports.models import SavedPage, SavedReport
from portal.domain.saved_reports.times import AsOf, DayRule, KnownRule, Span
from portal.platform.clock import london_day
from portal.platform.errors import NotFoundError, UnknownValueError
from portal.platform.permissions import Permission
from portal.platform.wording import date as date_words
from portal.platform.wording import instant as instant_words

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
        NotFoundError: No such directive was known then.
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
