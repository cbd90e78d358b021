"""A draft's saved states, any of which can be brought back."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.access import requires
from portal.authoring import queries, services
from portal.authoring.views import opening
from portal.authoring.views.blueprint import bp
from portal.db import transaction
from portal.errors import RuleError
from portal.permissions import Permission
from portal.web.paging import Page


@bp.get("/<key>/history")
@requires(Permission.AUTHORING_VIEW)
def history(key: str) -> ResponseReturnValue:
    """Every saved state: when, who, what."""
    state = queries.draft(key)
    saved = queries.saves(state.draft_id)
    page = Page.of(len(saved), request.path, request.args.items(multi=True))
    return render_template(
        "authoring/history.html",
        state=state,
        saves=saved[page.offset : page.last],
        page=page,
        total=len(saved),
        may_edit=opening.may_edit() and state.review is None,
        parent_text=opening.crumb(state, opening.module_of(state).title),
    )


@bp.post("/<key>/history")
@requires(Permission.DRAFT_EDIT)
def restore(key: str) -> ResponseReturnValue:
    """Bring a saved state back, as the next one."""
    state = queries.draft(key)
    number = request.form.get("number", "")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise RuleError("Choose a saved state from the history.")
    with transaction():
        services.restore(state.draft_id, int(number), by=current_user.person_id, at=clock.now())
    flash(f"State {number} is back. What stood there before is kept in the history.", "success")
    return redirect(url_for(".module", key=key), 303)
