"""Media of a draft: listing, uploading, replacing, removing and serving them."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import media, media_listing, queries
from portal.domain.authoring.errors import StaleSaveError, TooLargeError
from portal.domain.authoring.media import MediaUploadError
from portal.domain.authoring.media_listing import prepare_upload
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.media_rules import CAPTION_BYTES, FILM_BYTES, PLAYED, captions_path
from portal.pages.authoring.forms import RemoveForm, UploadForm
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import requires
from portal.pages.layout.pdf_files import serve_medium
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

FORM_BYTES = 256 * 1024  # of an upload besides its file
STALE = "Someone changed this after you opened the page."


@bp.url_value_preprocessor
def _allow_larger_uploads(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow uploads to be larger than other requests. The form is read before any view, so this is too."""
    if endpoint == "authoring.upload_medium":
        request.max_content_length = FILM_BYTES + CAPTION_BYTES + FORM_BYTES


@bp.get("/<draft:key>/media")
@requires(Permission.AUTHORING_VIEW)
def list_media(key: str) -> ResponseReturnValue:
    """List the draft's media, with the form to add one, or to replace the one that the address names."""
    state = queries.get_draft(key)
    target = request.args.get("name", "")
    form = UploadForm(media_listing.figure_targets(state), formdata=None)
    form.expected.data = state.files.get(f"media/{target}", "")
    return _render_page(state, form, target)


@bp.post("/<draft:key>/media")
@requires(Permission.DRAFT_EDIT)
def upload_medium(key: str) -> ResponseReturnValue:
    """Save an upload, and on request add the figure that shows it to a text."""
    state = queries.get_draft(key)
    target = request.args.get("name", "")
    form = UploadForm(media_listing.figure_targets(state))
    if not form.validate():
        return _render_page(state, form, target)
    try:
        name = _save_upload(state, form, target)
    except MediaUploadError as error:
        form[error.field].errors = [str(error)]
    except TooLargeError as error:
        form.file.errors = [str(error)]
    except StaleSaveError:
        state = queries.get_draft(key)
        form.expected.data = state.files.get(f"media/{target}", "")
        form.file.errors = [f"{STALE} Choose your file again to replace theirs"]
    else:
        return redirect(url_for(".list_media", key=key, _anchor=f"file-{name}"), 303)
    return _render_page(state, form, target)


@bp.route("/<draft:key>/media/<name>/remove", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def remove_medium(key: str, name: str) -> ResponseReturnValue:
    """Remove a medium; if a text shows it, say which instead."""
    state = queries.get_draft(key)
    rows = {row.name: row for row in media_listing.media_rows(state)}
    if name not in rows:
        raise NotFoundError("There is no such file.")
    row, form = rows[name], RemoveForm()
    if not form.validate_on_submit() or row.uses or state.review:
        form.expected.data = row.sha256
        return render_template(
            "authoring/remove_medium.html", state=state, row=row, form=form, crumb=_breadcrumb_text(state)
        )
    try:
        paths = [f"media/{removed}" for removed in (name, *row.companions)]
        draft_context.save_files(state, dict.fromkeys(paths), form.expected.data, f"Removed {name}")
    except StaleSaveError:
        flash(f"{STALE} Look at it, then remove it again.", "error")
    else:
        flash(f"{name} was removed.")
    return redirect(url_for(".list_media", key=key), 303)


@bp.get("/<draft:key>/media/<sha256>/<name>")
@requires(Permission.AUTHORING_VIEW)
def show_medium(key: str, sha256: str, name: str) -> ResponseReturnValue:
    """Serve a medium of a draft, with the same protection from active content as a published one."""
    return serve_medium(media_listing.read_draft_medium(key, sha256, name), name, sha256)


def _save_upload(state: DraftState, form: UploadForm, target: str) -> str:
    """Save the uploaded file; returns its name."""
    media_names = {path.removeprefix("media/") for path in state.files if path.startswith("media/")}
    upload = form.media_upload(target)
    medium = prepare_upload(upload, media_names, _read_beside(state, target, media_names))
    changes = medium.files
    place = form.shown_in if medium.name not in media_names and not upload.narrow_of else None
    if place:
        changes[place[0]] = media.append_container(draft_context.read_file(state, place[0]), medium.figure)
    elif medium.needs_place and medium.name not in media_names:
        raise MediaUploadError("place", media.PLACE_NEEDED)
    action = "replaced" if medium.name in media_names else "added"
    draft_context.save_files(state, changes, form.expected.data, f"{action.capitalize()} {medium.name}")
    flash(f"{medium.name} was {action}." + (f" It is shown at the end of “{place[1]}”." if place else ""))
    return medium.name


def _read_beside(state: DraftState, target: str, media_names: set[str]) -> bytes | None:
    """The file that belongs to the one of this name: its wide drawing, its captions, or what it captions."""
    captions = captions_path(target) if target.rpartition(".")[2].lower() in PLAYED else None
    name = media.wide_name(target) or media.name_of_captioned(target, media_names) or captions
    return draft_context.read_file(state, f"media/{name}") if name in media_names else None


def _breadcrumb_text(state: DraftState) -> str:
    return draft_context.breadcrumb_text(state, draft_context.title_of(state))


def _render_page(state: DraftState, form: UploadForm, target: str) -> ResponseReturnValue:
    rows = media_listing.media_rows(state)
    names = {row.name for row in rows}
    wide = media.wide_name(target)
    captioned = media.name_of_captioned(target, names)
    if target and target not in names and wide not in names and captioned is None:
        raise NotFoundError("There is no such file.")
    return render_template(
        "authoring/media.html",
        state=state,
        rows=rows,
        form=form,
        target=target,
        replaced=next((row for row in rows if row.name == target), None),
        wide=wide if wide in names else None,
        captioned=captioned,
        crumb=_breadcrumb_text(state),
        may_edit=Permission.DRAFT_EDIT in current_user.permissions and not state.review,
    )
