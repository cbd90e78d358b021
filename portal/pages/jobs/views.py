"""Pages of jobs: the list, and one job with its progress."""

import uuid
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.people import queries
from portal.domain.people.sight import units_allowing
from portal.pages.layout import job_labels
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.backups import making
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ForbiddenError, NotFoundError
from portal.platform.jobs import registry, services
from portal.platform.jobs.models import JobState
from portal.platform.permissions import Permission

bp = Blueprint("jobs", __name__, template_folder="templates")


@bp.get("/jobs")
@requires(Permission.JOB_VIEW)
def list_jobs() -> ResponseReturnValue:
    """Every job, the newest first; only the viewer's own if their role is for a unit."""
    query = QueryArguments(request.args, request.path)
    state = JobState(chosen) if (chosen := query.choice("state", JobState)) else None
    sees_all = _sees_all_jobs()
    asked_by = None if sees_all else current_user.person_id
    counts = services.count_jobs(asked_by)
    page = query.page(counts[state] if state else sum(counts.values()))
    rows = queries.list_job_rows(current_user.viewer, state, page.offset, page.size, asked_by)
    html = render_template(
        "jobs/index.html",
        page=page,
        errors=query.errors(),
        rows=rows,
        counts=counts,
        state=state,
        sees_all=sees_all,
        offered_tasks=registry.list_offered_tasks() if sees_all else [],
        backups=_describe_backups() if sees_all else None,
        are_neglected=sees_all and services.are_jobs_neglected(clock.now()),
        wording=job_labels,
    )
    return html, query.status


@bp.post("/jobs")
@requires(Permission.JOB_VIEW)
def start_job() -> ResponseReturnValue:
    """Start a job that the page of jobs offers, unless one of its kind waits or runs."""
    if not _sees_all_jobs():
        raise ForbiddenError("Jobs belong to the whole force, but your role is for a unit.")
    kind = request.form.get("kind", "")
    if kind not in {task.kind for task in registry.list_offered_tasks()}:
        raise BadInputError(["Choose one of the jobs that the page offers."])
    if unended := services.find_unended_job(kind):
        flash("This job is running already. Nothing was started.")
        return _redirect_to_job(unended)
    with transaction():
        reference = services.start_job(kind, {}, by=current_user.person_id, at=clock.now())
    return _redirect_to_job(reference)


@bp.get("/jobs/<uuid:reference>")
@requires(Permission.ACCOUNT_OWN)
def show_job(reference: uuid.UUID) -> ResponseReturnValue:
    """One job, for administrators of the whole force and the person who asked for it."""
    return _render_job("jobs/job.html", reference)


@bp.get("/jobs/<uuid:reference>/progress")
@requires(Permission.ACCOUNT_OWN)
def show_progress(reference: uuid.UUID) -> ResponseReturnValue:
    """The part of a job's page that changes; the page's script reloads it."""
    return _render_job("jobs/progress.html", reference)


@bp.post("/jobs/<uuid:reference>/cancel")
@requires(Permission.ACCOUNT_OWN)
def cancel_job(reference: uuid.UUID) -> ResponseReturnValue:
    """Cancel a job that waits or runs."""
    _get_own_job(reference)
    with transaction():
        services.cancel_job(reference, by=current_user.person_id, at=clock.now())
    flash("Job cancelled. What it had not finished was not applied.")
    return _redirect_to_job(reference)


@bp.post("/jobs/<uuid:reference>/again")
@requires(Permission.ACCOUNT_OWN, recent=True)
def retry_job(reference: uuid.UUID) -> ResponseReturnValue:
    """Run a job that failed or was cancelled again."""
    _get_own_job(reference)
    with transaction():
        services.retry_job(reference, by=current_user.person_id, at=clock.now())
    flash("Job queued again.")
    return _redirect_to_job(reference)


def _get_own_job(reference: uuid.UUID) -> Any:
    """The job, if the viewer asked for it or sees all jobs."""
    row = queries.get_job_row(reference, current_user.viewer)
    if row.asked_by_id != current_user.person_id and not _sees_all_jobs():
        raise NotFoundError("There is no such job.")
    return row


def _sees_all_jobs() -> bool:
    """Whether the viewer's role is for the whole force: reasons of failed jobs name people of any unit."""
    allowed = Permission.JOB_VIEW in current_user.permissions
    return allowed and units_allowing(current_user.viewer, Permission.JOB_VIEW) is None


def _describe_backups() -> dict[str, list[str]] | None:
    """How backups stand and what is wrong with them, in sentences; None where the portal makes none."""
    settings = current_app.config["PORTAL"].backup
    if not settings.folder:
        return None
    status = making.read_backup_status(settings, clock.now())
    return {
        "troubles": [trouble.sentence for trouble in status.troubles],
        "sentences": [*status.sentences, making.describe_gap(status)],
    }


def _redirect_to_job(reference: uuid.UUID) -> ResponseReturnValue:
    return redirect(url_for("jobs.show_job", reference=reference), 303)


def _render_job(template: str, reference: uuid.UUID) -> str:
    return render_template(
        template,
        row=_get_own_job(reference),
        wording=job_labels,
        lists_all=Permission.JOB_VIEW in current_user.permissions,
    )
