"""Questions of a draft: their editor, adding, moving and removing them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.authoring import item_files, preview, queries
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.item_files import read_item_text, write_item_text
from portal.domain.item_kinds import kinds_by_name
from portal.pages.authoring.item_forms import ItemTextForm
from portal.pages.authoring.views import draft_context, item_editor
from portal.pages.authoring.views.draft_context import bp
from portal.pages.authoring.views.edited_tables import EditedItem, open_item, start_item
from portal.pages.layout.access import requires
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.permissions import Permission


@bp.route("/<module:key>/items/<item>", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def edit_item(key: str, item: str) -> ResponseReturnValue:
    """Edit one question, with its findings and a preview."""
    try:
        edited = open_item(queries.get_draft(key), item)
    except NotFoundError:
        if request.method == "POST":
            return item_editor.render_gone(key, "question")
        raise
    return item_editor.handle_request(edited)


@bp.route("/<module:key>/items/_new", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def new_item(key: str) -> ResponseReturnValue:
    """Add a question: first its kind, then its texts."""
    try:
        state = queries.get_draft(key)
    except NotFoundError:
        if request.method == "POST":
            return item_editor.render_gone(key, "question")
        raise
    kind = request.args.get("kind", "")
    if kind in kinds_by_name():
        return item_editor.handle_request(start_item(state, kind))
    title = draft_context.read_module_details(state).title
    return render_template(
        "authoring/new_item.html",
        heading="What kind of question is it?",
        kinds=[(kind, url_for(".new_item", key=key, kind=kind.name)) for kind in kinds_by_name().values()],
        parent_text=draft_context.breadcrumb_text(state, title),
        parent_address=url_for(".show_module", key=key, _anchor="questions"),
    )


def render_fragment(key: str, item: str) -> str:
    """The parts of the editor that change as the author types."""
    return item_editor.render_fragment(open_item(queries.get_draft(key), item))


def render_new_fragment(key: str, kind: str) -> str:
    """The same parts for a new question."""
    return item_editor.render_fragment(start_item(queries.get_draft(key), kind))


@bp.post("/<module:key>/items/_order")
@requires(Permission.DRAFT_EDIT)
def move_item(key: str) -> ResponseReturnValue:
    """Move a question up, down, or directly after another (first, if ``after`` is empty)."""
    state = queries.get_draft(key)
    files = queries.draft_files(state)
    name = next((request.form[field] for field in ("up", "down", "move") if field in request.form), "")
    if "move" in request.form:
        changes = item_files.place_item(files, name, request.form.get("after", ""))
    else:
        changes = item_files.move_item(files, name, "up" in request.form)
    item_editor.write_changes(state, changes, f"Moved the question “{name}”")
    return redirect(url_for(".show_module", key=key, _anchor=f"item-{name}"), 303)


@bp.route("/<module:key>/items/<item>/remove", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def remove_item(key: str, item: str) -> ResponseReturnValue:
    """Say what removing a question means, and remove it."""
    edited = open_item(queries.get_draft(key), item)
    expected = preview.table_digest(edited.table)
    if request.method == "POST":
        if request.form.get("expected") != expected:
            flash("Someone saved this question after you opened the page. Look at it again.", "error")
            return redirect(url_for(".remove_item", key=key, item=item), 303)
        changes = item_files.remove_item(edited.files, item)
        item_editor.write_changes(edited.state, changes, f"Removed the question “{item}”")
        item_editor.leave_place(edited)
        flash("The question is removed from the draft. You can bring it back from the history.", "success")
        return redirect(url_for(".show_module", key=key, _anchor="questions"), 303)
    places = item_files.read_items(edited.files)
    return render_template(
        "authoring/remove_item.html",
        item=edited,
        page=edited.page,
        expected=expected,
        prompt=str(edited.table.get("prompt", "")),
        remaining=sum(place.table.get("retired") is not True for place in places) - 1,
    )


# A question as the TOML of its file, for authors who prefer the text to the form.


@bp.route("/<module:key>/items/<item>/text", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def edit_item_text(key: str, item: str) -> ResponseReturnValue:
    """Edit one question as text."""
    try:
        edited = open_item(queries.get_draft(key), item)
    except NotFoundError:
        if request.method == "POST":
            return item_editor.render_gone(key, "question")
        raise
    values = {"text": read_item_text(edited.files, item), "expected": edited.form_values["expected"]}
    form = ItemTextForm(data=values)
    if request.method == "GET":
        page = edited.page
        taken = draft_context.taken_page(edited.state, page.place, page.name, page.parent_address)
        return taken or _render_page(edited, form)
    if not form.validate_on_submit():
        return _render_page(edited, form), 400
    try:
        _save_text(edited, form)
    except StaleSaveError as error:
        form.form_errors.append(f"{error} Their text is below yours. Saving again keeps yours.")
        form.expected.data = preview.table_digest(edited.table)
        return _render_page(edited, form, theirs=values["text"]), 409
    except PortalError as error:
        form.text.errors = [str(error)]
        return _render_page(edited, form), 409
    flash("The question is saved.", "success")
    return redirect(url_for(".edit_item", key=key, item=item), 303)


def _save_text(edited: EditedItem, form: ItemTextForm) -> None:
    changes = write_item_text(edited.files, edited.key, str(form.text.data))
    if changes and form.expected.data != preview.table_digest(edited.table):
        raise StaleSaveError({}, edited.state.last_saved_by)
    item_editor.write_changes(edited.state, changes, f"Changed the question “{edited.key}”")


def _render_page(edited: EditedItem, form: ItemTextForm, theirs: str = "") -> str:
    return render_template(
        "authoring/item_text.html", page=edited.page, form=form, item=edited, theirs=theirs
    )
