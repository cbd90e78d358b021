"""A question as the TOML of its file, for authors who prefer the text to the form."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.authoring import item_source, queries
from portal.domain.authoring.editing.item_text import read_item_text, write_item_text
from portal.domain.authoring.errors import StaleSaveError
from portal.pages.authoring.forms.item import ItemTextForm
from portal.pages.authoring.views import draft_context, item_editor
from portal.pages.authoring.views.blueprint import bp
from portal.pages.authoring.views.edited_tables import EditedItem, open_item
from portal.pages.layout.access import requires
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.permissions import Permission


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
        form.expected.data = item_source.table_digest(edited.table)
        return _render_page(edited, form, theirs=values["text"]), 409
    except PortalError as error:
        form.text.errors = [str(error)]
        return _render_page(edited, form), 409
    flash("The question is saved.", "success")
    return redirect(url_for(".edit_item", key=key, item=item), 303)


def _save_text(edited: EditedItem, form: ItemTextForm) -> None:
    changes = write_item_text(edited.files, edited.key, str(form.text.data))
    if changes and form.expected.data != item_source.table_digest(edited.table):
        raise StaleSaveError({}, edited.state.last_saved_by)
    item_editor.write_changes(edited.state, changes, f"Changed the question “{edited.key}”")


def _render_page(edited: EditedItem, form: ItemTextForm, theirs: str = "") -> str:
    return render_template(
        "authoring/item_text.html", page=edited.page, form=form, item=edited, theirs=theirs
    )
