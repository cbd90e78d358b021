"""The page from which packs for an inspector or an FOI request are made; ``export_views`` makes them."""

from dataclasses import replace

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.reports import sentences
from portal.domain.reports.packs import kinds as packs
from portal.domain.reports.parameters import EVERYONE, FIELDS, NAMES, PositionError
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout.access import requires
from portal.pages.layout.paging import address
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import (
    position_form,
    redirect_to_iso_days,
    refuse_position,
    requested_position,
)
from portal.pages.monitoring.export_views import read_report
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission


def add_pack_page(bp: Blueprint) -> None:
    """Add the page ``/monitoring/directives/<reference>/packs``."""
    bp.add_url_rule("/monitoring/directives/<reference>/packs", "show_packs", show_packs)


@requires(Permission.COMPLETION_EXPORT)
def show_packs(reference: str) -> ResponseReturnValue:
    """What is in each pack of the report with this position and these filters, and a button for each."""
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
    filters = report.filters.address
    return render_template(
        "monitoring/packs.html",
        directive=report.directive,
        people=report.shown.assigned,
        times=sentences.both_times(position),
        filters=report.filters.in_words,
        form=position_form(position),
        kept_by_form=filters,
        small=current_app.config["PORTAL"].small_number,
        refusals={name: _refusal(report, name) for name in packs.NAMES},
        inspection=address(f"{report_path}/{packs.INSPECTION}", {**position.pinned, **filters}.items()),
        foi=address(f"{report_path}/{packs.FOI}", position.pinned.items()),
        back=address(report_path, {**position.address, **filters}.items()),
    )


def _refusal(report: CompletionReport, name: str) -> str:
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
