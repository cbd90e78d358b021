"""Adding a picture within the form of a question or check, where nothing that was typed is lost."""

from typing import Any

from flask import request

from portal.domain.authoring.files import MEDIA_BYTES
from portal.domain.authoring.media import MediaUpload, MediaUploadError, PreparedMedium
from portal.domain.authoring.media_listing import prepare_upload
from portal.pages.authoring.item_forms import PICTURE_FIELD, QuestionForm
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.draft_context import bp
from portal.pages.authoring.views.edited_tables import EditedTable
from portal.platform.errors import PortalError

FORM_BYTES = 768 * 1024  # of the form besides its file
ENDPOINTS = frozenset(f"authoring.{name}" for name in ("edit_item", "new_item", "edit_check", "new_check"))
LONGEST_TITLE = 150
NO_SOUND = "Choose a picture. Add a sound or film under “Figures and files”, with its captions"


@bp.url_value_preprocessor
def _allow_pictures(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow a request with a picture to be larger than others. It is read before any view, so this is too."""
    if endpoint in ENDPOINTS and request.mimetype == "multipart/form-data":
        request.max_content_length = MEDIA_BYTES + FORM_BYTES


def is_asked() -> bool:
    """Whether the button that adds a picture was pressed."""
    return "add_picture" in request.form


def add_picture(edited: EditedTable, form: QuestionForm) -> tuple[EditedTable, QuestionForm]:
    """Add the picture that was sent to the draft; the form then shows it, or says what is wrong.

    Returns:
        The question as it is now, and its form with what was typed.
    """
    try:
        medium = _read_picture(edited, str(form.figure_words.data or "").strip())
        changes = {medium.path: medium.content}
        draft_context.save_files(edited.state, changes, "", f"Added {medium.name}")
    except MediaUploadError as error:
        field = form[PICTURE_FIELD] if error.field == "file" else form.figure_words
        field.errors = [str(error)]
        return edited, form
    except PortalError as error:
        form[PICTURE_FIELD].errors = [str(error)]
        return edited, form
    edited = edited.reopen(edited.key)
    form = edited.make_form()
    form.figure.data = medium.path
    return edited, form


def _read_picture(edited: EditedTable, words: str) -> PreparedMedium:
    """Check the file; a drawing keeps its own texts, and anything else needs the words for its figure."""
    file = request.files.get(PICTURE_FIELD)
    if file is None or not file.filename:
        raise MediaUploadError("file", "Choose a file")
    content, names = file.read(), _media_names(edited)
    try:
        medium = prepare_upload(MediaUpload(file.filename, content, "", "", ""), names)
    except MediaUploadError as error:
        if error.field == "file":
            raise
        if not words:
            raise MediaUploadError("alternative", "Write what the picture shows, then add it") from error
        title = " ".join(words.split())[:LONGEST_TITLE]
        try:
            medium = prepare_upload(MediaUpload(file.filename, content, title, words, ""), names)
        except MediaUploadError as second:
            raise MediaUploadError("file", NO_SOUND) if second.field == "captions" else second from second
    if medium.name.endswith(".pdf"):
        raise MediaUploadError("file", "Choose a picture: a PDF cannot be shown in a question")
    return medium


def _media_names(edited: EditedTable) -> set[str]:
    return {path.removeprefix("media/") for path in edited.state.files if path.startswith("media/")}
