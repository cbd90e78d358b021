"""“Must pass again from a date”: a choice when publishing, previewed before it is made."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries
from portal.domain.authoring.reviews import queries as review_queries
from portal.domain.authoring.reviews.publishing import PassAgain, propose_minimum, publish_and_ask_again
from portal.domain.authoring.reviews.queries import ReviewState
from portal.domain.status.minimum_versions import MinimumEffect, preview_minimum
from portal.pages.authoring.forms.review import PassAgainForm
from portal.pages.authoring.views.blueprint import bp
from portal.pages.authoring.views.review import version_names
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.permissions import Permission


@bp.route("/<module:key>/review/pass-again", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def publish_and_ask(key: str) -> ResponseReturnValue:
    """Ask from which day older passes do not count, show whom that concerns, then publish."""
    review = review_queries.latest_review(key)
    if review.ended_at is not None or not review.base_number:
        raise NotFoundError("Nothing waits to be published that could be asked for again.")
    form = PassAgainForm(data={"review": str(review.review_id)})
    if not form.validate_on_submit() or form.from_on.day is None:
        return _render(review, form), 400 if request.method == "POST" else 200
    try:
        effect = preview_minimum(propose_minimum(key, form.from_on.day, clock.today()))
        previewed = (str(review.review_id), form.from_on.day.isoformat())
        if "publish" not in request.form or (form.review.data, request.form.get("previewed")) != previewed:
            return _render(review, form, effect)
        confirmed = request.form.get("people", type=int)
        choice = PassAgain(
            key,
            review.review_id,
            form.from_on.day.isoformat(),
            -1 if confirmed is None else confirmed,
            clock.now().isoformat(),
        )
        done = publish_and_ask_again(choice, by=current_user.person_id)
    except RuleError as error:
        form.from_on.errors = [str(error)]
        return _render(review, form), 400
    except ConflictError as error:
        form.form_errors.append(str(error))
        return _render(review, form), 409
    if isinstance(done, UUID):
        return redirect(url_for("jobs.show_job", reference=done), 303)
    flash(done, "success")
    return redirect(url_for(".show_module", key=key), 303)


def _render(review: ReviewState, form: PassAgainForm, effect: MinimumEffect | None = None) -> str:
    return render_template(
        "authoring/pass_again.html",
        review=review,
        form=form,
        effect=effect,
        under_way=sum(people for _, people in review_queries.count_people_under_way(review.key)),
        own_work=current_user.person_id in queries.editor_ids(review.draft_id),
        **version_names(review),
    )
