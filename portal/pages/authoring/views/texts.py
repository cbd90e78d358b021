"""The editor of a lesson, the job aid or a guide: shown, added to, previewed, saved, and saved too late."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from markupsafe import Markup

from portal.domain.authoring import queries, services, snippets
from portal.domain.authoring.editing import lesson as text
from portal.domain.authoring.editing.word_diff import WordRuns, diff_words, pair_paragraphs
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.preview.lesson_preview import TextPreview, preview_text
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.sources.validation import sha256_of
from portal.domain.content_checks.metrics import TextMeasures
from portal.pages.authoring.views import autosave, draft_context
from portal.pages.layout.form_fields import LONGEST_TEXT
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError

Written = Callable[[bytes], bytes]  # the file as the form says it, of the file as it stands or stood
PICTURES = (".svg", ".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, slots=True)
class TextSheet:
    """One text of a draft, as its editor works on it."""

    state: DraftState
    path: str
    place: str  # as in ``Presence``
    caption: str  # above its title
    whole: str  # title of the module, or of the guide itself
    learner: str  # address of the learner's page of it
    outcomes: Sequence[tuple[str, str]] = ()  # of the module, by key and text
    lines: Callable[[bytes], list[str]] = lambda held: [text.read_lesson(held).title]  # beside its text

    @property
    def is_lesson(self) -> bool:
        """Whether it is a lesson, else the job aid or a guide."""
        return self.place.startswith("lesson:")

    @property
    def editor_address(self) -> str:
        """Where its editor stands."""
        if self.is_lesson:
            return url_for(".edit_lesson", key=self.state.key, name=self.place.partition(":")[2])
        return url_for(".job_aid" if self.place == "job-aid" else ".edit_guide", key=self.state.key)

    @property
    def picture_paths(self) -> list[str]:
        """Paths of what a figure can show, second drawings for phones aside."""
        return [
            path
            for path in self.state.files
            if path.startswith("media/") and path.endswith(PICTURES) and ".narrow." not in path
        ]


def handle_editor(sheet: TextSheet, form: FlaskForm, held: bytes, written: Written) -> ResponseReturnValue:
    """What a request to the editor asks for.

    Args:
        sheet: The text.
        form: What the file says, or what was sent.
        held: The file as it stands; empty where there is none.
        written: Makes the file of the form, of the file as it stands or stood.
    """
    if request.method == "GET":
        back = url_for(".show_module", key=sheet.state.key)
        other = draft_context.taken_page(
            sheet.state, sheet.place, f"{sheet.caption}, {form.title.data}", back
        )
        return other or page(sheet, form, held)
    if "leave" in request.form:
        with transaction():
            services.leave_place(sheet.state.draft_id, sheet.place, by=current_user.person_id)
        return redirect(url_for(".show_module", key=sheet.state.key), 303)
    if "theirs" in request.form:
        flash("You kept what the other person saved.", "success")
        return redirect(sheet.editor_address, 303)
    if box := _asked_box(sheet, form):
        form.body.data = snippets.append_snippet(form.body.data or "", box)
        return page(sheet, form, written(held), unsaved=True)
    if "preview" in request.form or "again" in request.form:
        return page(sheet, form, written(held), unsaved=True)
    if "quiet" in request.form:
        save = partial(_keep, sheet, form, written(held)) if form.validate_on_submit() else None
        return autosave.save_quietly(sheet.state, sheet.place, "Save and preview", save)
    if "both" in request.form:
        return _save_both(sheet, form, held, written)
    return _save(sheet, form, held, written)


def _asked_box(sheet: TextSheet, form: FlaskForm) -> snippets.Snippet | None:
    asked = request.form.get("add", "")
    return next((box for box in _boxes(sheet, form) if box.name == asked), None)


def _boxes(sheet: TextSheet, form: FlaskForm) -> list[snippets.Snippet]:
    return snippets.offer_snippets(form.body.data or "", sheet.picture_paths, checks=sheet.is_lesson)


def _save(sheet: TextSheet, form: FlaskForm, held: bytes, written: Written) -> ResponseReturnValue:
    content = written(held)
    if not form.validate_on_submit():
        return page(sheet, form, content, unsaved=True)
    try:
        _keep(sheet, form, content)
    except StaleSaveError as error:
        return stale(sheet, form, held, written, error)
    except PortalError as error:
        form.form_errors.append(str(error))
        return page(sheet, form, content, unsaved=True), 409
    with transaction():
        services.claim_place(sheet.state.draft_id, sheet.place, by=current_user.person_id, at=clock.now())
    flash("Saved", "success")
    return redirect(sheet.editor_address, 303)


def _save_both(sheet: TextSheet, form: FlaskForm, held: bytes, written: Written) -> ResponseReturnValue:
    """Save what was written and what the other saved as one text; asked anew where they saved once more."""
    present = sheet.state.files.get(sheet.path)
    both = autosave.merge_saved(sheet.state, sheet.path, autosave.sent_base(), written)
    if both is None or form.expected.data != present:
        error = StaleSaveError({sheet.path: present}, sheet.state.last_saved_by)
        return stale(sheet, form, held, written, error)
    return _save(sheet, form, held, lambda _: both)


def _keep(sheet: TextSheet, form: FlaskForm, content: bytes) -> str:
    """Save the file; returns its hash."""
    draft_context.save_files(sheet.state, {sheet.path: content}, form.expected.data or "", _summary(form))
    return sha256_of(content)


def _summary(form: FlaskForm) -> str:
    return f"“{form.title.data}” edited"


def page(sheet: TextSheet, form: FlaskForm, content: bytes, *, unsaved: bool = False) -> str:
    """The editor with the preview of ``content``."""
    return render_template(
        "authoring/text.html",
        sheet=sheet,
        form=form,
        unsaved=unsaved,
        base=autosave.sent_base(),
        boxes=_boxes(sheet, form),
        parent_text=draft_context.breadcrumb_text(sheet.state, sheet.whole),
        **_preview(sheet, form, content),
    )


def fragment(sheet: TextSheet, form: FlaskForm, content: bytes) -> str:
    """The parts of the editor that follow the writing."""
    return render_template("authoring/render.html", sheet=sheet, form=form, **_preview(sheet, form, content))


def _preview(sheet: TextSheet, form: FlaskForm, content: bytes) -> dict[str, Any]:
    body = form.body.data or ""
    if len(body) > LONGEST_TEXT:  # refused when it is saved; neither rendered nor measured beyond its words
        made = TextPreview(Markup(), [], TextMeasures(len(body.split()), 0, 0, None))
    else:
        made = preview_text(sheet.state, sheet.path, content)
    where = {n: f"#mark-{n}" for n in range(1, len(made.findings) + 1) if f'id="mark-{n}"' in made.html}
    return {
        "drafted": made,
        "findings": draft_context.list_findings(made.findings, where),
        "told": draft_context.findings_sentence(made.findings),
    }


def stale(
    sheet: TextSheet, form: FlaskForm, held: bytes, written: Written, error: StaleSaveError
) -> ResponseReturnValue:
    """Both texts side by side, and what may be done about it."""
    present = error.present.get(sheet.path)
    base = autosave.sent_base() or form.expected.data or ""
    theirs = queries.read_content(present) if present else b""
    said = text.read_lesson(theirs) if theirs else None
    form.expected.data = present or ""
    page = render_template(
        "authoring/stale.html",
        sheet=sheet,
        form=form,
        saved_by=error.saved_by,
        theirs=said,
        rows=_rows(sheet, theirs, written(held)),
        base=base,
        both=autosave.merge_saved(sheet.state, sheet.path, base, written) is not None,
        parent_text=draft_context.breadcrumb_text(sheet.state, sheet.whole),
    )
    return page, 409


def _rows(sheet: TextSheet, theirs: bytes, mine: bytes) -> list[tuple[WordRuns, WordRuns]]:
    """Their text and mine beside each other, paragraph by paragraph, the title first."""
    own = sheet.lines(mine)
    heads = zip(sheet.lines(theirs) if theirs else [""] * len(own), own, strict=True)
    pairs = pair_paragraphs(text.read_lesson(theirs).body if theirs else "", text.read_lesson(mine).body)
    sides = [((pair.old or "").rstrip("\n"), (pair.new or "").rstrip("\n")) for pair in pairs]
    return [diff_words(*side) for side in [*heads, *sides]]


def gone(key: str, form: FlaskForm) -> ResponseReturnValue:
    """What was typed for a place that is no more, to be copied."""
    try:
        ended = False
        queries.get_draft(key)
    except NotFoundError:
        ended = True
    page = render_template("authoring/gone.html", key=key, form=form, ended=ended)
    return page, 409


def free_name(title: str, taken: Collection[str], otherwise: str) -> str:
    """A name for addresses made of a title, not one of ``taken``."""
    stem = re.sub(r"[^a-z0-9]+", "-", title.lower().replace("’", "")).strip("-")[:50].strip("-") or otherwise
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name
