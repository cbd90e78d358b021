"""A report on one page: for the screen of a meeting, and as a PDF in ``export_views``."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.reports import sentences
from portal.domain.reports.command_briefing import CommandBriefing
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout.access import requires
from portal.pages.layout.paging import address
from portal.pages.monitoring.export_views import answer_with_report
from portal.platform.permissions import Permission


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
