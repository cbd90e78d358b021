"""The pages of a file that a job makes: progress, download, cancel and try again."""

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.people.job_listing import get_job_row
from portal.domain.reports import sentences
from portal.domain.reports.completion import export_files, tasks
from portal.domain.reports.models import PreparedFile
from portal.domain.reports.parameters import parse_filters
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout import job_labels
from portal.pages.layout.access import requires
from portal.pages.layout.busy_files import RETRY_SECONDS
from portal.pages.layout.report_position import parse_position_now
from portal.pages.layout.sessions.step_up import require_recent_sign_in
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.engines import BUSY_SECONDS
from portal.platform.errors import RuleError
from portal.platform.jobs import services as jobs
from portal.platform.jobs.models import JobState
from portal.platform.permissions import Permission

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
HEADINGS = {
    JobState.WAITING: "Your file is being made",
    JobState.RUNNING: "Your file is being made",
    JobState.DONE: "Your file is ready",
    JobState.FAILED: "Your file could not be made",
    JobState.CANCELLED: "Your file was cancelled",
}
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
        return _not_found()
    job = get_job_row(row.job_id)
    position = parse_position_now(**row.position)
    return render_template(
        "monitoring/prepared.html",
        file=row,
        job=job,
        jobs=job_labels,
        heading=HEADINGS[job.state],
        contents=CONTENTS[row.name],
        times=sentences.both_times(position),
        filters=parse_filters(row.filters).in_words,
        size=_size_words(row.size or 0),
        expires_at=export_files.expires_at(row),
        refusal=_download_refusal(row) if job.state == JobState.DONE else "",
        back=_report_address(row.directive, row.position, row.filters),
    )


@requires(Permission.COMPLETION_EXPORT)
def download_file(uuid: UUID) -> ResponseReturnValue:
    """Download the file: only who requested it may, and only while they may see everyone in it."""
    row = _get_own_file(uuid)
    path = tasks.file_folder().stored_path(row) if row else None
    if row is None or path is None:
        return _not_found()
    if not export_files.may_download(row, current_user.viewer):
        raise RuleError(export_files.NARROWED)
    require_recent_sign_in()  # most files that a job makes are about many people
    name = str(row.called)
    with transaction(wait_seconds=BUSY_SECONDS):  # whoever waited for the file waits a little more
        export_files.record_download(row)
    response: Response = send_file(path, as_attachment=True, download_name=name, etag=False)
    response.content_type = TYPES[name.rpartition(".")[2]]
    response.headers["Cache-Control"] = "no-store"
    return response


@requires(Permission.COMPLETION_EXPORT)
def act_on_file(uuid: UUID, what: str) -> ResponseReturnValue:
    """Cancel the job that makes the file, or let it try again."""
    row = _get_own_file(uuid)
    if row is None:
        return _not_found()
    job_id = row.job_id
    with transaction():
        if what == "cancel":
            jobs.cancel_job(job_id, by=current_user.person_id, at=clock.now())
        else:
            jobs.retry_job(job_id, by=current_user.person_id, at=clock.now())
    flash("The file was cancelled." if what == "cancel" else "The file is being made again from the start.")
    return redirect(url_for("monitoring.show_file", uuid=uuid), 303)


def _get_own_file(file_id: UUID) -> PreparedFile | None:
    """The file of this address; None if it has expired, never was, or is another person's."""
    tasks.remove_expired_files()
    row = export_files.get_own_file(file_id, current_user.person_id, clock.now())
    return row if row is not None and row.name in CONTENTS else None  # others have pages of their own


def _not_found() -> ResponseReturnValue:
    """The same answer for all three, so that nobody learns what others requested."""
    return render_template("monitoring/prepared_gone.html"), 404


def _download_refusal(row: PreparedFile) -> str:
    """Why a file that was made cannot be downloaded; empty if it can."""
    if tasks.file_folder().stored_path(row) is None:
        return "This file is no longer in the portal. Go to the report and request it again."
    return "" if export_files.may_download(row, current_user.viewer) else export_files.NARROWED


def _report_address(reference: str, position: Mapping[str, str], filters: Mapping[str, str]) -> str:
    return f"/monitoring/directives/{reference}?{urlencode({**position, **filters})}"


def _size_words(size: int) -> str:
    """A number of bytes in MB or KB."""
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, size // 1000)} KB"
