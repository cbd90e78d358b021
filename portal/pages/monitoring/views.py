"""The overview of all directives, and the report of one."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.decisions import joint_requests
from portal.domain.decisions.queries import count_waiting_requests
from portal.domain.events.booking.candidates import list_asked_bookings
from portal.domain.events.figures import TypeAttendance, read_attendance
from portal.domain.reminders import bulk_nudges
from portal.domain.reports import last_visit, sentences
from portal.domain.reports.overview import overview
from portal.domain.reports.parameters import (
    SORTS,
    Position,
    PositionError,
    parse_filters,
    parse_order,
)
from portal.domain.reports.queries import CompletionReport
from portal.domain.saved_reports.queries import list_names
from portal.pages.layout.access import requires
from portal.pages.layout.paging import address
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import (
    position_form,
    redirect_to_iso_days,
    refuse_position,
    requested_position,
)
from portal.pages.monitoring import (
    briefing_views,
    change_pages,
    export_file_views,
    export_views,
    pack_views,
)
from portal.pages.monitoring.export_views import read_report
from portal.pages.monitoring.forms import ReportFilterForm
from portal.pages.monitoring.presenters import ReportPage
from portal.pages.monitoring.table_columns import ColumnsForm, requested_columns
from portal.platform import clock
from portal.platform.db import try_to_write
from portal.platform.errors import UnknownValueError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date

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
        most_to_remind=bulk_nudges.MOST,
        waiting=count_waiting_requests(current_user.viewer),
        bookings=list_asked_bookings(current_user.viewer, clock.now()),
        events=_read_events(position),
        saved_reports=list_names(current_user.person_id),
    )
    return response, 400 if errors else 200


def _read_events(position: Position) -> list[TypeAttendance]:
    """How far a manager's people have got with each event type, as at today alone."""
    if position.past or Permission.EVENT_BOOK not in current_user.permissions:
        return []
    return read_attendance(current_user.viewer, position.today)


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
        most_to_remind=bulk_nudges.MOST,
        may_request=Permission.DECISION_ASK in current_user.permissions,
        most_to_ask_for=joint_requests.MOST,
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
    visit, is_saved = last_visit.get_earlier_visit(viewer_id, directive_id, position)
    if not is_saved:
        try_to_write(lambda: last_visit.save_visit(viewer_id, directive_id, position), "a visit to a report")
    if visit is None:
        return None
    from_visit = {"from_as_at": visit.day.isoformat(), "from_as_known_on": clock.format_utc(visit.known_on)}
    arguments = {**from_visit, **report.filters.group.address}
    return say_date(visit.day), address(f"{request.path}/changes", arguments.items())


change_pages.add_change_page(bp)
export_views.add_export_pages(bp)
export_file_views.add_file_pages(bp)
briefing_views.add_briefing_page(bp)
pack_views.add_pack_page(bp)
