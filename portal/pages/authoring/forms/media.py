"""Forms to upload and to remove a medium."""

from collections.abc import Sequence
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, SelectField, SubmitField
from wtforms.fields import SelectChoice

from portal.domain.authoring.limits import MEDIA_BYTES
from portal.domain.authoring.media.draft_media import DRAWING_BYTES, MediaUpload
from portal.domain.catalogue.media.media_types import ALIASES, CONTENT_TYPES
from portal.domain.catalogue.media.played import FILM_BYTES, MEBIBYTE, SOUND_BYTES
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import LineField, LinesField, MaximumLength
from portal.pages.layout.form_widgets import GovFile, GovInput, GovSelect, GovSubmit, GovTextarea

LABEL = "govuk-label--s"
LONGEST_ALTERNATIVE = 10_000  # a transcript of some ten minutes
NOWHERE = "Nowhere yet"


ACCEPTED = ",".join(f".{ending}" for ending in [*CONTENT_TYPES, *ALIASES])


class UploadForm(PortalForm):
    """A file with its title and description; ``expected`` is the hash of the file it replaces, or empty."""

    expected = HiddenField()
    file = FileField(
        "File",
        description=f"SVG up to {DRAWING_BYTES // 1024} KB, or PNG, JPEG, WebP or PDF"
        f" up to {MEDIA_BYTES // MEBIBYTE} MB,"
        f" or sound (MP3, M4A, OGG, WAV) up to {SOUND_BYTES // MEBIBYTE} MB,"
        f" or film (MP4, WebM) up to {FILM_BYTES // MEBIBYTE} MB."
        " Drawings are best as SVG: they stay sharp and light."
        " The portal removes what a camera adds to a picture, such as the place."
        " It does not remove the author’s name from a PDF, sound or film.",
        widget=GovFile(label_classes=LABEL, attributes={"accept": ACCEPTED}),
        validators=[FileRequired("Choose a file")],
    )
    captions = FileField(
        "Captions",
        description="Only for sound and film: a WebVTT file (.vtt) with what is said, in step with it.",
        widget=GovFile(label_classes=LABEL, attributes={"accept": ".vtt"}),
    )
    title = LineField(
        "Title",
        description="A few words, such as “Three areas of harm”. Leave it blank for an SVG that has its own.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[MaximumLength(150)],
    )
    alternative = LinesField(
        "What it shows, or the transcript",
        description="Everything that a person who cannot see or hear it needs to know, in sentences."
        " Of a sound or film: all that is said, and by whom."
        " Leave it blank for an SVG that has its own description.",
        widget=GovTextarea(label_classes=LABEL, rows=5),
        validators=[MaximumLength(LONGEST_ALTERNATIVE)],
    )
    place = SelectField(
        "Show it in",
        description="The file goes at the end of this text, with your title and description."
        " You can move it later.",
        widget=GovSelect(label_classes=LABEL),
        validate_choice=False,
    )
    send = SubmitField("Upload", widget=GovSubmit())

    def __init__(self, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """Fill the list of texts."""
        super().__init__(**kwargs)
        self.place.choices = [
            SelectChoice(value="", label=NOWHERE),
            *(SelectChoice(value=path, label=title) for path, title in places),
        ]

    @property
    def shown_in(self) -> tuple[str, str] | None:
        """The path and title of the text that will show it; None: no text yet."""
        titles = {choice.value: choice.label for choice in self.place.choices if choice.value}
        path = self.place.data
        return (path, titles[path]) if path in titles else None

    def media_upload(self, target: str) -> MediaUpload:
        """The upload, to be stored under the name ``target``, or under its own if that is empty."""
        file, captions = self.file.data, self.captions.data
        return MediaUpload(
            filename=file.filename or "",
            content=file.read(),
            title=self.title.data or "",
            alternative=self.alternative.data or "",
            target=target,
            captions=captions.read() if captions else b"",
        )


class RemoveForm(PortalForm):
    """The form to remove a file."""

    expected = HiddenField()
    send = SubmitField("Remove the file", widget=GovSubmit(warning=True))
