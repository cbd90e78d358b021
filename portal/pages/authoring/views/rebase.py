"""Bringing a newer published version into a draft that was begun before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.editing.field_tables import humanise_key
from portal.domain.authoring.editing.three_way_merge import MergeConflict
from portal.domain.authoring.editing.word_diff import WordRuns, diff_words, pair_paragraphs
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.queries import DraftState
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Permission

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True, slots=True)
class Side:
    """One file that both sides changed, as the page shows it."""

    path: str
    title: str
    rows: Sequence[tuple[WordRuns, WordRuns]]  # the published version's words and the draft's
    mine_gone: bool  # the draft has no such file
    theirs_gone: bool
    chosen: str


@bp.route("/<draft:key>/bring-in", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def bring_in(key: str) -> ResponseReturnValue:
    """Say what bringing the newer version in means, do it, and ask where both sides changed one place."""
    state = queries.get_draft(key)
    if not state.is_behind:
        return redirect(url_for(".show_module", key=key), 303)
    if request.method == "GET":
        return _render_conflicts(state, [])
    conflicts = _merge_draft(state, {})
    number = request.form.get("number", "")
    if not conflicts:
        return _finish_rebase(state)
    if not number:
        return _render_conflicts(state, conflicts), 409
    if number != str(state.number):
        flash("Someone saved in this draft after you opened the page. Choose again.", "error")
        return _render_conflicts(state, conflicts), 409
    chosen = {c.path: _chosen_content(c, side) for c in conflicts if (side := _choice_field(c.path))}
    if len(chosen) < len(conflicts):
        return _render_conflicts(state, conflicts, asked=True)
    try:
        _merge_draft(state, chosen)
    except StaleSaveError as error:
        flash(str(error), "error")
        return redirect(url_for(".bring_in", key=key), 303)
    return _finish_rebase(state)


def _choice_field(path: str) -> str:
    said = request.form.get(f"keep:{path}", "")
    return said if said in {MINE, THEIRS} else ""


def _chosen_content(conflict: MergeConflict, side: str) -> bytes | None:
    return conflict.with_mine if side == MINE else conflict.with_theirs


def _merge_draft(state: DraftState, chosen: Mapping[str, bytes | None]) -> list[MergeConflict]:
    with transaction():
        return services.rebase_draft(
            state.draft_id,
            by=current_user.person_id,
            at=clock.now(),
            chosen=chosen,
            expected=state.number,
        )


def _finish_rebase(state: DraftState) -> ResponseReturnValue:
    flash(f"Version {state.published_number} is brought in. Your own changes are kept.", "success")
    return redirect(url_for(".show_module", key=state.key), 303)


def _render_conflicts(state: DraftState, conflicts: Sequence[MergeConflict], *, asked: bool = False) -> str:
    sides = [
        Side(
            path=each.path,
            title=_file_title(each.path),
            rows=_list_differences(each),
            mine_gone=each.mine is None,
            theirs_gone=each.theirs is None,
            chosen=_choice_field(each.path),
        )
        for each in conflicts
    ]
    return render_template(
        "authoring/bring_in.html",
        state=state,
        sides=sides,
        asked=asked,
        parent_text=draft_context.breadcrumb_text(state, draft_context.title_of(state)),
    )


def _list_differences(conflict: MergeConflict) -> list[tuple[WordRuns, WordRuns]]:
    """The places that both sides changed; where they are not told apart, what differs in the whole file."""
    if any(hunk.theirs or hunk.mine for hunk in conflict.hunks):
        return [diff_words(hunk.theirs, hunk.mine) for hunk in conflict.hunks]
    if conflict.path.startswith("media/") or conflict.mine is None or conflict.theirs is None:
        return []
    pairs = pair_paragraphs(conflict.theirs.decode(), conflict.mine.decode())
    return [diff_words(pair.old or "", pair.new or "") for pair in pairs if not pair.is_unchanged]


def _file_title(path: str) -> str:
    """A file as an author calls it."""
    folder, _, name = path.rpartition("/")
    said = humanise_key(name.partition(".")[0])
    if folder == "media":
        return f"The file “{name}”"
    named = {"lessons": f"Lesson “{said}”", "items": f"Questions “{said}”"}
    if not folder and path.endswith(".md"):
        return "Job aid" if path == "job-aid.md" else "The guide’s text"
    return named.get(folder) or "Module details"
