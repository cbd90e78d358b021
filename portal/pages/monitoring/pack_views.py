"""The page from which packs for an inspector or an FOI request are made; ``export_views`` makes them."""

from dataclasses import replace

from flask import Blueprint, current_app, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.reports import sentences
from portal.domain.reports.packs import kinds as packs
from portal.domain.reports.parameters import EVERYONE, PositionError
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout.access import requires
from portal.pages.layout.paging import address
from portal.pages.layout.report_position import position_form
from portal.pages.monitoring.export_views import answer_with_report
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission


def add_pack_page(bp: Blueprint) -> None:
    """Add the page ``/monitoring/directives/<reference>/packs``."""
    bp.add_url_rule("/monitoring/directives/<reference>/packs", "show_packs", show_packs)


@requires(Permission.COMPLETION_EXPORT)
def show_packs(reference: str) -> ResponseReturnValue:
    """What is in each pack of the report with this position and these filters, and a button for each."""
    return answer_with_report(reference, _write_page)


def _write_page(report: CompletionReport) -> str:
    position, filters = report.position, report.filters.address
    report_path = url_for("monitoring.show_report", reference=report.directive.reference)
    return render_template(
        "monitoring/packs.html",
        directive=report.directive,
        people=report.shown.assigned,
        times=sentences.both_times(position),
        filters=report.filters.in_words,
        form=position_form(position),
        kept_by_form=filters,
        small=current_app.config["PORTAL"].small_number,
        refusals={name: _say_refusal(report, name) for name in packs.NAMES},
        inspection=address(f"{report_path}/{packs.INSPECTION}", {**position.pinned, **filters}.items()),
        foi=address(f"{report_path}/{packs.FOI}", position.pinned.items()),
        back=address(report_path, {**position.address, **filters}.items()),
    )


def _say_refusal(report: CompletionReport, name: str) -> str:
    """Why this pack cannot be made; empty if it can. An FOI pack leaves the filters of the page out."""
    try:
        packs.refuse_pack(
            replace(report, filters=EVERYONE) if name == packs.FOI else report,
            name,
            current_app.config["PORTAL"].small_number,
        )
    except (PositionError, RuleError) as error:
        return str(error)
    return ""
