"""What the pages of every prepared file share: its progress and download, to cancel it or to try again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, flash, render_template, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.people.job_listing import get_job_row
from portal.domain.reports.completion import export_files, tasks
from portal.domain.reports.models import PreparedFile
from portal.pages.layout import job_labels
from portal.pages.layout.sessions.step_up import require_recent_sign_in
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.jobs import services as jobs
from portal.platform.jobs.models import JobState
from portal.platform.write_lock import BUSY_SECONDS

Parent = dict[str, str]
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
GONE = "This file is no longer in the portal. Request it again."


def show_prepared(row: PreparedFile, template: str, **values: Any) -> ResponseReturnValue:
    """The page of a file: its progress and, once it is ready, its download.

    Args:
        row: The file.
        template: Extends ``layouts/prepared_file.html``.
        values: What the template shows beside what every such page does.
    """
    job = get_job_row(row.job_id)
    return render_template(
        template,
        file=row,
        job=job,
        jobs=job_labels,
        heading=HEADINGS[job.state],
        size=say.size_words(row.size or 0),
        expires_at=export_files.expires_at(row),
        refusal=_download_refusal(row) if job.state == JobState.DONE else "",
        **values,
    )


def send_prepared(
    row: PreparedFile | None, record: Callable[[PreparedFile], None], parent: Parent
) -> ResponseReturnValue:
    """Send a file to who requested it, while they may see everyone in it and have signed in lately.

    Args:
        row: The file; None if this person has none.
        record: Records the download in the audit trail.
        parent: The page above: its text and address.

    Raises:
        RuleError: They may no longer see everyone in it.
    """
    path = tasks.file_folder().stored_path(row) if row else None
    if row is None or path is None:
        return say_gone(parent)
    if not export_files.may_download(row, current_user.viewer):
        raise RuleError(export_files.NARROWED)
    require_recent_sign_in()  # most files that a job makes are about many people
    name = str(row.called)
    with transaction(wait_seconds=BUSY_SECONDS):  # whoever waited for the file waits a little more
        record(row)
    response: Response = send_file(path, as_attachment=True, download_name=name, etag=False)
    response.content_type = TYPES[name.rpartition(".")[2]]
    response.headers["Cache-Control"] = "no-store"
    return response


def act_on_prepared(job_id: UUID, what: str) -> None:
    """Cancel the job that makes a file, or let it try again."""
    with transaction():
        if what == "cancel":
            jobs.cancel_job(job_id, by=current_user.person_id, at=clock.now())
        else:
            jobs.retry_job(job_id, by=current_user.person_id, at=clock.now())
    flash("The file was cancelled." if what == "cancel" else "The file is being made again from the start.")


def say_gone(parent: Parent) -> ResponseReturnValue:
    """The same answer whether a file never was, has expired or is another's: nobody learns of requests."""
    return render_template("layouts/prepared_gone.html", parent=parent), 404


def _download_refusal(row: PreparedFile) -> str:
    """Why a file that was made cannot be downloaded; empty if it can."""
    if tasks.file_folder().stored_path(row) is None:
        return GONE
    return "" if export_files.may_download(row, current_user.viewer) else export_files.NARROWED
