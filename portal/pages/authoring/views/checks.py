"""Self-checks of a lesson: their form, adding and removing them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.authoring import files, preview, queries
from portal.domain.item_kinds import kinds_by_name
from portal.pages.authoring.views import draft_context, item_editor
from portal.pages.authoring.views.draft_context import bp
from portal.pages.authoring.views.edited_tables import lesson_path, open_check, start_check
from portal.pages.layout.access import requires
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission


@bp.route("/<module:key>/lessons/<name>/checks/<check>", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def edit_check(key: str, name: str, check: str) -> ResponseReturnValue:
    """Edit one self-check, with its findings and a preview."""
    try:
        edited = open_check(queries.get_draft(key), name, check)
    except NotFoundError:
        if request.method == "POST":
            return item_editor.render_gone(key, "check")
        raise
    return item_editor.handle_request(edited)


@bp.route("/<module:key>/lessons/<name>/checks/_new", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def new_check(key: str, name: str) -> ResponseReturnValue:
    """Add a self-check at the end of a lesson: first its kind, then its texts."""
    kind_name = request.args.get("kind", "")
    kinds = {kind.name: kind for kind in kinds_by_name().values() if kind.usable_as_check}
    if kind_name in kinds:
        try:
            edited = start_check(queries.get_draft(key), name, kind_name)
        except NotFoundError:
            if request.method == "POST":
                return item_editor.render_gone(key, "lesson")
            raise
        return item_editor.handle_request(edited)
    fields = files.read_lesson(draft_context.read_file(queries.get_draft(key), lesson_path(name)))
    return render_template(
        "authoring/new_item.html",
        heading="What kind of check is it?",
        kinds=[(kind, url_for(".new_check", key=key, name=name, kind=kind.name)) for kind in kinds.values()],
        parent_text=fields.title or "The lesson",
        parent_address=url_for(".edit_lesson", key=key, name=name, _anchor="checks"),
    )


@bp.route("/<module:key>/lessons/<name>/checks/<check>/remove", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def remove_check(key: str, name: str, check: str) -> ResponseReturnValue:
    """Say what removing a self-check means, and remove it."""
    edited = open_check(queries.get_draft(key), name, check)
    expected = preview.table_digest(edited.table)
    if request.method == "POST":
        if request.form.get("expected") != expected:
            flash("Someone saved this check after you opened the page. Look at it again.", "error")
            return redirect(edited.page.remove_address, 303)
        content = edited.files[edited.path]
        body = files.remove_check(files.read_lesson(content).body, check)
        changes = {edited.path: files.write_body(content, body)}
        item_editor.write_changes(edited.state, changes, f"Removed the check “{check}”")
        flash("The check is removed from the lesson. You can bring it back from the history.", "success")
        return redirect(edited.page.parent_address, 303)
    return render_template(
        "authoring/remove_check.html",
        item=edited,
        page=edited.page,
        expected=expected,
        prompt=str(edited.table.get("prompt", "")),
    )


def render_fragment(key: str, place: str) -> str:
    """The parts of the editor that change as the author types; ``place`` is ``lesson/check``."""
    name, _, check = place.partition("/")
    return item_editor.render_fragment(open_check(queries.get_draft(key), name, check))


def render_new_fragment(key: str, place: str) -> str:
    """The same parts for a new check; ``place`` is ``lesson/kind``."""
    name, _, kind = place.partition("/")
    return item_editor.render_fragment(start_check(queries.get_draft(key), name, kind))
