"""The editor that questions and self-checks share: showing, previewing, saving and resolving conflicts."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup
from wtforms import Form

from portal.domain.authoring import merging, preview, queries, services
from portal.domain.authoring.content_diff import ReferenceTitles, diff_fields
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.preview import PLACEHOLDER, ItemPreview, ItemView, Table
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.pages.authoring.item_forms import QuestionForm
from portal.pages.authoring.views import autosave, draft_context, question_pictures
from portal.pages.authoring.views.edited_tables import EditedTable
from portal.pages.layout.item_kinds import editor_of_kind
from portal.platform.db import transaction
from portal.platform.errors import PortalError

# The preview of a question beside its editor.

_NAMING_ATTRIBUTES = re.compile(
    r' (id|for|name|aria-describedby|aria-labelledby|aria-controls|headers)="([^"]*)"'
)


def preview_values(item_preview: ItemPreview) -> dict[str, Any]:
    """The template values that change as the author types: findings, measures and the rendered question."""
    return {
        "item_preview": item_preview,
        "findings": draft_context.list_findings(item_preview.findings),
        "summary": draft_context.findings_sentence(item_preview.findings),
        "preview_html": _render_item(item_preview.view) if item_preview.view else None,
    }


def _render_item(view: ItemView) -> Markup:
    """The question as a learner sees it; a prefix tells its ids and names from the form's."""
    prompt = fill_placeholders(view.prompt_html)
    html = render_template(
        "authoring/item_preview.html",
        kind=view.kind,
        item=view,
        shown=view.controls,
        prompt=prompt if prompt.striptags() else PLACEHOLDER,  # a heading must not be empty
        fill=fill_placeholders,
        errors={},
    )
    prefixed = _NAMING_ATTRIBUTES.sub(
        lambda m: f' {m[1]}="{" ".join(f"seen-{w}" for w in m[2].split())}"', html
    )
    return Markup(re.sub(r"(</?)h1\b", r"\1h2", prefixed))  # noqa: S704 - rendered by the templates


_SILENT = re.compile(
    r"^(?:csrf_token|expected|save|row|retired|duties|place|base|preview|both|figure|picture)$|-(?:key|correct)$"
)


def handle_request(edited: EditedTable) -> ResponseReturnValue:
    """Handle a request to the editor: show it, change its rows, or save it."""
    if request.method == "GET":
        page = edited.page
        if edited.key and (
            taken := draft_context.taken_page(edited.state, page.place, page.name, page.parent_address)
        ):
            return taken
        form = edited.make_form(data=edited.form_values)
        return _render_page(edited, form, editor_of_kind(edited.kind.name).open_form(edited.table))
    if "leave" in request.form:
        return _leave_editor(edited)
    if "theirs" in request.form:
        flash("You kept what the other person saved.", "success")
        return redirect(edited.page.address, 303)
    return _handle_form(edited, edited.make_form(data=edited.form_values))


def _handle_form(edited: EditedTable, form: QuestionForm) -> ResponseReturnValue:
    editor = editor_of_kind(edited.kind.name)
    kind_form = editor.read_form(request.form)
    if question_pictures.is_asked():
        edited, form = question_pictures.add_picture(edited, form)
        return _render_page(edited, form, kind_form, unsaved=True)
    if editor.pressed_button(request.form) or "preview" in request.form:
        return _render_page(edited, form, kind_form, unsaved=True)
    is_valid = all([form.validate_on_submit(), kind_form.validate()])
    if "quiet" in request.form:
        save = partial(_save_quietly, edited, form, kind_form) if is_valid and edited.key else None
        return autosave.save_quietly(edited.state, edited.page.place, f"Save the {edited.noun}", save)
    if not is_valid:
        return _render_page(edited, form, kind_form, unsaved=True), 400
    return _save(edited, form, kind_form)


def render_gone(key: str, noun: str) -> ResponseReturnValue:
    """Show what was typed for a question or check that has been removed, to be copied."""
    typed_texts = [
        text.strip()
        for name, text in request.form.items()
        if text.strip() and not _SILENT.search(name) and not name.startswith(("source", "outcome"))
    ]
    return render_template("authoring/item_gone.html", key=key, noun=noun, typed=typed_texts), 409


def render_fragment(edited: EditedTable) -> str:
    """The parts of the editor that change as the author types, for what was sent."""
    form = edited.make_form()
    kind_form = editor_of_kind(edited.kind.name).read_form(request.form)
    item_preview = edited.preview(_typed_table(edited, form, kind_form, edited.table))
    return render_template("authoring/render_item.html", **preview_values(item_preview))


def write_changes(state: DraftState, changes: Mapping[str, bytes | None], summary: str) -> None:
    """Save changes that were made to this state; if the file has changed since, nothing is saved."""
    if changes:
        first = next(iter(changes))
        draft_context.save_files(state, changes, state.files.get(first, ""), summary)


def leave_place(edited: EditedTable) -> None:
    """Say that the signed-in person no longer edits it."""
    with transaction():
        services.leave_place(edited.state.draft_id, edited.page.place, by=current_user.person_id)


def _leave_editor(edited: EditedTable) -> ResponseReturnValue:
    leave_place(edited)
    return redirect(edited.page.parent_address, 303)


def _checked_table(edited: EditedTable, form: QuestionForm, kind_form: Form) -> Table:
    """The table with the values of a valid form."""
    return preview.merge_form_values(
        edited.table,
        form.entered_table(),
        preview.strip_invisible(editor_of_kind(edited.kind.name).to_item(kind_form)),
    )


def _typed_table(edited: EditedTable, form: QuestionForm, kind_form: Form, table: Table) -> Table:
    """``table`` with the values of a form that may be incomplete, without those that its kind cannot read."""
    try:
        kind_values = preview.strip_invisible(editor_of_kind(edited.kind.name).to_item(kind_form))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        kind_values = {}
    return preview.merge_form_values(table, form.entered_table(), kind_values)


def _save(edited: EditedTable, form: QuestionForm, kind_form: Form) -> ResponseReturnValue:
    table = _checked_table(edited, form, kind_form)
    try:
        if "both" in request.form:
            key = _keep_both(edited, form, kind_form)
        else:
            key = _save_table(edited, form, table) if edited.key else _add_table(edited, form, table)
    except StaleSaveError as error:
        return _render_stale(edited, form, kind_form, error)
    except PortalError as error:
        form.form_errors.append(str(error))
        return _render_page(edited, form, kind_form, unsaved=True), 409
    flash(f"The {edited.noun} is {'saved' if edited.key else edited.added_words}.", "success")
    return redirect(edited.page.address if edited.key else edited.reopen(key).after_adding, 303)


def _save_quietly(edited: EditedTable, form: QuestionForm, kind_form: Form) -> str:
    """Save it; returns the digest of the saved table."""
    _save_table(edited, form, _checked_table(edited, form, kind_form))
    return preview.table_digest(edited.reopen(edited.key).table)


def _save_table(edited: EditedTable, form: QuestionForm, table: Table) -> str:
    """Save it; returns its key."""
    content = edited.files[edited.path]
    new_content = edited.write_in(content, table)
    if new_content != content:
        _refuse_stale(edited, form)
        write_changes(edited.state, {edited.path: new_content}, f"Changed the {edited.noun} “{edited.key}”")
    return edited.key


def _add_table(edited: EditedTable, form: QuestionForm, table: Table) -> str:
    """Add it; returns its key."""
    key, changes = edited.add(form, table)
    write_changes(edited.state, changes, f"Added the {edited.noun} “{key}”")
    return key


def _keep_both(edited: EditedTable, form: QuestionForm, kind_form: Form) -> str:
    """Save both authors' changes; returns the key."""
    _refuse_stale(edited, form)
    merged = _merge(edited, form, kind_form, autosave.sent_base())
    if merged is None:
        raise StaleSaveError({}, edited.state.last_saved_by)
    write_changes(edited.state, {edited.path: merged}, f"Changed the {edited.noun} “{edited.key}”")
    return edited.key


def _refuse_stale(edited: EditedTable, form: QuestionForm) -> None:
    if form.expected.data != preview.table_digest(edited.table):
        raise StaleSaveError({}, edited.state.last_saved_by)


def _merge(edited: EditedTable, form: QuestionForm, kind_form: Form, base_digest: str) -> bytes | None:
    """Merge what was typed with what was saved meanwhile; None if both changed the same place.

    Args:
        edited: The question or check as it is saved now.
        form: What was typed in the fields of every kind.
        kind_form: What was typed in the fields of its kind.
        base_digest: The digest of its table when the page was opened.
    """
    saves = queries.list_saves(edited.state.draft_id)
    content = preview.file_with_digest(saves, edited.path, edited.table_in, base_digest)
    base = edited.table_in(content) if content is not None else None
    if base is None:
        return None
    merged, clashing = merging.merge_parts(base, _typed_table(edited, form, kind_form, base), edited.table)
    try:
        return None if clashing else edited.write_in(edited.files[edited.path], merged)
    except PortalError:
        return None


def _render_page(
    edited: EditedTable,
    form: QuestionForm,
    kind_form: Form,
    *,
    unsaved: bool = False,
    error: StaleSaveError | None = None,
) -> str:
    base_digest = autosave.sent_base() or (str(form.expected.data) if error else "")
    table = _typed_table(edited, form, kind_form, edited.table) if unsaved else edited.table
    if base_digest:  # both versions are shown until one is saved
        form.expected.data = preview.table_digest(edited.table)
    titles = ReferenceTitles(dict(edited.module.outcomes), {})
    return render_template(
        "authoring/item.html",
        desk=True,
        item=edited,
        page=edited.page,
        form=form,
        kind_form=kind_form,
        kind=edited.kind,
        unsaved=unsaved,
        base=base_digest,
        differing=list(diff_fields(edited.table, table, titles)) if base_digest else None,
        both=bool(base_digest) and _merge(edited, form, kind_form, base_digest) is not None,
        **preview_values(edited.preview(table)),
    )


def _render_stale(
    edited: EditedTable, form: QuestionForm, kind_form: Form, error: StaleSaveError
) -> ResponseReturnValue:
    """Show what was typed, and how it differs from what someone else saved meanwhile."""
    form.form_errors.append(str(error))
    return _render_page(edited.reopen(edited.key), form, kind_form, unsaved=True, error=error), 409
