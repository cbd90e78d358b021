"""Publishing a reviewed draft at a time to come, and cancelling it."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring.reviews import queries as review_queries
from portal.domain.authoring.reviews import scheduling
from portal.pages.authoring.forms.review import ScheduleForm
from portal.pages.authoring.views.blueprint import bp
from portal.pages.authoring.views.review import sent_review_id, version_names
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import instant as say_instant


@bp.route("/<draft:key>/review/schedule", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def schedule_draft(key: str) -> ResponseReturnValue:
    """Ask when to publish what was reviewed, and approve it for then."""
    review = review_queries.latest_review(key)
    form = ScheduleForm(data={"review": str(review.review_id)})
    if form.validate_on_submit() and form.instant is not None:
        try:
            with transaction():
                scheduling.schedule_publication(
                    sent_review_id(), form.instant, by=current_user.person_id, at=clock.now()
                )
        except RuleError as error:
            form.when.errors = [str(error)]
        else:
            flash(f"Approved. It is published at {say_instant(form.instant)}.", "success")
            return redirect(url_for(".show_review", key=key), 303)
    page = render_template("authoring/schedule.html", form=form, review=review, **version_names(review))
    return page, 400 if form.errors else 200


@bp.post("/<draft:key>/review/cancel-schedule")
@requires(Permission.VERSION_PUBLISH)
def cancel_schedule(key: str) -> ResponseReturnValue:
    """Cancel a scheduled publication; the review stays open."""
    with transaction():
        scheduling.cancel_publication(sent_review_id(), by=current_user.person_id, at=clock.now())
    flash("Cancelled. It is not published until somebody publishes it.", "success")
    return redirect(url_for(".show_review", key=key), 303)
