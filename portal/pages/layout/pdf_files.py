"""Sends a page's text as a tagged PDF of the force."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import urljoin
from uuid import UUID

from flask import Flask, Response, current_app, flash, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import ServiceUnavailable

from config import Config
from portal.domain.catalogue.media import CONTENT_TYPES, media_kind
from portal.domain.people.queries import get_job_row
from portal.domain.reports import export_files
from portal.domain.reports.models import PreparedFile
from portal.pages.layout import job_labels
from portal.pages.layout.error_pages import is_for_systems
from portal.pages.layout.sessions.step_up import require_recent_sign_in
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.db import transaction
from portal.platform.documents.typesetting import markup_of, typeset_pdf
from portal.platform.errors import RuleError, require
from portal.platform.jobs import services as jobs
from portal.platform.jobs.models import JobState
from portal.platform.serving.lanes import FILES_ARE_BUSY
from portal.platform.write_lock import BUSY_SECONDS


def markup_of_page(html: str) -> str:
    """The typesetter's markup of a page's safe HTML; links lead to this portal."""
    config: Config = current_app.config["PORTAL"]
    return markup_of(html, partial(urljoin, config.address))


def send_pdf(
    markup: str, *, title: str, above: str, foot: str, at: datetime, name: str, strict: bool = True
) -> Response:
    """Send a tagged A4 PDF, to print or save.

    Args:
        markup: Of the text, with everything filled in.
        title: The heading, and the document's title.
        above: A line above the heading.
        foot: What the foot of each page says after the force's name.
        at: When the content was made.
        name: Of the file.
        strict: As for ``typeset_pdf``.
    """
    config: Config = current_app.config["PORTAL"]
    content = typeset_pdf(
        markup,
        title=title,
        above=above,
        foot=f"{config.force_name}, {foot}",
        author=config.force_name,
        at=at,
        strict=strict,
    )
    return send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=name)


# Serving a medium, published or in a draft: whatever it holds, it does nothing on the portal's origin.

# A medium runs nothing, loads nothing and belongs to no origin, even when it is opened on its own.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
YEAR = 365 * 24 * 3600


def serve_medium(content: bytes, name: str, sha256: str) -> Response:
    """The response that shows a medium; its type is that of its content.

    Args:
        content: The bytes.
        name: What a download is called.
        sha256: Their hash, under which the address names them, so that a browser may keep them for good.
    """
    kind = require(media_kind(content), "There is no such file.")
    response = send_file(
        BytesIO(content),
        mimetype=CONTENT_TYPES[kind],
        as_attachment=kind == "pdf",  # browsers do not show a PDF inside a sandbox
        download_name=name,
        etag=sha256,
    )
    response.headers["Content-Type"] = CONTENT_TYPES[kind]
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = f"private, max-age={YEAR}, immutable"
    return response


# What the pages of every prepared file share: its progress and download, to cancel it or to try again.

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
    """
    path = export_files.file_folder().stored_path(row) if row else None
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
    if export_files.file_folder().stored_path(row) is None:
        return GONE
    return "" if export_files.may_download(row, current_user.viewer) else export_files.NARROWED


# What is answered to a request for one file too many: see ``portal/platform/serving/lanes.py``.
#
# A program gets a sentence, a person a page; views that can have the file made by a job offer that
# instead.

SENTENCE = "Other files are being sent. Try again in a minute."
RETRY_SECONDS = 60

V = TypeVar("V", bound=Callable[..., Any])
_offering: set[Callable[..., Any]] = set()


def register_busy_files(app: Flask) -> None:
    """Refuse one file too many before anything is read for it."""
    app.before_request(refuse_file_too_many)


def offers_job(view: V) -> V:
    """Note that this view itself looks at ``is_file_too_many``, and offers a person a job."""
    _offering.add(view)
    return view


def is_file_too_many() -> bool:
    """Whether so many files are being made and sent that this request is not to make another."""
    return FILES_ARE_BUSY in request.environ


def refuse_file_too_many() -> ResponseReturnValue | None:
    """Refuse such a request, unless its view can offer something to the person who sent it."""
    if not is_file_too_many():
        return None
    if is_for_systems():  # a problem document, as for all of their errors
        raise ServiceUnavailable(SENTENCE, retry_after=RETRY_SECONDS)
    if request.accept_mimetypes.best_match(["text/plain", "text/html"]) != "text/html":
        headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
        return Response(f"{SENTENCE}\n", 503, headers, content_type="text/plain; charset=utf-8")
    if current_app.view_functions.get(request.endpoint or "") not in _offering:
        raise ServiceUnavailable(retry_after=RETRY_SECONDS)
    return None
