"""A report on one page: for the screen of a meeting, and as a PDF in ``export_views``."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.reports import sentences
from portal.domain.reports.command_briefing import CommandBriefing
from portal.domain.reports.parameters import FIELDS, NAMES, PositionError
from portal.pages.layout.access import requires
from portal.pages.layout.paging import address
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import redirect_to_iso_days, refuse_position, requested_position
from portal.pages.monitoring.export_views import read_report
from portal.platform.permissions import Permission


def add_briefing_page(bp: Blueprint) -> None:
    """Add the page ``/monitoring/directives/<reference>/briefing``."""
    bp.add_url_rule("/monitoring/directives/<reference>/briefing", "show_briefing", show_briefing)


@requires(Permission.COMPLETION_VIEW)
def show_briefing(reference: str) -> ResponseReturnValue:
    """The report with this position and these filters on one page, for a screen."""
    arguments = QueryArguments(request.args)
    arguments.only((*FIELDS, *NAMES), several=("rank",))
    arguments.raise_faults()
    report_path = url_for("monitoring.show_report", reference=reference)
    try:
        position = requested_position()
        report = read_report(reference, position, arguments)
    except PositionError as error:
        return refuse_position(error, {"text": reference, "href": report_path})
    arguments.raise_faults()
    if current_address := redirect_to_iso_days(report.filters.unit):
        return current_address
    shown = {**position.address, **report.filters.address}
    pinned = {**position.pinned, **report.filters.address}
    return render_template(
        "monitoring/briefing.html",
        b=CommandBriefing(report),
        directive=report.directive,
        banner=sentences.banner_sentence(position),
        back=address(report_path, shown.items()),
        pdf=address(f"{request.path}.pdf", pinned.items()),
        may_export=Permission.COMPLETION_EXPORT in current_user.permissions,
    )
