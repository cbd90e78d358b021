"""The pages of a file that is being made: how far it is, the file itself, and trying again."""

from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.people.job_listing import get_job_row
from portal.domain.reports import sentences
from portal.domain.reports.as_of import position
from portal.domain.reports.completion import export_files, tasks
from portal.domain.reports.filters import filters_of
from portal.domain.reports.models import PreparedFile
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout import job_labels as job_words
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import newest_stamp, transaction
from portal.platform.errors import RuleError
from portal.platform.jobs import services as jobs
from portal.platform.jobs.models import JobState
from portal.platform.permissions import Permission

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
HEADS = {
    JobState.WAITING: "Your file is being made",
    JobState.RUNNING: "Your file is being made",
    JobState.DONE: "Your file is ready",
    JobState.FAILED: "Your file could not be made",
    JobState.CANCELLED: "Your file was cancelled",
}
SHAPES = {
    "completions.xlsx": "Spreadsheet, one row a person and requirement",
    "people.xlsx": "Spreadsheet, one row a person",
    "completions.pdf": "PDF, one row a person",
}


def register(bp: Blueprint) -> None:
    """Add the pages below ``/monitoring/files/<uuid>``."""
    root = "/monitoring/files/<uuid:uuid>"
    bp.add_url_rule(root, "prepared", page)
    bp.add_url_rule(f"{root}/download", "prepared_download", download)
    bp.add_url_rule(f"{root}/<any(cancel, again):what>", "prepared_act", act, methods=["POST"])


def later(report: CompletionReport, name: str) -> ResponseReturnValue:
    """Let the file be made, unless the same is under way or there already, and lead to its page."""
    tasks.tidy()
    now = clock.now()
    file_id = export_files.same(report, name, current_user.viewer, now)
    if file_id is None:
        with transaction():
            file_id = export_files.ask(report, name, by=current_user.person_id, at=now)
    return redirect(url_for("monitoring.prepared", uuid=file_id), 303)


@requires(Permission.COMPLETION_EXPORT)
def page(uuid: UUID) -> ResponseReturnValue:
    """How far the file is; once it is made, the link to it."""
    row = _file(uuid)
    if row is None:
        return _gone()
    job = get_job_row(row.job_id)
    at = position(**row.position, now=clock.now(), newest=newest_stamp())
    return render_template(
        "monitoring/prepared.html",
        file=row,
        job=job,
        jobs=job_words,
        head=HEADS[job.state],
        shape=SHAPES[row.name],
        times=sentences.times(at),
        filters=filters_of(row.filters).said,
        size=_size(row.size or 0),
        until=export_files.until(row),
        refused=_refused(row) if job.state == JobState.DONE else "",
        back=f"/monitoring/directives/{row.directive}?{urlencode({**row.position, **row.filters})}",
    )


@requires(Permission.COMPLETION_EXPORT)
def download(uuid: UUID) -> ResponseReturnValue:
    """The file, to whoever asked for it, while they see everyone in it."""
    row = _file(uuid)
    path = tasks.folder().stored(row) if row else None
    if row is None or path is None:
        return _gone()
    if not export_files.may_take(row, current_user.viewer):
        raise RuleError(export_files.NARROWED)
    called = str(row.called)
    with transaction():
        export_files.taken(row)
    kind = TYPES[called.rpartition(".")[2]]
    response: Response = send_file(path, mimetype=kind, as_attachment=True, download_name=called, etag=False)
    response.headers["Cache-Control"] = "no-store"
    return response


@requires(Permission.COMPLETION_EXPORT)
def act(uuid: UUID, what: str) -> ResponseReturnValue:
    """Cancel the job that makes the file, or let it try again."""
    row = _file(uuid)
    if row is None:
        return _gone()
    job_id = row.job_id
    with transaction():
        if what == "cancel":
            jobs.cancel_job(job_id, by=current_user.person_id, at=clock.now())
        else:
            jobs.retry_job(job_id, by=current_user.person_id, at=clock.now())
    flash("The file is not made." if what == "cancel" else "The file is being made again, from its start.")
    return redirect(url_for("monitoring.prepared", uuid=uuid), 303)


def _file(file_id: UUID) -> PreparedFile | None:
    """The file of this address; None where its day is over, it never was, or it is another person's."""
    tasks.tidy()
    return export_files.file_of(file_id, current_user.person_id, clock.now())


def _gone() -> ResponseReturnValue:
    """One answer to all three, so that nobody learns what others asked for."""
    return render_template("monitoring/prepared_gone.html"), 404


def _refused(row: PreparedFile) -> str:
    """Why a file that was made cannot be downloaded; empty where it can."""
    if tasks.folder().stored(row) is None:
        return "The portal does not hold this file any more. Ask for it again on the page of its report."
    return "" if export_files.may_take(row, current_user.viewer) else export_files.NARROWED


def _size(held: int) -> str:
    """A size as people write it."""
    return f"{held / 1_000_000:.1f} MB" if held >= 1_000_000 else f"{max(1, held // 1000)} KB"
