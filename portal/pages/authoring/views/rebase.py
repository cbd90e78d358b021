"""Merging a newer published version into a draft that was opened before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.content_diff import (
    FIELD_LABELS,
    ReferenceTitles,
    decode_text,
    humanise_key,
    question_name,
    table_text,
    value_text,
)
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.merging import QUESTION_PART, TEXT_PART, WHOLE_FILE, MergeConflict
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
NO_TITLES = ReferenceTitles({}, {})


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A part of a file that was changed both in the draft and in the published version."""

    name: str
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
    choices = {conflict.name: _sent_choice(conflict.name) for conflict in conflicts}
    if not all(choices.values()):
        return _render_conflicts(state, conflicts, is_incomplete=True)
    try:
        _merge_draft(state, {name: choice == MINE for name, choice in choices.items()})
    except StaleSaveError as error:
        flash(str(error), "error")
        return redirect(url_for(".bring_in", key=key), 303)
    return _finish_rebase(state)


def _sent_choice(name: str) -> str:
    """The choice sent for a conflict: “mine”, “theirs” or empty."""
    choice = request.form.get(f"keep:{name}", "")
    return choice if choice in {MINE, THEIRS} else ""


def _merge_draft(state: DraftState, keeps_mine: Mapping[str, bool]) -> list[MergeConflict]:
    with transaction():
        return services.rebase_draft(
            state.draft_id,
            by=current_user.person_id,
            at=clock.now(),
            keeps_mine=keeps_mine,
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
            name=conflict.name,
            title=_conflict_title(conflict),
            differences=_list_differences(conflict),
            mine_removed=conflict.mine is None,
            theirs_removed=conflict.theirs is None,
            choice=_sent_choice(conflict.name),
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
    """The words of both sides where they differ; none for media, and where a side has no such part."""
    if conflict.path.startswith("media/") or conflict.mine is None or conflict.theirs is None:
        return []
    pairs = pair_paragraphs(*(_part_text(conflict.part, value) for value in (conflict.theirs, conflict.mine)))
    return [diff_words(pair.old or "", pair.new or "") for pair in pairs if not pair.is_unchanged]


def _part_text(part: str, value: Any) -> str:
    """A part as authors read it."""
    if isinstance(value, bytes):
        return decode_text(value)
    if isinstance(value, list) and any(isinstance(row, dict) for row in value):
        value = {part: value}
    return table_text(value, NO_TITLES) if isinstance(value, dict) else value_text(part, value, NO_TITLES)


def _conflict_title(conflict: MergeConflict) -> str:
    """A part's name for authors."""
    if conflict.part.startswith(QUESTION_PART):
        return question_name(conflict.part.removeprefix(QUESTION_PART))
    title = _file_title(conflict.path)
    if conflict.part in {WHOLE_FILE, TEXT_PART}:
        return title
    label = FIELD_LABELS.get(conflict.part) or humanise_key(conflict.part)
    return f"{title}: {label[:1].lower()}{label[1:]}"


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
