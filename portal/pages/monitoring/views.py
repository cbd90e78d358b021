"""The overview of all directives, and the report of one."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.decisions import services
from portal.domain.decisions.queries import count_waiting_requests
from portal.domain.reminders import services as reminders_services
from portal.domain.reports import export_files, models, overview, sentences
from portal.domain.reports.changes import KnownNow, compare_with_known_now
from portal.domain.reports.charts import LineChart, month_ends, read_trend
from portal.domain.reports.parameters import (
    LATE_WORDS,
    MISSING,
    SORTS,
    Order,
    Position,
    PositionError,
    join_values,
    parse_filters,
    parse_order,
)
from portal.domain.reports.queries import CompletionReport, PersonLine, linkable_people
from portal.domain.reports.report_pdf import CommandBriefing
from portal.domain.reports.statistics import GroupLine, SnapshotRequirement, UnitLine, minutes_to_learn
from portal.domain.status.rules import Status
from portal.pages.layout.access import list_parts, requires
from portal.pages.layout.query_arguments import Page, QueryArguments, address
from portal.pages.layout.report_position import (
    position_form,
    redirect_to_iso_days,
    refuse_position,
    requested_position,
)
from portal.pages.monitoring import change_pages, export_views
from portal.pages.monitoring.export_views import answer_with_report, read_report
from portal.pages.monitoring.forms import ColumnsForm, ReportFilterForm, TableColumns, requested_columns
from portal.platform import clock
from portal.platform.db import newest_stamp, try_to_write
from portal.platform.errors import UnknownValueError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date
from portal.platform.wording import number, plural

# A report on one page: for the screen of a meeting, and as a PDF in ``export_views``.


def add_briefing_page(bp: Blueprint) -> None:
    """Add the page ``/monitoring/directives/<reference>/briefing``."""
    bp.add_url_rule("/monitoring/directives/<reference>/briefing", "show_briefing", show_briefing)


@requires(Permission.COMPLETION_VIEW)
def show_briefing(reference: str) -> ResponseReturnValue:
    """The report with this position and these filters on one page, for a screen."""
    return answer_with_report(reference, _write_page)


def _write_page(report: CompletionReport) -> str:
    position, filters = report.position, report.filters.address
    report_path = url_for("monitoring.show_report", reference=report.directive.reference)
    return render_template(
        "monitoring/briefing.html",
        b=CommandBriefing(report),
        directive=report.directive,
        banner=sentences.banner_sentence(position),
        back=address(report_path, {**position.address, **filters}.items()),
        pdf=address(f"{request.path}.pdf", {**position.pinned, **filters}.items()),
        may_export=Permission.COMPLETION_EXPORT in current_user.permissions,
    )


# What the page of a report shows, and the addresses that it links to.

COMPLETE = "Complete"
PEOPLE = "people"  # the id of the list's heading
HEADS = (("person", "Person"), ("status", "Overall"))
LAST_HEADS = (("due", "Due"), ("rank", "Rank or grade"), ("role", "Role"), ("unit", "Unit"))


class BarWords(NamedTuple):
    """The words of the tables with bars."""

    whom: str  # "Response North, " or empty
    order: str
    measure: str  # what the bars show

    @property
    def caption(self) -> str:
        """The beginning of a table's caption."""
        return f"People {self.measure[:1].lower()}{self.measure[1:]}"

    def heading(self, by: str) -> str:
        """The heading above a table by unit, rank or role."""
        return f"{self.whom}{'by' if self.whom else 'By'} {by}"


@dataclass(frozen=True)
class ReportPage:
    """A report with its order, the slice of its table, and addresses."""

    report: CompletionReport
    order: Order
    columns: TableColumns
    path: str
    number: str  # of the requested page of the table

    @cached_property
    def page(self) -> Page:
        """The requested page of the table."""
        kept = {**self._report_address, **self._table_address}
        arguments = [*kept.items(), ("page", self.number)]
        page = Page.of(self.report.shown.assigned, self.path, arguments)
        return replace(page, url=lambda number: f"{page.url(number)}#{PEOPLE}")

    @cached_property
    def people(self) -> list[PersonLine]:
        """The people on this page."""
        return self.report.list_people(self.order, self.page.offset, self.page.size)

    @cached_property
    def linkable_people(self) -> set[int]:
        """Ids of the people on this page whose own page the viewer may open."""
        return linkable_people(self.report.viewer, [line.holder.person_id for line in self.people])

    @property
    def h1(self) -> str:
        """The heading: the answer, and of whom."""
        return sentences.headline(self.report)

    @property
    def lead(self) -> str:
        """What stands beside the answer, and both times."""
        return f"{'. '.join(sentences.beside(self.report))}. {sentences.both_times(self.report.position)}."

    @property
    def banner(self) -> str:
        """The sentence above a past position; empty for today."""
        return sentences.banner_sentence(self.report.position)

    @property
    def today_url(self) -> str:
        """The address of the same list for today."""
        return self._make_address(self.report.filters.address, self._table_address)

    @property
    def of_whom(self) -> str:
        """The heading of what is said of the group while only some of it is listed; else empty."""
        return sentences.group_answer(self.report) if self.report.lists_some else ""

    @property
    def bars(self) -> BarWords:
        """The words of the tables with bars."""
        report, filters = self.report, self.report.filters
        whom = sentences.group_words(filters)
        if report.lists_some:
            words = sentences.list_words(filters)
            return BarWords(f"{whom}, " if whom else "", "largest share first", f"Listed: {words}")
        return BarWords(f"{whom}, " if whom else "", "lowest first", COMPLETE)

    @property
    def people_heading(self) -> str:
        """The heading of the list: how many people, and which."""
        people = plural(self.report.shown.assigned, "person", "people")
        whom = ", ".join(
            filter(
                None, (sentences.group_words(self.report.filters), sentences.list_words(self.report.filters))
            )
        )
        return f"{people}: {whom}" if whom else people

    @property
    def to_remind(self) -> int:
        """How many of the people listed have something left to do today; 0 for another day."""
        return 0 if self.report.position.past else self.report.shown.count_people(*MISSING)

    @property
    def line_heading(self) -> str:
        """The heading of the line over the months, which is always of the group."""
        whom = sentences.group_words(self.report.filters)
        if self.report.lists_some:
            return f"{sentences.of_whom(self.report)}, complete over 12 months"
        return f"{whom}, over 12 months" if whom else "Over 12 months"

    @property
    def unit_rows(self) -> list[dict[str, object]]:
        """The lines of the unit table, each with the address narrowed to it."""
        return [self._bar_row(line, "unit", line.path) for line in self.report.units]

    @property
    def rank_rows(self) -> list[dict[str, object]]:
        """The lines by rank or grade, each with the address narrowed to it."""
        return [self._bar_row(line, "rank", join_values([line.name])) for line in self.report.ranks]

    @property
    def role_rows(self) -> list[dict[str, object]]:
        """The lines by designated role, each with the address narrowed to it."""
        return [self._bar_row(line, "role", line.name) for line in self.report.roles]

    @property
    def key_figures(self) -> list[tuple[str, str, str | None]]:
        """What is overdue and due soon: label, words, and the address of these people."""
        outlook = self.report.outlook
        counts = [(f"Overdue {LATE_WORDS[key].lower()}", n, {"late": key}) for key, n in outlook.late.items()]
        soon = "Due in the 30 days after" if self.report.position.past else "Due in the next 30 days"
        counts.append((soon, outlook.soon, {"due": "30"}))
        position, group = self.report.position.address, self.report.filters.group.address
        figures: list[tuple[str, str, str | None]] = [
            (
                label,
                plural(n, "person", "people"),
                self._people_address(position, group, filters) if n else None,
            )
            for label, n, filters in counts
        ]
        minutes = minutes_to_learn(self.report.group, self.report.directive)
        words = "Not available for past dates" if self.report.position.past else number(minutes)
        return [*figures, ("Minutes still to learn", words, None)]

    @cached_property
    def line(self) -> LineChart:
        """The percentage at the end of each of the last months, as known on this report's as_known_on."""
        return LineChart(read_trend(self.report, month_ends(self.report.position.as_at)))

    @property
    def line_rows(self) -> list[dict[str, object]]:
        """The points of the line, the newest first, each with the address of that day's report."""
        known_on = {k: v for k, v in self.report.position.address.items() if k != "as_at"}
        shown, kept = self.report.position.as_at, self.kept_by_position_form
        return [
            {
                "day": point.day,
                "share": point.share,
                "href": None
                if point.day == shown
                else self._make_address({"as_at": point.day.isoformat(), **known_on}, kept),
            }
            for point in reversed(self.line.points)
        ]

    @property
    def heads(self) -> list[tuple[str, str, str | None]]:
        """Sortable heads before the requirements: text, address, direction."""
        return [self._sort_head(*head) for head in HEADS]

    @property
    def last_heads(self) -> list[tuple[str, str, str | None]]:
        """Sortable heads after the requirements."""
        return [self._sort_head(*head) for head in LAST_HEADS if head[0] in self.columns]

    @property
    def requirements(self) -> list[SnapshotRequirement]:
        """The requirements that have a column."""
        return [each for each in self.report.directive.requirements if each.key in self.columns]

    @property
    def kept_by_columns_form(self) -> dict[str, str]:
        """Hidden fields of the form that chooses columns."""
        return {**self._report_address, **self.order.address}

    def status_url(self, status: Status) -> str:
        """The address of the people with a status, among those whom the bar shows."""
        filters = {**self.report.filters.address, "status": status.key}
        return self._people_address(self.report.position.address, filters)

    @property
    def chips(self) -> list[tuple[str, str]]:
        """The filters in force, each with the address without it."""
        filters = self.report.filters
        return [
            (words, self._address_without(name))
            for name, words in zip(filters.address, filters.in_words, strict=True)
        ]

    @property
    def summary(self) -> str:
        """How many people the table lists, of how many."""
        everyone = plural(self.report.figures.assigned, "person", "people")
        return f"{number(self.report.shown.assigned)} of {everyone}"

    @property
    def clear_url(self) -> str:
        """The address of the list without filters."""
        return self._people_address(self.report.position.address, self._table_address)

    @property
    def changes_arguments(self) -> dict[str, str]:
        """Arguments of the page of changes: this position, and the filters on people."""
        return {**self.report.position.address, **self.report.filters.group.address}

    @property
    def kept_by_position_form(self) -> dict[str, str]:
        """Hidden fields of the position form."""
        return {**self.report.filters.address, **self._table_address}

    @property
    def kept_by_filter_form(self) -> dict[str, str]:
        """Hidden fields of the filter form."""
        return {**self.report.position.address, **self._table_address}

    @property
    def saved_arguments(self) -> dict[str, str]:
        """Arguments of the page that saves this report: its position, its filters and its table."""
        return {**self.report.position.address, **self.report.filters.address, **self._table_address}

    @cached_property
    def due_links(self) -> list[tuple[date, str, str]]:
        """Each due date up to today, with the addresses of its position as known then and as known now."""
        fixed = self.report.directive.due_fixed_on
        days = [fixed] if fixed else self.report.due_dates()
        links = []
        for day in days:
            if day <= self.report.position.today:
                as_at = {"as_at": day.isoformat()}
                then = {**as_at, "as_known_on": day.isoformat()}
                kept = self.kept_by_position_form
                links.append((day, self._make_address(then, kept), self._make_address(as_at, kept)))
        return links

    @cached_property
    def known_now(self) -> KnownNow | None:
        """The same day as known now; None if that is what the page shows."""
        newest = newest_stamp()
        return (
            None
            if self.report.position.latest or newest is None
            else compare_with_known_now(self.report, newest)
        )

    @property
    def known_now_words(self) -> str:
        """The same day as known now, in a sentence."""
        return sentences.known_now_sentence(self.known_now.share) if self.known_now else ""

    @property
    def known_now_url(self) -> str:
        """The address of the same day as known now."""
        as_at = self.report.position.as_at.isoformat()
        return self._make_address({"as_at": as_at}, self.kept_by_position_form)

    def file_url(self, name: str) -> str:
        """The address of a file with exactly the rows that this page lists."""
        pairs = {**self.report.position.pinned, **self.report.filters.address}
        return f"{self.path}/{name}?{urlencode(pairs)}"

    @property
    def briefing_url(self) -> str:
        """The address of the report on one page, with this position and these filters."""
        pairs = self._report_address
        return f"{self.path}/briefing{f'?{urlencode(pairs)}' if pairs else ''}"

    @property
    def packs_url(self) -> str:
        """The address of the page with packs of this position and these filters."""
        pairs = self._report_address
        return f"{self.path}/packs{f'?{urlencode(pairs)}' if pairs else ''}"

    @property
    def foi_pack_url(self) -> str:
        """The address of the FOI pack, which has no filters; empty without sight of the whole force."""
        if not self.report.viewer_scope.everyone:
            return ""
        return f"{self.path}/foi-pack.zip?{urlencode(self.report.position.pinned)}"

    @property
    def job_notice(self) -> str:
        """Which files of the people listed a job will make, as a sentence; empty if none."""
        return export_files.job_notice(self.report.shown)

    @property
    def _table_address(self) -> dict[str, str]:
        """The order and the columns as arguments of an address."""
        return {**self.order.address, **self.columns.address}

    @property
    def _report_address(self) -> dict[str, str]:
        return {**self.report.position.address, **self.report.filters.address}

    def _make_address(self, *parts: dict[str, str]) -> str:
        pairs = {name: value for part in parts for name, value in part.items()}
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path

    def _sort_head(self, column: str, text: str) -> tuple[str, str, str | None]:
        order = self.order.order_after_click(column)
        href = self._people_address(self._report_address, order.address, self.columns.address)
        return text, href, self.order.direction(column)

    def _address_without(self, name: str) -> str:
        kept = self.report.filters.without(name).address
        return self._people_address(self.report.position.address, kept, self._table_address)

    def _bar_row(self, line: UnitLine | GroupLine, field: str, value: str | None) -> dict[str, object]:
        """A row of a table with bars; its address narrows the report to the people whom it counts."""
        filters = self.report.filters.group.address
        is_linked = value and filters.get(field) != value
        narrowed = {**filters, field: value or ""}
        href = self._make_address(self.report.position.address, narrowed) if is_linked else None
        name = f"{line.name[:1].upper()}{line.name[1:]}"
        return {"name": name, "href": href, "done": line.done, "total": line.total}

    def _people_address(self, *parts: dict[str, str]) -> str:
        """The address of the list of people."""
        return f"{self._make_address(*parts)}#{PEOPLE}"

    @property
    def definition(self) -> list[str]:
        """How the percentage is worked out, in sentences."""
        return sentences.definition_sentences(
            self.report.directive, self.report.group, self.report.count_exclusions()
        )


bp = Blueprint("monitoring", __name__, template_folder="templates")


@bp.get("/monitoring")
@requires(Permission.COMPLETION_VIEW)
def show_overview() -> ResponseReturnValue:
    """The figures of every directive, and who has been overdue longest; refused values are left out."""
    try:
        position = requested_position()
    except PositionError as error:
        return refuse_position(error, {"text": "Monitoring", "href": request.path})
    arguments = QueryArguments(request.args, request.path)
    overview_page = _read_overview(position, arguments)
    if current_address := redirect_to_iso_days(overview_page.filters.unit):
        return current_address
    errors = arguments.errors()
    response = render_template(
        "monitoring/overview.html",
        overview=overview_page,
        banner=sentences.banner_sentence(position),
        errors=errors,
        position_form=position_form(position),
        may_request=Permission.DECISION_ASK in current_user.permissions,
        may_remind=Permission.REMINDER_NUDGE in current_user.permissions,
        most_to_remind=reminders_services.MOST,
        waiting=count_waiting_requests(current_user.viewer),
        others_waiting=[
            link for find in list_parts("monitoring.waiting") for link in find(current_user.viewer)
        ],
        panes=[show(position) for show in list_parts("monitoring.panes")],
    )
    return response, 400 if errors else 200


def _read_overview(position: Position, arguments: QueryArguments) -> overview.Overview:
    """Read the overview of the address, without a unit or groups that are refused."""
    viewer, filters = current_user.viewer, parse_filters(request.args)
    opened = arguments.choice("open", overview.list_groups(), "directive")
    try:
        return overview.read_overview(viewer, position, filters, opened)
    except UnknownValueError as error:
        for sentence, name in error.faults:
            arguments.refuse(name, sentence)
        return overview.read_overview(viewer, position, opened=opened)


@bp.get("/monitoring/directives/<reference>")
@requires(Permission.COMPLETION_VIEW)
def show_report(reference: str) -> ResponseReturnValue:
    """The report of one directive; refused values are left out, with the reason."""
    arguments = QueryArguments(request.args, request.path)
    try:
        position = requested_position()
        report = read_report(reference, position, arguments)
    except PositionError as error:
        return refuse_position(error, {"text": "Monitoring", "href": url_for(".show_overview")})
    if current_address := redirect_to_iso_days(report.filters.unit):
        return current_address
    order, number = parse_order(arguments.order(SORTS)), arguments.page_number()
    columns = requested_columns(report, arguments)
    page = ReportPage(report, order, columns, request.path, str(number))
    earlier_visit = _changes_since_visit(report)
    form = ReportFilterForm(report)
    form.show_faults(arguments.faults)
    errors = arguments.errors([*form.usable_fields, "columns"])
    response = render_template(
        "monitoring/report.html",
        r=page,
        earlier_visit=earlier_visit,
        page=page.page,
        errors=errors,
        refused={name for _, name in arguments.faults},
        may_remind=Permission.REMINDER_NUDGE in current_user.permissions,
        most_to_remind=reminders_services.MOST,
        may_request=Permission.DECISION_ASK in current_user.permissions,
        most_to_ask_for=services.MOST,
        position_form=position_form(position),
        filter_form=form,
        columns_form=ColumnsForm(report, columns),
    )
    return response, 400 if errors else 200


def _changes_since_visit(report: CompletionReport) -> tuple[str, str] | None:
    """The day of the viewer's last visit before today and the address of changes since; saves this visit."""
    position, directive_id, viewer_id = report.position, report.directive.id, current_user.person_id
    if position.past:
        return None
    visit, is_saved = models.get_earlier_visit(viewer_id, directive_id, position)
    if not is_saved:
        try_to_write(lambda: models.save_visit(viewer_id, directive_id, position), "a visit to a report")
    if visit is None:
        return None
    from_visit = {"from_as_at": visit.day.isoformat(), "from_as_known_on": clock.format_utc(visit.known_on)}
    arguments = {**from_visit, **report.filters.group.address}
    return say_date(visit.day), address(f"{request.path}/changes", arguments.items())


change_pages.add_change_page(bp)
export_views.add_export_pages(bp)
export_views.add_file_pages(bp)
add_briefing_page(bp)
export_views.add_pack_page(bp)
