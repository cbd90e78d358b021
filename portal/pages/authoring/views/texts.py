"""The editor of a lesson, a sheet or a guide: showing, previewing, saving and resolving conflicts."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from portal.domain.authoring import files, queries, services
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.files import LessonCheck, LessonFields, fold_checks, is_case_path
from portal.domain.authoring.media import PICTURE_ENDINGS
from portal.domain.authoring.preview import TextPreview, preview_text
from portal.domain.authoring.queries import DraftState
from portal.domain.authoring.texts import WordRuns, diff_words, pair_paragraphs
from portal.domain.catalogue.module_check import sha256_of
from portal.domain.catalogue.module_source import SHEET_NAMES
from portal.domain.content_checks.metrics import TextMeasures
from portal.pages.authoring.views import autosave, draft_context
from portal.pages.layout.forms import LONGEST_TEXT, PortalForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError

WriteFile = Callable[[bytes], bytes]  # applies the form to the content of a file


@dataclass(frozen=True, slots=True)
class TextSheet:
    """One text of a draft, as its editor works on it."""

    state: DraftState
    path: str
    place: str  # as in ``Presence``
    caption: str  # above its title
    parent_title: str  # of the module, or of the guide itself
    preview_address: str  # of the learner's page of it
    outcomes: Sequence[tuple[str, str]] = ()  # key and text of the module's outcomes
    checks: Sequence[LessonCheck] = ()  # those that a form edits
    lines: Callable[[bytes], list[str]] = lambda content: [files.read_lesson(content).title]
    # its title and other fields, which the comparison of two versions shows above the text
    read: Callable[[bytes], LessonFields] = files.read_lesson

    @property
    def is_lesson(self) -> bool:
        """Whether it is a lesson, else the job aid, the briefing or a guide."""
        return self.place.startswith("lesson:")

    @property
    def is_case(self) -> bool:
        """Whether it is a lesson that is a case, whose title and minutes are part of its text."""
        return is_case_path(self.path)

    @property
    def is_sheet(self) -> bool:
        """Whether it is the job aid or the briefing."""
        return self.place in SHEET_NAMES

    @property
    def endpoint_words(self) -> str:
        """A sheet's place as endpoints have it."""
        return self.place.replace("-", "_")

    @property
    def editor_address(self) -> str:
        """The address of its editor."""
        if self.is_lesson:
            return url_for(".edit_lesson", key=self.state.key, name=self.place.partition(":")[2])
        if self.is_sheet:
            return url_for(f".{self.endpoint_words}", key=self.state.key)
        return url_for(".edit_guide", key=self.state.key)

    @property
    def picture_paths(self) -> list[str]:
        """Paths of the pictures that a figure can show, without phone versions."""
        return [
            path
            for path in self.state.files
            if path.startswith("media/") and path.endswith(PICTURE_ENDINGS) and ".narrow." not in path
        ]


def handle_editor(
    sheet: TextSheet, form: PortalForm, content: bytes, write_file: WriteFile
) -> ResponseReturnValue:
    """Handle a request to the editor: show it, or do what the pressed button says.

    Args:
        sheet: The text.
        form: Filled from the file, or from the request.
        content: The current file; empty if there is none.
        write_file: Applies the form to the content of a file.
    """
    if request.method == "GET":
        back = url_for(".show_module", key=sheet.state.key)
        taken = draft_context.taken_page(
            sheet.state, sheet.place, f"{sheet.caption}, {form.title.data}", back
        )
        return taken or _render_page(sheet, form, content)
    if "leave" in request.form:
        with transaction():
            services.leave_place(sheet.state.draft_id, sheet.place, by=current_user.person_id)
        return redirect(url_for(".show_module", key=sheet.state.key), 303)
    if "theirs" in request.form:
        flash("You kept what the other person saved.", "success")
        return redirect(sheet.editor_address, 303)
    if not {"preview", "again", "add", "as_text", "as_blocks"}.isdisjoint(request.form):
        return _show_unsaved(sheet, form, content, write_file)
    if "quiet" in request.form:
        save = partial(_save_file, sheet, form, write_file(content)) if form.validate_on_submit() else None
        return autosave.save_quietly(sheet.state, sheet.place, "Save and preview", save)
    if "both" in request.form:
        return _save_both(sheet, form, content, write_file)
    return _save_text(sheet, form, content, write_file)


def _show_unsaved(
    sheet: TextSheet, form: PortalForm, content: bytes, write_file: WriteFile
) -> ResponseReturnValue:
    """Show the form again, with a box added or its checks in another form; nothing is saved."""
    if snippet := _requested_snippet(sheet, form):
        form.body.data = files.append_snippet(form.body.data or "", snippet)
    if "as_text" in request.form or "as_blocks" in request.form:
        body, saved = (files.read_lesson(each).body for each in (write_file(content), content))
        form.body.data = body if "as_text" in request.form else fold_checks(body, saved)
    new_content = write_file(content)
    return _render_page(sheet, form, new_content, unsaved=new_content != content)


def _shows_text() -> bool:
    """Whether the author works on the checks as text."""
    return "as_blocks" not in request.form and bool({"as_text", "as"} & set(request.values))


def _requested_snippet(sheet: TextSheet, form: PortalForm) -> files.Snippet | None:
    name = request.form.get("add", "")
    return next((snippet for snippet in _offer_snippets(sheet, form) if snippet.name == name), None)


def _offer_snippets(sheet: TextSheet, form: PortalForm) -> list[files.Snippet]:
    if sheet.is_case:
        return []
    as_text = sheet.is_lesson and _shows_text()
    return files.offer_snippets(form.body.data or "", sheet.picture_paths, checks=as_text)


def _save_text(
    sheet: TextSheet, form: PortalForm, content: bytes, write_file: WriteFile
) -> ResponseReturnValue:
    new_content = write_file(content)
    if not form.validate_on_submit():
        return _render_page(sheet, form, new_content, unsaved=True)
    try:
        _save_file(sheet, form, new_content)
    except StaleSaveError as error:
        return _render_stale(sheet, form, content, write_file, error)
    except PortalError as error:
        form.form_errors.append(str(error))
        return _render_page(sheet, form, new_content, unsaved=True), 409
    with transaction():
        services.claim_place(sheet.state.draft_id, sheet.place, by=current_user.person_id, at=clock.now())
    flash("Saved", "success")
    return redirect(_next_address(sheet), 303)


def _next_address(sheet: TextSheet) -> str:
    """Where a button that saves leads: to a check, or back to the editor."""
    if not sheet.is_lesson:
        return sheet.editor_address
    address: dict[str, Any] = {"key": sheet.state.key, "name": sheet.place.partition(":")[2]}
    if "new_check" in request.form:
        return url_for(".new_check", **address)
    if check := request.form.get("check"):
        return url_for(".edit_check", **address, check=check)
    return url_for(".edit_lesson", **(address | {"as": "text"} if _shows_text() else address))


def _save_both(
    sheet: TextSheet, form: PortalForm, content: bytes, write_file: WriteFile
) -> ResponseReturnValue:
    """Save both authors' changes as one text; if the other saved again, ask again."""
    saved_hash = sheet.state.files.get(sheet.path)
    merged = autosave.merge_saved(sheet.state, sheet.path, autosave.sent_base(), write_file)
    if merged is None or form.expected.data != saved_hash:
        error = StaleSaveError({sheet.path: saved_hash}, sheet.state.last_saved_by)
        return _render_stale(sheet, form, content, write_file, error)
    return _save_text(sheet, form, content, lambda _: merged)


def _save_file(sheet: TextSheet, form: PortalForm, content: bytes) -> str:
    """Save the file; returns its hash."""
    summary = f"“{form.title.data}” edited"
    draft_context.save_files(sheet.state, {sheet.path: content}, form.expected.data or "", summary)
    return sha256_of(content)


def _render_page(sheet: TextSheet, form: PortalForm, content: bytes, *, unsaved: bool = False) -> str:
    """The editor with the preview of ``content``."""
    return render_template(
        "authoring/text.html",
        sheet=sheet,
        form=form,
        unsaved=unsaved,
        base=autosave.sent_base(),
        as_text=_shows_text(),
        snippets=_offer_snippets(sheet, form),
        parent_text=draft_context.breadcrumb_text(sheet.state, sheet.parent_title),
        **_preview_values(sheet, form, content),
    )


def render_fragment(sheet: TextSheet, form: PortalForm, content: bytes) -> str:
    """The parts of the editor that change as the author types."""
    values = _preview_values(sheet, form, content)
    return render_template("authoring/render.html", sheet=sheet, form=form, **values)


def _preview_values(sheet: TextSheet, form: PortalForm, content: bytes) -> dict[str, Any]:
    body = form.body.data or ""
    if len(body) > LONGEST_TEXT:  # it cannot be saved: only its words are counted
        text_preview = TextPreview(Markup(), [], TextMeasures(len(body.split()), 0, 0, None))
    else:
        text_preview = preview_text(sheet.state, sheet.path, content)
    addresses = {
        n: f"#mark-{n}"
        for n in range(1, len(text_preview.findings) + 1)
        if f'id="mark-{n}"' in text_preview.html
    }
    return {
        "text_preview": text_preview,
        "findings": draft_context.list_findings(text_preview.findings, addresses),
        "summary": draft_context.findings_sentence(text_preview.findings),
    }


def _render_stale(
    sheet: TextSheet, form: PortalForm, content: bytes, write_file: WriteFile, error: StaleSaveError
) -> ResponseReturnValue:
    """Show both texts side by side, and the ways to resolve the conflict."""
    saved_hash = error.present.get(sheet.path)
    base = autosave.sent_base() or form.expected.data or ""
    theirs = queries.read_content(saved_hash) if saved_hash else b""
    form.expected.data = saved_hash or ""
    page = render_template(
        "authoring/stale.html",
        sheet=sheet,
        form=form,
        saved_by=error.saved_by,
        theirs=sheet.read(theirs) if theirs else None,
        rows=_compare_texts(sheet, theirs, write_file(content)),
        base=base,
        both=autosave.merge_saved(sheet.state, sheet.path, base, write_file) is not None,
        parent_text=draft_context.breadcrumb_text(sheet.state, sheet.parent_title),
    )
    return page, 409


def _compare_texts(sheet: TextSheet, theirs: bytes, mine: bytes) -> list[tuple[WordRuns, WordRuns]]:
    """Compare both texts paragraph by paragraph, the title and other fields first."""
    my_lines = sheet.lines(mine)
    line_pairs = zip(sheet.lines(theirs) if theirs else [""] * len(my_lines), my_lines, strict=True)
    their_fields = sheet.read(theirs) if theirs else LessonFields("", 0, [], "")
    my_fields = sheet.read(mine)
    pairs = pair_paragraphs(their_fields.body, my_fields.body)
    paragraph_pairs = [((pair.old or "").rstrip("\n"), (pair.new or "").rstrip("\n")) for pair in pairs]
    notes = [(their_fields.note, my_fields.note)] if their_fields.note or my_fields.note else []
    return [diff_words(*pair) for pair in [*line_pairs, *paragraph_pairs, *notes]]


def render_gone(key: str, form: PortalForm) -> ResponseReturnValue:
    """Show what was typed for a place that has been removed, to be copied."""
    try:
        ended = False
        queries.get_draft(key)
    except NotFoundError:
        ended = True
    page = render_template("authoring/gone.html", key=key, form=form, ended=ended)
    return page, 409


def unused_key(title: str, taken: Collection[str], otherwise: str) -> str:
    """Make a key for addresses from a title, different from those in ``taken``."""
    stem = re.sub(r"[^a-z0-9]+", "-", title.lower().replace("’", "")).strip("-")[:50].strip("-") or otherwise
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name
