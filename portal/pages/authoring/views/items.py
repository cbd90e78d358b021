"""Questions of a draft: their editor, adding, moving and removing them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Form, SelectChoice

from portal.domain.authoring import item_source, queries, services
from portal.domain.authoring.editing import details, item_bank, three_way_merge
from portal.domain.authoring.editing.field_tables import ReferenceTitles, diff_fields
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.item_source import Table
from portal.domain.authoring.preview.item_preview import preview_item
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue import queries as catalogue
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import ItemKind
from portal.pages.authoring.forms.item import ItemForm, KindForm, NewItemForm, form_data_of
from portal.pages.authoring.views import autosave, draft_context, texts
from portal.pages.authoring.views.blueprint import bp
from portal.pages.authoring.views.item_preview import preview_values
from portal.pages.layout.access import requires
from portal.pages.layout.item_kinds import editor_of_kind
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.permissions import Permission

_SILENT = re.compile(r"^(?:csrf_token|expected|save|row|retired|place|base|preview|both)$|-(?:key|correct)$")


@dataclass(frozen=True)
class EditedItem:
    """One question of a draft, as its editor works on it."""

    state: DraftState
    files: dict[str, bytes]
    module: details.ModuleDetails
    table: Table  # as saved; a new question has its kind alone
    kind: ItemKind
    number: int  # counts from 1; 0: a new question
    total: int

    @property
    def key(self) -> str:
        """The item's key; empty for a new question."""
        return str(self.table.get("key", ""))

    @property
    def place(self) -> str:
        """Its place, as in ``Presence``."""
        return f"item:{self.key}"

    @property
    def fragment_place(self) -> str:
        """Its place in requests for the parts that change as the author types."""
        return self.place if self.key else f"new-item:{self.kind.name}"

    @property
    def sources(self) -> dict[str, str]:
        """The titles of testable sources by number."""
        return {
            source.number: f"{source.number}, {source.title}"
            for source in catalogue.list_sources()
            if source.testable
        }


def _open_item(state: DraftState, key: str) -> EditedItem:
    files = queries.draft_files(state)
    places = item_bank.read_items(files)
    number = next((n for n, place in enumerate(places, 1) if place.key == key), None)
    if number is None:
        raise NotFoundError(f"This draft has no question “{key}”.")
    table = places[number - 1].table
    kind = item_source.kind_of_table(table)
    if kind is None:
        raise NotFoundError(f"“{table.get('kind')}” is not a kind of question.")
    return EditedItem(
        state, files, details.read_details(files[draft_context.MODULE_FILE]), table, kind, number, len(places)
    )


@bp.route("/<module:key>/items/<item>", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def edit_item(key: str, item: str) -> ResponseReturnValue:
    """Edit one question, with its findings and a preview."""
    try:
        edited = _open_item(queries.get_draft(key), item)
    except NotFoundError:
        if request.method == "POST":
            return _render_gone(key)
        raise
    if request.method == "GET":
        what, back = item_source.item_name(item), url_for(".show_module", key=key)
        if taken := draft_context.taken_page(edited.state, edited.place, what, back):
            return taken
    form = ItemForm(edited.module.outcomes, edited.sources, data=_form_values(edited.table))
    return _handle_form(edited, form)


def _render_gone(key: str) -> ResponseReturnValue:
    """Show what was typed for a question that has been removed, to be copied."""
    typed_texts = [
        text.strip()
        for name, text in request.form.items()
        if text.strip() and not _SILENT.search(name) and not name.startswith(("source", "outcome"))
    ]
    return render_template("authoring/item_gone.html", key=key, typed=typed_texts), 409


@bp.route("/<module:key>/items/_new", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def new_item(key: str) -> ResponseReturnValue:
    """Add a question: first its kind, then its texts."""
    state = queries.get_draft(key)
    kind = kinds_by_name().get(request.args.get("kind", ""))
    if kind is None:
        return _ask_kind(state)
    edited = _start_item(state, kind)
    return _handle_form(edited, NewItemForm(edited.module.outcomes, edited.sources, data=_form_values({})))


def _start_item(state: DraftState, kind: ItemKind | None) -> EditedItem:
    """A new question of this kind, not saved yet."""
    if kind is None:
        raise NotFoundError("There is no such kind of question.")
    files = queries.draft_files(state)
    module = details.read_details(files[draft_context.MODULE_FILE])
    return EditedItem(state, files, module, {"kind": kind.name}, kind, 0, len(item_bank.read_items(files)))


def _form_values(table: Table) -> dict[str, Any]:
    return {**form_data_of(table), "expected": item_source.table_digest(table)}


def _ask_kind(state: DraftState) -> ResponseReturnValue:
    form = KindForm(request.args)
    form.kind.choices = [
        SelectChoice(value=kind.name, label=kind.label, render_kw={"hint": kind.advice})
        for kind in kinds_by_name().values()
    ]
    if request.args:
        form.validate()
    title = draft_context.read_module_details(state).title
    return render_template(
        "authoring/new_item.html",
        form=form,
        state=state,
        parent_text=draft_context.breadcrumb_text(state, title),
    )


def render_fragment(key: str, item: str) -> str:
    """The parts of the editor that change as the author types, for the question that was sent."""
    edited = _open_item(queries.get_draft(key), item)
    return _fragment_of_form(edited, ItemForm(edited.module.outcomes, edited.sources))


def render_new_fragment(key: str, kind: str) -> str:
    """The same parts for a new question."""
    edited = _start_item(queries.get_draft(key), kinds_by_name().get(kind))
    return _fragment_of_form(edited, NewItemForm(edited.module.outcomes, edited.sources))


def _fragment_of_form(edited: EditedItem, form: ItemForm) -> str:
    kind_form = editor_of_kind(edited.kind.name).read_form(request.form)
    item_preview = preview_item(edited.state, _typed_table(edited, form, kind_form, edited.table))
    return render_template("authoring/render_item.html", **preview_values(item_preview))


def _handle_form(edited: EditedItem, form: ItemForm) -> ResponseReturnValue:
    """Handle a request to the editor: show it, change its rows, or save it."""
    if request.method == "GET":
        return _render_page(edited, form, editor_of_kind(edited.kind.name).open_form(edited.table))
    if "leave" in request.form:
        return _leave_editor(edited)
    if "theirs" in request.form:
        flash("You kept what the other person saved.", "success")
        return redirect(url_for(".edit_item", key=edited.state.key, item=edited.key), 303)
    kind_form = editor_of_kind(edited.kind.name).read_form(request.form)
    if editor_of_kind(edited.kind.name).pressed_button(request.form) or "preview" in request.form:
        return _render_page(edited, form, kind_form, unsaved=True)
    is_valid = all([form.validate_on_submit(), kind_form.validate()])
    if "quiet" in request.form:
        save = partial(_save_quietly, edited, form, kind_form) if is_valid and edited.key else None
        return autosave.save_quietly(edited.state, edited.place, "Save the question", save)
    if not is_valid:
        return _render_page(edited, form, kind_form, unsaved=True), 400
    return _save_item(edited, form, kind_form)


def _leave_editor(edited: EditedItem) -> ResponseReturnValue:
    with transaction():
        services.leave_place(edited.state.draft_id, edited.place, by=current_user.person_id)
    return redirect(url_for(".show_module", key=edited.state.key, _anchor="questions"), 303)


def _checked_table(edited: EditedItem, form: ItemForm, kind_form: Form) -> Table:
    """The question's table with the values of a valid form."""
    return item_source.merge_form_values(
        edited.table,
        form.entered_table(),
        item_source.strip_invisible(editor_of_kind(edited.kind.name).to_item(kind_form)),
    )


def _typed_table(edited: EditedItem, form: ItemForm, kind_form: Form, table: Table) -> Table:
    """``table`` with the values of a form that may be incomplete, without those that its kind cannot read."""
    try:
        kind_values = item_source.strip_invisible(editor_of_kind(edited.kind.name).to_item(kind_form))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        kind_values = {}
    return item_source.merge_form_values(table, form.entered_table(), kind_values)


def _save_item(edited: EditedItem, form: ItemForm, kind_form: Form) -> ResponseReturnValue:
    table = _checked_table(edited, form, kind_form)
    try:
        if "both" in request.form:
            key = _keep_both(edited, form, kind_form)
        else:
            key = _save_table(edited, form, table) if edited.key else _add_item(edited, form, table)
    except StaleSaveError as error:
        return _render_stale(edited, form, kind_form, error)
    except PortalError as error:
        form.form_errors.append(str(error))
        return _render_page(edited, form, kind_form, unsaved=True), 409
    flash("The question is saved." if edited.key else "The question is added.", "success")
    return redirect(url_for(".edit_item", key=edited.state.key, item=key), 303)


def _save_quietly(edited: EditedItem, form: ItemForm, kind_form: Form) -> str:
    """Save the question; returns the digest of the saved table."""
    _save_table(edited, form, _checked_table(edited, form, kind_form))
    return item_source.table_digest(_open_item(queries.get_draft(edited.state.key), edited.key).table)


def _save_table(edited: EditedItem, form: ItemForm, table: Table) -> str:
    """Save the question; returns its key."""
    changes = item_bank.write_item(edited.files, edited.key, table)
    if changes:
        _refuse_stale(edited, form)
    _write_changes(edited.state, changes, f"Changed the question “{edited.key}”")
    return edited.key


def _keep_both(edited: EditedItem, form: ItemForm, kind_form: Form) -> str:
    """Save both authors' changes; returns the question's key."""
    _refuse_stale(edited, form)
    changes = _merge_item(edited, form, kind_form, autosave.sent_base())
    if changes is None:
        raise StaleSaveError({}, edited.state.last_saved_by)
    _write_changes(edited.state, changes, f"Changed the question “{edited.key}”")
    return edited.key


def _refuse_stale(edited: EditedItem, form: ItemForm) -> None:
    if form.expected.data != item_source.table_digest(edited.table):
        raise StaleSaveError({}, edited.state.last_saved_by)


def _merge_item(
    edited: EditedItem, form: ItemForm, kind_form: Form, base_digest: str
) -> dict[str, bytes | None] | None:
    """Merge what was typed with what was saved meanwhile; None if both changed the same place.

    Args:
        edited: The question as it is saved now.
        form: What was typed in the fields of every kind.
        kind_form: What was typed in the fields of its kind.
        base_digest: The digest of the question when the page was opened.
    """
    path = item_bank.find_item(edited.files, edited.key).path
    base = item_source.file_with_digest(
        queries.list_saves(edited.state.draft_id), path, edited.key, base_digest
    )
    if base is None:
        return None
    base_table = item_bank.find_item({path: base}, edited.key).table
    my_table = _typed_table(edited, form, kind_form, base_table)
    mine = item_bank.write_item({path: base}, edited.key, my_table).get(path) or base
    merged = three_way_merge.merge_cleanly(path, base, mine, edited.files[path])
    return None if merged is None else {path: merged}


def _add_item(edited: EditedItem, form: ItemForm, values: Table) -> str:
    """Add the question, unless an equal one exists, as after a second click; returns its key."""
    tables = {place.key: place.table for place in item_bank.read_items(edited.files)}
    common_values = {name: values[name] for name in item_source.COMMON_KEYS if name in values}
    if equal_key := next((key for key, table in tables.items() if table == {"key": key, **values}), None):
        return equal_key
    key = texts.unused_key(str(form["name"].data), tables, "question")
    table = {"key": key, **common_values, **values}
    path = item_source.file_for_new_item(edited.files, str(values["outcome"]))
    _write_changes(edited.state, item_bank.add_item(edited.files, table, path), f"Added the question “{key}”")
    return key


def _write_changes(state: DraftState, changes: Mapping[str, bytes | None], summary: str) -> None:
    """Save changes that were made to this state; if the file has changed since, nothing is saved."""
    if changes:
        first = next(iter(changes))
        draft_context.save_files(state, changes, state.files.get(first, ""), summary)


def _render_page(
    edited: EditedItem,
    form: ItemForm,
    kind_form: Form,
    *,
    unsaved: bool = False,
    error: StaleSaveError | None = None,
) -> str:
    base_digest = autosave.sent_base() or (str(form.expected.data) if error else "")
    table = _typed_table(edited, form, kind_form, edited.table) if unsaved else edited.table
    if base_digest:  # both versions are shown until one is saved
        form.expected.data = item_source.table_digest(edited.table)
    titles = ReferenceTitles(dict(edited.module.outcomes), {})
    return render_template(
        "authoring/item.html",
        desk=True,
        item=edited,
        form=form,
        kind_form=kind_form,
        kind=edited.kind,
        unsaved=unsaved,
        base=base_digest,
        differing=list(diff_fields(edited.table, table, titles)) if base_digest else None,
        both=bool(base_digest) and _merge_item(edited, form, kind_form, base_digest) is not None,
        name=item_source.item_name(edited.key) if edited.key else "New question",
        parent_text=draft_context.breadcrumb_text(edited.state, edited.module.title),
        **preview_values(preview_item(edited.state, table)),
    )


def _render_stale(
    edited: EditedItem, form: ItemForm, kind_form: Form, error: StaleSaveError
) -> ResponseReturnValue:
    """Show what was typed, and how it differs from what someone else saved meanwhile."""
    saved_item = _open_item(queries.get_draft(edited.state.key), edited.key)
    form.form_errors.append(str(error))
    return _render_page(saved_item, form, kind_form, unsaved=True, error=error), 409


@bp.post("/<module:key>/items/_order")
@requires(Permission.DRAFT_EDIT)
def move_item(key: str) -> ResponseReturnValue:
    """Swap a question with the one before (``up``) or after it (``down``)."""
    state = queries.get_draft(key)
    name = request.form.get("up") or request.form.get("down") or ""
    changes = item_bank.move_item(queries.draft_files(state), name, "up" in request.form)
    _write_changes(state, changes, f"Moved the question “{name}”")
    return redirect(url_for(".show_module", key=key, _anchor=f"item-{name}"), 303)


@bp.route("/<module:key>/items/<item>/remove", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def remove_item(key: str, item: str) -> ResponseReturnValue:
    """Say what removing a question means, and remove it."""
    edited = _open_item(queries.get_draft(key), item)
    expected = item_source.table_digest(edited.table)
    if request.method == "POST":
        if request.form.get("expected") != expected:
            flash("Someone saved this question after you opened the page. Look at it again.", "error")
            return redirect(url_for(".remove_item", key=key, item=item), 303)
        _write_changes(
            edited.state, item_bank.remove_item(edited.files, item), f"Removed the question “{item}”"
        )
        with transaction():
            services.leave_place(edited.state.draft_id, edited.place, by=current_user.person_id)
        flash("The question is removed from the draft. You can bring it back from the history.", "success")
        return redirect(url_for(".show_module", key=key, _anchor="questions"), 303)
    return render_template(
        "authoring/remove_item.html",
        item=edited,
        expected=expected,
        name=item_source.item_name(item),
        prompt=str(edited.table.get("prompt", "")),
        remaining=sum(place.table.get("retired") is not True for place in item_bank.read_items(edited.files))
        - 1,
        parent_text=draft_context.breadcrumb_text(edited.state, edited.module.title),
    )
