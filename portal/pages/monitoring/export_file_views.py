"""The pages of a file that a job makes: progress, download, cancel and try again."""

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.reports import sentences
from portal.domain.reports.completion import export_files, tasks
from portal.domain.reports.models import PreparedFile
from portal.domain.reports.parameters import parse_filters
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout.access import requires
from portal.pages.layout.busy_files import RETRY_SECONDS
from portal.pages.layout.prepared_files import act_on_prepared, say_gone, send_prepared, show_prepared
from portal.pages.layout.report_position import parse_position_now
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Permission

_PARENT = {"text": "Monitoring", "href": "/monitoring"}
CONTENTS = {
    "completions.csv": "CSV, one row for each person and requirement",
    "people.csv": "CSV, one row for each person",
    "completions.json": "JSON, one record for each person and requirement",
    "completions.xlsx": "Spreadsheet, one row for each person and requirement",
    "people.xlsx": "Spreadsheet, one row for each person",
    "completions.pdf": "PDF, one row for each person",
    "briefing.pdf": "PDF, the report on one page",
    "inspection-pack.zip": "Inspection pack, which names people",
    "foi-pack.zip": "FOI pack, which names nobody",
}


def add_file_pages(bp: Blueprint) -> None:
    """Add the pages below ``/monitoring/files/<uuid>``."""
    root = "/monitoring/files/<uuid:uuid>"
    bp.add_url_rule(root, "show_file", show_file)
    bp.add_url_rule(f"{root}/download", "download_file", download_file)
    bp.add_url_rule(f"{root}/<any(cancel, again):what>", "act_on_file", act_on_file, methods=["POST"])


def prepare_file(report: CompletionReport, name: str) -> ResponseReturnValue:
    """Start a job for the file, unless the same file is under way or ready; redirect to its page."""
    tasks.remove_expired_files()
    now, wish = clock.now(), export_files.wish_of(report, name)
    with transaction():  # so that two requests at once start one job
        file_id = export_files.find_same_file(wish, current_user.viewer, now)
        if file_id is None:
            file_id = export_files.request_file(wish, by=current_user.person_id, at=now)
    return redirect(url_for("monitoring.show_file", uuid=file_id), 303)


def offer_file(report: CompletionReport, name: str) -> ResponseReturnValue:
    """Offer to have a job make the file, while too many others are being made and sent."""
    reference = report.directive.reference
    html = render_template(
        "monitoring/offered.html",
        reference=reference,
        contents=CONTENTS[name],
        again=request.full_path.rstrip("?"),
        back=_report_address(reference, report.position.address, report.filters.address),
    )
    return html, 503, {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}


@requires(Permission.COMPLETION_EXPORT)
def show_file(uuid: UUID) -> ResponseReturnValue:
    """The progress of the file; once it is ready, its download."""
    row = _get_own_file(uuid)
    if row is None:
        return say_gone(_PARENT)
    return show_prepared(
        row,
        "monitoring/prepared.html",
        contents=CONTENTS[row.name],
        times=sentences.both_times(parse_position_now(**row.position)),
        filters=parse_filters(row.filters).in_words,
        back=_report_address(row.directive, row.position, row.filters),
    )


@requires(Permission.COMPLETION_EXPORT)
def download_file(uuid: UUID) -> ResponseReturnValue:
    """Download the file: only who requested it may, and only while they may see everyone in it."""
    return send_prepared(_get_own_file(uuid), export_files.record_download, _PARENT)


@requires(Permission.COMPLETION_EXPORT)
def act_on_file(uuid: UUID, what: str) -> ResponseReturnValue:
    """Cancel the job that makes the file, or let it try again."""
    row = _get_own_file(uuid)
    if row is None:
        return say_gone(_PARENT)
    act_on_prepared(row.job_id, what)
    return redirect(url_for("monitoring.show_file", uuid=uuid), 303)


def _get_own_file(file_id: UUID) -> PreparedFile | None:
    """The file of this address; None if it has expired, never was, or is another person's."""
    tasks.remove_expired_files()
    row = export_files.get_own_file(file_id, current_user.person_id, clock.now())
    return row if row is not None and row.name in CONTENTS else None  # others have pages of their own


def _report_address(reference: str, position: Mapping[str, str], filters: Mapping[str, str]) -> str:
    return f"/monitoring/directives/{reference}?{urlencode({**position, **filters})}"
