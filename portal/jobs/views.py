"""Pages of jobs: the list, and one job with its progress."""

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.access import requires
from portal.db import transaction
from portal.errors import BadInputError, ForbiddenError, NotFoundError
from portal.jobs import queries, registry, services, wording
from portal.jobs.models import State
from portal.people.administered import units_allowing
from portal.permissions import Permission
from portal.web.asked import Asked

bp = Blueprint("jobs", __name__, template_folder="templates")


@bp.get("/jobs")
@requires(Permission.JOB_VIEW)
def index() -> ResponseReturnValue:
    """Every job, the newest first, or one's own where one's role is for units."""
    asked = Asked(request.args, request.path)
    state = State(chosen) if (chosen := asked.choice("state", State)) else None
    everybodys = _runs_all()
    asked_by = None if everybodys else current_user.person_id
    counts = queries.counts(asked_by)
    total = counts[state] if state else sum(counts.values())
    page = asked.page(total)
    rows = queries.job_rows(current_user.viewer, state, page.offset, page.size, asked_by)
    answer = render_template(
        "jobs/index.html",
        page=page,
        errors=asked.errors(),
        rows=rows,
        counts=counts,
        state=state,
        everybodys=everybodys,
        offered=registry.offered() if everybodys else [],
        not_taken_up=everybodys and queries.not_taken_up(clock.now()),
        wording=wording,
    )
    return answer, asked.status


@bp.post("/jobs")
@requires(Permission.JOB_VIEW)
def begin() -> ResponseReturnValue:
    """Start a job that the page of jobs offers, unless one of its kind is under way."""
    _refuse_limited()
    kind = request.form.get("kind", "")
    if kind not in {one.kind for one in registry.offered()}:
        raise BadInputError(["Choose one of the jobs that the page offers."])
    if under_way := queries.under_way(kind):
        flash("This job is under way already: nothing was started.")
        return redirect(url_for("jobs.job", reference=under_way), 303)
    with transaction():
        reference = services.start(kind, {}, by=current_user.person_id, at=clock.now())
    return redirect(url_for("jobs.job", reference=reference), 303)


@bp.get("/jobs/<uuid:reference>")
@requires(Permission.ACCOUNT_OWN)
def job(reference: uuid.UUID) -> ResponseReturnValue:
    """One job, to those who see to the whole force's jobs and to the person who asked for it."""
    return _page("jobs/job.html", _seen(reference))


@bp.get("/jobs/<uuid:reference>/progress")
@requires(Permission.ACCOUNT_OWN)
def progress(reference: uuid.UUID) -> ResponseReturnValue:
    """The part of the job's page that changes; the page asks for it again and again."""
    return _page("jobs/progress.html", _seen(reference))


@bp.post("/jobs/<uuid:reference>/cancel")
@requires(Permission.ACCOUNT_OWN)
def cancel(reference: uuid.UUID) -> ResponseReturnValue:
    """Cancel a job that waits or runs."""
    _seen(reference)
    with transaction():
        services.cancel(reference, by=current_user.person_id, at=clock.now())
    flash("The job is cancelled. What it had not finished was not applied.")
    return redirect(url_for("jobs.job", reference=reference), 303)


@bp.post("/jobs/<uuid:reference>/again")
@requires(Permission.ACCOUNT_OWN)
def again(reference: uuid.UUID) -> ResponseReturnValue:
    """Try a job again that failed or was cancelled."""
    _seen(reference)
    with transaction():
        services.again(reference, by=current_user.person_id, at=clock.now())
    flash("The job waits for a worker again.")
    return redirect(url_for("jobs.job", reference=reference), 303)


def _seen(reference: uuid.UUID) -> Any:
    """The job, where the viewer may see it.

    Raises:
        NotFoundError: There is no such job, or it is another person's.
    """
    row = queries.job_row(reference, current_user.viewer)
    if row.asked_by_id != current_user.person_id and not _runs_all():
        raise NotFoundError("There is no such job.")
    return row


def _runs_all() -> bool:
    """Whether the viewer sees to all jobs by a role without a unit: reasons of jobs name people of any."""
    allowed = Permission.JOB_VIEW in current_user.permissions
    return allowed and units_allowing(current_user.viewer, Permission.JOB_VIEW) is None


def _refuse_limited() -> None:
    if not _runs_all():
        raise ForbiddenError("Jobs are the whole force's, and your role is for a unit.")


def _page(template: str, row: Any) -> str:
    return render_template(
        template,
        row=row,
        wording=wording,
        lists_all=Permission.JOB_VIEW in current_user.permissions,
    )
