"""Pages of exercises: the list of runs, and opening one; other files add the rooms' screens."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.exercises.running.opening import (
    RunRequest,
    list_events_to_run,
    list_runs,
    open_run,
)
from portal.domain.exercises.versions.queries import list_newest_versions
from portal.pages.exercises import lead_views, plenary_views, run_views, version_views
from portal.pages.exercises.blueprint import bp
from portal.pages.layout.access import requires
from portal.pages.layout.form_fields import clean_text, read_whole_number
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission

__all__ = ["bp", "lead_views", "plenary_views", "run_views", "version_views"]
run_views.add_run_pages(bp)


@bp.get("/exercises")
@requires(Permission.LEARN)
def list_exercise_runs() -> ResponseReturnValue:
    """List the runs that the person may open, and what they may begin."""
    return _show_list()


@bp.post("/exercises")
@requires(Permission.LEARN)
def begin_run() -> ResponseReturnValue:
    """Open a run, and lead to its first page."""
    form, viewer = request.form, current_user.viewer
    requested = RunRequest(
        clean_text(form.get("exercise", "")),
        form.get("kind", ""),
        clean_text(form.get("event", "")),
        read_whole_number(form.get("syndicates", "")) or 0,
    )
    try:
        with transaction():
            reference = open_run(viewer, requested, clock.now())
    except RuleError as error:
        return _show_list(str(error))
    if requested.kind == "table_top":
        return redirect(url_for(".show_syndicate", reference=reference, syndicate=1), 303)
    return redirect(url_for(".show_control", reference=reference), 303)


def _show_list(error: str = "") -> ResponseReturnValue:
    now = clock.now()
    facilitates = Permission.EXERCISE_RUN in current_user.permissions
    return render_template(
        "exercises/index.html",
        runs=list_runs(current_user.viewer, now),
        offers=list_newest_versions(),
        events=list_events_to_run(clock.london_day(now)) if facilitates else [],
        facilitates=facilitates,
        error=error,
    )
