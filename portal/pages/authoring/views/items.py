"""Questions of a draft: their editor, a new one, their order, and taking one out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup
from wtforms import Form, SelectChoice

from portal.domain.authoring import item_source, queries, services
from portal.domain.authoring.editing import details, item_bank, three_way_merge
from portal.domain.authoring.editing.field_tables import ReferenceTitles, diff_fields
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.item_source import Table
from portal.domain.authoring.preview.item_preview import PLACEHOLDER, ItemPreview, preview_item
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue import queries as catalogue
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import ItemKind
from portal.pages.authoring.forms.item import ItemForm, KindForm, NewItemForm, form_data_of
from portal.pages.authoring.views import autosave, draft_context, texts
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.pages.layout.item_kinds import editor_of_kind
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.permissions import Permission

_SILENT = re.compile(r"^(?:csrf_token|expected|save|row|retired|place|base|preview|both)$|-(?:key|correct)$")
_NAMED = re.compile(r' (id|for|name|aria-describedby|aria-labelledby|aria-controls|headers)="([^"]*)"')


@dataclass(frozen=True)
class ItemDesk:
    """One question of a draft, as its page works on it."""

    state: DraftState
    files: dict[str, bytes]
    module: details.ModuleDetails
    table: Table  # as it is saved; of a new one its kind alone
    kind: ItemKind
    number: int  # counts from 1; 0: new
    total: int

    @property
    def key(self) -> str:
        """The item's; empty: new."""
        return str(self.table.get("key", ""))

    @property
    def place(self) -> str:
        """As in ``Presence``."""
        return f"item:{self.key}"

    @property
    def fragment_place(self) -> str:
        """The place as its page names it for what follows the writing."""
        return self.place if self.key else f"new-item:{self.kind.name}"

    @property
    def sources(self) -> dict[str, str]:
        """What may be tested, by number."""
        return {s.number: f"{s.number}, {s.title}" for s in catalogue.list_sources() if s.testable}


def _open_desk(state: DraftState, key: str) -> ItemDesk:
    files = queries.draft_files(state)
    places = item_bank.read_items(files)
    number = next((n for n, place in enumerate(places, 1) if place.key == key), None)
    if number is None:
        raise NotFoundError(f"This draft has no question “{key}”.")
    table = places[number - 1].table
    kind = item_source.kind_of_table(table)
    if kind is None:
        raise NotFoundError(f"“{table.get('kind')}” is not a kind of question.")
    return ItemDesk(
        state, files, details.read_details(files[draft_context.MODULE_FILE]), table, kind, number, len(places)
    )


@bp.route("/<module:key>/items/<item>", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def edit_item(key: str, item: str) -> ResponseReturnValue:
    """One question: its words, what the check says of it, and how a learner sees it."""
    try:
        desk = _open_desk(queries.get_draft(key), item)
    except NotFoundError:
        if request.method == "POST":
            return _render_gone(key)
        raise
    if request.method == "GET":
        what, back = item_source.item_name(item), url_for(".show_module", key=key)
        if taken := draft_context.taken_page(desk.state, desk.place, what, back):
            return taken
    form = ItemForm(desk.module.outcomes, desk.sources, data=_preview_values(desk.table))
    return _handle_form(desk, form)


def _render_gone(key: str) -> ResponseReturnValue:
    """What was typed for a question that is no more, to be copied."""
    typed = [
        text.strip()
        for name, text in request.form.items()
        if text.strip() and not _SILENT.search(name) and not name.startswith(("source", "outcome"))
    ]
    return render_template("authoring/item_gone.html", key=key, typed=typed), 409


@bp.route("/<module:key>/items/_new", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def new_item(key: str) -> ResponseReturnValue:
    """A new question: first its kind, then its words."""
    state = queries.get_draft(key)
    kind = kinds_by_name().get(request.args.get("kind", ""))
    if kind is None:
        return _ask_kind(state)
    desk = _new_item_desk(state, kind)
    return _handle_form(desk, NewItemForm(desk.module.outcomes, desk.sources, data=_preview_values({})))


def _new_item_desk(state: DraftState, kind: ItemKind | None) -> ItemDesk:
    """A question of this kind that is not added yet."""
    if kind is None:
        raise NotFoundError("There is no such kind of question.")
    files = queries.draft_files(state)
    module = details.read_details(files[draft_context.MODULE_FILE])
    return ItemDesk(state, files, module, {"kind": kind.name}, kind, 0, len(item_bank.read_items(files)))


def _preview_values(table: Table) -> dict[str, Any]:
    return {**form_data_of(table), "expected": item_source.table_digest(table)}


def _ask_kind(state: DraftState) -> ResponseReturnValue:
    form = KindForm(request.args)
    form.kind.choices = [
        SelectChoice(value=each.name, label=each.label, render_kw={"hint": each.advice})
        for each in kinds_by_name().values()
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
    """What stands beside a question, for the words that were sent."""
    desk = _open_desk(queries.get_draft(key), item)
    return _fragment_of_form(desk, ItemForm(desk.module.outcomes, desk.sources))


def new_fragment(key: str, kind: str) -> str:
    """The same of a question that is not added yet."""
    desk = _new_item_desk(queries.get_draft(key), kinds_by_name().get(kind))
    return _fragment_of_form(desk, NewItemForm(desk.module.outcomes, desk.sources))


def _fragment_of_form(desk: ItemDesk, form: ItemForm) -> str:
    inner = editor_of_kind(desk.kind.name).read_form(request.form)
    drafted = preview_item(desk.state, _typed_table(desk, form, inner, desk.table))
    return render_template("authoring/render_item.html", **_values_beside(drafted))


def _handle_form(desk: ItemDesk, form: ItemForm) -> ResponseReturnValue:
    """What a request to the editor asks for: to show, to add or take out a row, or to save."""
    if request.method == "GET":
        return _render_page(desk, form, editor_of_kind(desk.kind.name).open_form(desk.table))
    if "leave" in request.form:
        return _leave_editor(desk)
    if "theirs" in request.form:
        flash("You kept what the other person saved.", "success")
        return redirect(url_for(".edit_item", key=desk.state.key, item=desk.key), 303)
    inner = editor_of_kind(desk.kind.name).read_form(request.form)
    if editor_of_kind(desk.kind.name).pressed_button(request.form) or "preview" in request.form:
        return _render_page(desk, form, inner, unsaved=True)
    whole = all([form.validate_on_submit(), inner.validate()])
    if "quiet" in request.form:
        save = partial(_save_quietly, desk, form, inner) if whole and desk.key else None
        return autosave.save_quietly(desk.state, desk.place, "Save the question", save)
    if not whole:
        return _render_page(desk, form, inner, unsaved=True), 400
    return _save_item(desk, form, inner)


def _leave_editor(desk: ItemDesk) -> ResponseReturnValue:
    with transaction():
        services.leave_place(desk.state.draft_id, desk.place, by=current_user.person_id)
    return redirect(url_for(".show_module", key=desk.state.key, _anchor="questions"), 303)


def _checked_table(desk: ItemDesk, form: ItemForm, inner: Form) -> Table:
    """The question's table as a form that was checked says it."""
    return item_source.merge_form_values(
        desk.table,
        form.entered_table(),
        item_source.strip_invisible(editor_of_kind(desk.kind.name).to_item(inner)),
    )


def _typed_table(desk: ItemDesk, form: ItemForm, inner: Form, table: Table) -> Table:
    """``table`` made to say what was typed; a kind need not understand what is not whole yet."""
    try:
        of_kind = item_source.strip_invisible(editor_of_kind(desk.kind.name).to_item(inner))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        of_kind = {}
    return item_source.merge_form_values(table, form.entered_table(), of_kind)


def _save_item(desk: ItemDesk, form: ItemForm, inner: Form) -> ResponseReturnValue:
    said = _checked_table(desk, form, inner)
    try:
        if "both" in request.form:
            key = _keep_both(desk, form, inner)
        else:
            key = _save_table(desk, form, said) if desk.key else _add_item(desk, form, said)
    except StaleSaveError as error:
        return _render_stale(desk, form, inner, error)
    except PortalError as error:
        form.form_errors.append(str(error))
        return _render_page(desk, form, inner, unsaved=True), 409
    flash("The question is saved." if desk.key else "The question is added.", "success")
    return redirect(url_for(".edit_item", key=desk.state.key, item=key), 303)


def _save_quietly(desk: ItemDesk, form: ItemForm, inner: Form) -> str:
    """Save the question; returns the digest of what stands then."""
    _save_table(desk, form, _checked_table(desk, form, inner))
    return item_source.table_digest(_open_desk(queries.get_draft(desk.state.key), desk.key).table)


def _save_table(desk: ItemDesk, form: ItemForm, said: Table) -> str:
    """Save the question; returns its key."""
    changes = item_bank.write_item(desk.files, desk.key, said)
    if changes:
        _refuse_stale(desk, form)
    _write_changes(desk.state, changes, f"Changed the question “{desk.key}”")
    return desk.key


def _keep_both(desk: ItemDesk, form: ItemForm, inner: Form) -> str:
    """Save what was typed and what the other saved together; returns the question's key."""
    _refuse_stale(desk, form)
    changes = _merge_item(desk, form, inner, autosave.sent_base())
    if changes is None:
        raise StaleSaveError({}, desk.state.last_saved_by)
    _write_changes(desk.state, changes, f"Changed the question “{desk.key}”")
    return desk.key


def _refuse_stale(desk: ItemDesk, form: ItemForm) -> None:
    if form.expected.data != item_source.table_digest(desk.table):
        raise StaleSaveError({}, desk.state.last_saved_by)


def _merge_item(desk: ItemDesk, form: ItemForm, inner: Form, began: str) -> dict[str, bytes | None] | None:
    """The file with what was typed and what was saved meanwhile; None where both changed one place.

    Args:
        desk: The question as it stands.
        form: What was typed,
        inner: and of it what its kind has.
        began: Digest of the question as it was when the page was opened.
    """
    path = item_bank.find_item(desk.files, desk.key).path
    before = item_source.file_with_digest(queries.list_saves(desk.state.draft_id), path, desk.key, began)
    if before is None:
        return None
    held = item_bank.find_item({path: before}, desk.key).table
    mine = (
        item_bank.write_item({path: before}, desk.key, _typed_table(desk, form, inner, held)).get(path)
        or before
    )
    both = three_way_merge.merge_cleanly(path, before, mine, desk.files[path])
    return None if both is None else {path: both}


def _add_item(desk: ItemDesk, form: ItemForm, said: Table) -> str:
    """Add the question; one that was added a moment ago by the same press is not added again."""
    held = {place.key: place.table for place in item_bank.read_items(desk.files)}
    first = {name: said[name] for name in item_source.COMMON_KEYS if name in said}
    if same := next((key for key, table in held.items() if table == {"key": key, **said}), None):
        return same
    key = texts.unused_key(str(form["name"].data), held, "question")
    table = {"key": key, **first, **said}
    path = item_source.file_for_new_item(desk.files, str(said["outcome"]))
    _write_changes(desk.state, item_bank.add_item(desk.files, table, path), f"Added the question “{key}”")
    return key


def _write_changes(state: DraftState, changes: Mapping[str, bytes | None], summary: str) -> None:
    """Save against the very state that the change was made of."""
    if changes:
        first = next(iter(changes))
        draft_context.save_files(state, changes, state.files.get(first, ""), summary)


def _render_page(
    desk: ItemDesk, form: ItemForm, inner: Form, *, unsaved: bool = False, error: StaleSaveError | None = None
) -> str:
    began = autosave.sent_base() or (str(form.expected.data) if error else "")
    said = _typed_table(desk, form, inner, desk.table) if unsaved else desk.table
    if began:  # both are shown until one is saved
        form.expected.data = item_source.table_digest(desk.table)
    names = ReferenceTitles(dict(desk.module.outcomes), {})
    return render_template(
        "authoring/item.html",
        desk=True,
        item=desk,
        form=form,
        inner=inner,
        kind=desk.kind,
        unsaved=unsaved,
        base=began,
        differing=list(diff_fields(desk.table, said, names)) if began else None,
        both=bool(began) and _merge_item(desk, form, inner, began) is not None,
        name=item_source.item_name(desk.key) if desk.key else "New question",
        parent_text=draft_context.breadcrumb_text(desk.state, desk.module.title),
        **_values_beside(preview_item(desk.state, said)),
    )


def _values_beside(drafted: ItemPreview) -> dict[str, Any]:
    """What follows the writing: what the check and the measures say, and how a learner meets the question."""
    return {
        "drafted": drafted,
        "findings": draft_context.list_findings(drafted.findings),
        "told": draft_context.findings_sentence(drafted.findings),
        "preview": _preview_item(drafted.view) if drafted.view else None,
    }


def _preview_item(shown: item_source.ItemView) -> Markup:
    """The question as a learner meets it, its names kept apart from those of the form beside it."""
    prompt = fill_placeholders(shown.prompt_html)
    html = render_template(
        "authoring/item_preview.html",
        kind=shown.kind,
        item=shown,
        shown=shown.controls,
        prompt=prompt if prompt.striptags() else PLACEHOLDER,  # a heading says something, even here
        fill=fill_placeholders,
        errors={},
    )
    apart = _NAMED.sub(lambda m: f' {m[1]}="{" ".join(f"seen-{w}" for w in m[2].split())}"', html)
    return Markup(re.sub(r"(</?)h1\b", r"\1h2", apart))  # noqa: S704 - drawn by the templates


def _render_stale(desk: ItemDesk, form: ItemForm, inner: Form, error: StaleSaveError) -> ResponseReturnValue:
    """What was typed, with what differs from what someone else saved meanwhile."""
    present = _open_desk(queries.get_draft(desk.state.key), desk.key)
    form.form_errors.append(str(error))
    return _render_page(present, form, inner, unsaved=True, error=error), 409


@bp.post("/<module:key>/items/_order")
@requires(Permission.DRAFT_EDIT)
def move_item(key: str) -> ResponseReturnValue:
    """Let a question change places with the one before (``up``) or after it (``down``)."""
    state = queries.get_draft(key)
    name = request.form.get("up") or request.form.get("down") or ""
    changes = item_bank.move_item(queries.draft_files(state), name, "up" in request.form)
    _write_changes(state, changes, f"Moved the question “{name}”")
    return redirect(url_for(".show_module", key=key, _anchor=f"item-{name}"), 303)


@bp.route("/<module:key>/items/<item>/remove", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def remove_item(key: str, item: str) -> ResponseReturnValue:
    """Say what taking a question out means, and do it."""
    desk = _open_desk(queries.get_draft(key), item)
    expected = item_source.table_digest(desk.table)
    if request.method == "POST":
        if request.form.get("expected") != expected:
            flash("Someone saved this question after you opened the page. Look at it again.", "error")
            return redirect(url_for(".remove_item", key=key, item=item), 303)
        _write_changes(desk.state, item_bank.remove_item(desk.files, item), f"Removed the question “{item}”")
        with transaction():
            services.leave_place(desk.state.draft_id, desk.place, by=current_user.person_id)
        flash("The question is removed from the draft. History can bring it back.", "success")
        return redirect(url_for(".show_module", key=key, _anchor="questions"), 303)
    return render_template(
        "authoring/remove_item.html",
        item=desk,
        expected=expected,
        name=item_source.item_name(item),
        prompt=str(desk.table.get("prompt", "")),
        left=sum(place.table.get("retired") is not True for place in item_bank.read_items(desk.files)) - 1,
        parent_text=draft_context.breadcrumb_text(desk.state, desk.module.title),
    )
