"""A draft's saved states, any of which can be brought back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.queries import SavedState
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission

PAUSE = timedelta(minutes=15)  # between two saves of one piece of work


@dataclass(frozen=True, slots=True)
class Run:
    """Saves of one person at one thing, shortly after each other, as one line of the history."""

    last: SavedState
    count: int


def _group_saves(saved: Sequence[SavedState]) -> list[Run]:
    """The states, the newest first, with those that were saved while somebody was writing as one."""
    runs: list[Run] = []
    before: SavedState | None = None
    for each in saved:
        if before is not None and _goes_on(each, before):
            runs[-1] = Run(runs[-1].last, runs[-1].count + 1)
        else:
            runs.append(Run(each, 1))
        before = each
    return runs


def _goes_on(earlier: SavedState, later: SavedState) -> bool:
    same = (earlier.saved_by_id, earlier.summary) == (later.saved_by_id, later.summary)
    return same and later.saved_at - earlier.saved_at <= PAUSE


@bp.get("/<draft:key>/history")
@requires(Permission.AUTHORING_VIEW)
def show_history(key: str) -> ResponseReturnValue:
    """Every saved state: when, who, what."""
    state = queries.get_draft(key)
    saved = queries.list_saves(state.draft_id)
    asked = QueryArguments(request.args, request.path)
    every = asked.choice("every", ("yes",)) == "yes"
    runs = [Run(each, 1) for each in saved] if every else _group_saves(saved)
    page = asked.page(len(runs))
    answer = render_template(
        "authoring/history.html",
        errors=asked.errors(),
        state=state,
        runs=runs[page.offset : page.last],
        page=page,
        total=len(saved),
        hidden=len(saved) - len(runs),
        every=every,
        may_edit=draft_context.may_edit() and state.review is None,
        parent_text=draft_context.breadcrumb_text(state, draft_context.title_of(state)),
    )
    return answer, asked.status


@bp.post("/<draft:key>/history")
@requires(Permission.DRAFT_EDIT)
def restore_state(key: str) -> ResponseReturnValue:
    """Bring a saved state back, as the next one."""
    state = queries.get_draft(key)
    number = request.form.get("number", "")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise RuleError("Choose a saved state from the history.")
    with transaction():
        services.restore_state(state.draft_id, int(number), by=current_user.person_id, at=clock.now())
    flash(f"State {number} is back. What stood there before is kept in the history.", "success")
    return redirect(url_for(".show_module", key=key), 303)
