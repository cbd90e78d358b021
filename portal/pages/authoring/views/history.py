"""The history of a draft: its saved states, any of which can be restored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.queries import SavedState
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission

MAX_PAUSE = timedelta(minutes=15)  # between two saves that the history shows as one line


@dataclass(frozen=True, slots=True)
class SaveGroup:
    """One line of the history: saves by one person in one place, shortly after each other."""

    last: SavedState
    count: int


def _group_saves(saves: Sequence[SavedState]) -> list[SaveGroup]:
    """Group the saves, the newest first, so that the autosaves of one edit are one line."""
    groups: list[SaveGroup] = []
    later: SavedState | None = None
    for save in saves:
        if later is not None and _is_same_edit(save, later):
            groups[-1] = SaveGroup(groups[-1].last, groups[-1].count + 1)
        else:
            groups.append(SaveGroup(save, 1))
        later = save
    return groups


def _is_same_edit(earlier: SavedState, later: SavedState) -> bool:
    is_same_work = (earlier.saved_by_id, earlier.summary) == (later.saved_by_id, later.summary)
    return is_same_work and later.saved_at - earlier.saved_at <= MAX_PAUSE


@bp.get("/<draft:key>/history")
@requires(Permission.AUTHORING_VIEW)
def show_history(key: str) -> ResponseReturnValue:
    """List the saved states: what was changed, by whom and when."""
    state = queries.get_draft(key)
    saves = queries.list_saves(state.draft_id)
    arguments = QueryArguments(request.args, request.path)
    every = arguments.choice("every", ("yes",)) == "yes"
    groups = [SaveGroup(save, 1) for save in saves] if every else _group_saves(saves)
    page = arguments.page(len(groups))
    html = render_template(
        "authoring/history.html",
        errors=arguments.errors(),
        state=state,
        groups=groups[page.offset : page.last],
        page=page,
        total=len(saves),
        hidden=len(saves) - len(groups),
        every=every,
        may_edit=draft_context.may_edit() and state.review is None,
        parent_text=draft_context.breadcrumb_text(state, draft_context.title_of(state)),
    )
    return html, arguments.status


@bp.post("/<draft:key>/history")
@requires(Permission.DRAFT_EDIT)
def restore_state(key: str) -> ResponseReturnValue:
    """Restore a saved state, as the next one."""
    state = queries.get_draft(key)
    number = request.form.get("number", "")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise RuleError("Choose a saved state from the history.")
    with transaction():
        services.restore_state(state.draft_id, int(number), by=current_user.person_id, at=clock.now())
    flash(f"State {number} is back. The state before it is kept in the history.", "success")
    return redirect(url_for(".show_module", key=key), 303)
