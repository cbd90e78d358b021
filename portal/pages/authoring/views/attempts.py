"""One more attempt at a module, opened by staff number."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring.extra_attempts import open_extra_attempt
from portal.domain.catalogue.queries import current_version
from portal.pages.authoring.forms.attempts import ExtraAttemptByNumberForm
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission


@bp.route("/<module:key>/attempts", methods=["GET", "POST"])
@requires(Permission.ATTEMPT_OPEN_UNSEEN)
def open_attempt(key: str) -> ResponseReturnValue:
    """Open one more attempt at this module; the answer reveals nothing else about the person."""
    version = current_version(key)
    if version is None:
        raise NotFoundError(f"The module “{key}” is not published, so nobody has used its attempts.")
    title = version.title.partition(":")[0]
    form = ExtraAttemptByNumberForm()
    if not form.validate_on_submit():
        return render_template("authoring/attempts.html", key=key, version=version, title=title, form=form)
    staff_number, author_id = form.staff_number.data.strip(), current_user.person_id
    try:
        with transaction():
            is_open = open_extra_attempt(
                version, staff_number, by=author_id, reason=form.reason.data, at=clock.now()
            )
    except RuleError as error:
        flash(str(error), "error")
    else:
        flash(*_result_message(is_open, title, staff_number))
    return redirect(url_for(".open_attempt", key=key), 303)


def _result_message(is_open: bool, title: str, staff_number: str) -> tuple[str, str]:
    """The message and its kind."""
    if is_open:
        return f"One more attempt at {title} was opened today for {staff_number}.", "success"
    return (
        f"No attempt at {title} was opened. Either nobody has the staff number"
        f" {staff_number}, or that person has an attempt left or has passed."
        " Their line manager can see which.",
        "error",
    )
