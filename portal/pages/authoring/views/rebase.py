"""Merging a newer published version into a draft that was opened before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.content_diff import humanise_key
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.merging import MergeConflict
from portal.domain.authoring.queries import DraftState
from portal.domain.authoring.texts import WordRuns, diff_words, pair_paragraphs
from portal.domain.catalogue.module_source import SHEET_NAMES
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Permission

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A file that was changed both in the draft and in the published version."""

    path: str
    title: str
    differences: Sequence[tuple[WordRuns, WordRuns]]  # the published version's words and the draft's
    mine_removed: bool  # the draft has no such file
    theirs_removed: bool
    choice: str  # "mine", "theirs" or empty


@bp.route("/<draft:key>/bring-in", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def bring_in(key: str) -> ResponseReturnValue:
    """Merge the newer version into the draft; ask what to keep where both changed the same place."""
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
    contents = {
        conflict.path: _chosen_content(conflict, choice)
        for conflict in conflicts
        if (choice := _sent_choice(conflict.path))
    }
    if len(contents) < len(conflicts):
        return _render_conflicts(state, conflicts, is_incomplete=True)
    try:
        _merge_draft(state, contents)
    except StaleSaveError as error:
        flash(str(error), "error")
        return redirect(url_for(".bring_in", key=key), 303)
    return _finish_rebase(state)


def _sent_choice(path: str) -> str:
    """The choice sent for a file: “mine”, “theirs” or empty."""
    choice = request.form.get(f"keep:{path}", "")
    return choice if choice in {MINE, THEIRS} else ""


def _chosen_content(conflict: MergeConflict, choice: str) -> bytes | None:
    return conflict.with_mine if choice == MINE else conflict.with_theirs


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


def _render_conflicts(
    state: DraftState, conflicts: Sequence[MergeConflict], *, is_incomplete: bool = False
) -> str:
    rows = [
        ConflictRow(
            path=conflict.path,
            title=_file_title(conflict.path),
            differences=_list_differences(conflict),
            mine_removed=conflict.mine is None,
            theirs_removed=conflict.theirs is None,
            choice=_sent_choice(conflict.path),
        )
        for conflict in conflicts
    ]
    return render_template(
        "authoring/bring_in.html",
        state=state,
        conflicts=rows,
        is_incomplete=is_incomplete,
        parent_text=draft_context.breadcrumb_text(state, draft_context.title_of(state)),
    )


def _list_differences(conflict: MergeConflict) -> list[tuple[WordRuns, WordRuns]]:
    """The words of the places that both changed; if these are unknown, the differences in the whole file."""
    if any(hunk.theirs or hunk.mine for hunk in conflict.hunks):
        return [diff_words(hunk.theirs, hunk.mine) for hunk in conflict.hunks]
    if conflict.path.startswith("media/") or conflict.mine is None or conflict.theirs is None:
        return []
    pairs = pair_paragraphs(conflict.theirs.decode(), conflict.mine.decode())
    return [diff_words(pair.old or "", pair.new or "") for pair in pairs if not pair.is_unchanged]


def _file_title(path: str) -> str:
    """A file's name for authors."""
    folder, _, name = path.rpartition("/")
    title = humanise_key(name.partition(".")[0])
    if folder == "media":
        return f"The file “{name}”"
    titles = {"lessons": f"Lesson “{title}”", "items": f"Questions “{title}”"}
    if not folder and path.endswith(".md"):
        return SHEET_NAMES.get(name.removesuffix(".md"), "The guide’s text")
    return titles.get(folder) or "Module details"
