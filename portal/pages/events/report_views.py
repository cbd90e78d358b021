"""The figures of events: who attended, places left, who is needed next, and who booked and did not come."""

from datetime import timedelta

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.events.coming import list_coming_events, read_outcomes
from portal.domain.events.figures import find_next_syndicates, read_attendance, read_force_attendance
from portal.pages.events.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.permissions import Permission

OUTCOME_DAYS = 365  # how far back outcomes are counted


@bp.get("/events/figures")
@requires(Permission.EVENT_VIEW)
def show_figures() -> ResponseReturnValue:
    """The figures of the people the viewer may see, or numbers of the force for who runs events.

    Everybody may see the places.
    """
    viewer, today = current_user.viewer, clock.today()
    names = Permission.PERSON_VIEW in viewer.permissions
    counts_force = not names and Permission.EVENT_RUN in viewer.permissions
    attendances = read_force_attendance(today) if counts_force else read_attendance(viewer, today)
    coming = list_coming_events(clock.now())
    since = today - timedelta(days=OUTCOME_DAYS)
    return render_template(
        "events/figures.html",
        attendances=attendances,
        coming=coming,
        syndicates=find_next_syndicates(attendances, coming, today, named=not counts_force),
        counts_force=counts_force,
        outcomes=read_outcomes(viewer, since, today),
        since=since,
        may_book=Permission.EVENT_BOOK in viewer.permissions,
        opens_people=names,
        sees_assurance=Permission.ASSURANCE_VIEW in viewer.permissions,
    )
