"""Media of a draft: checks uploads, names them, and finds where each is shown. Pure functions.

An SVG drawing contains its title and text alternative, in ``<title>`` and ``<desc>``. Pictures and PDFs
cannot, so the figure that shows them does: its first paragraph is the title, the rest the alternative. A new
picture is therefore added to a text on upload, as a figure at its end. So is a sound or film: its transcript
is the text of its figure, and its captions become a file beside it. Picture metadata, such as the place where
it was taken, is removed. Uploads are checked in a separate process: pages call
``portal.domain.authoring.media.uploads``.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.editing import case_file, item_bank, lesson
from portal.domain.authoring.editing.field_tables import texts_within
from portal.domain.authoring.errors import UnreadableFileError
from portal.domain.authoring.limits import MEDIA_BYTES
from portal.domain.authoring.media import image_metadata, svg_titles
from portal.domain.catalogue.media.media_types import ALIASES, MEDIA_NAME, media_kind
from portal.domain.catalogue.media.played import (
    PLAYED,
    CaptionError,
    captions_path,
    check_captions,
    most_bytes,
    read_length,
)
from portal.domain.catalogue.media.svg_rules import DrawingError
from portal.domain.catalogue.sources.module_source import SHEET_NAMES, lesson_key, sheet_of_path
from portal.platform.errors import RuleError

PICTURE_ENDINGS = (".svg", ".png", ".jpg", ".jpeg", ".webp")
DRAWING_BYTES = 512 * 1024
MAX_STEM_LENGTH = 60

WRONG_KIND = (
    "Choose an SVG, PNG, JPEG, WebP or PDF file. Sound may be MP3, M4A, OGG or WAV, and film MP4 or WebM."
    " This file is something else, whatever its name"
)
CAPTIONS_ALONE = "Captions belong to a sound or film. Choose that as the file"
CAPTIONS_NEEDED = "Choose the captions, a .vtt file. A sound or film needs them"
TRANSCRIPT_NEEDED = "Enter the transcript, for people who cannot hear or see it"
TITLE_NEEDED = "Enter a title"
PLACE_NEEDED = "Choose the text that shows it. Your title and description go there"
ALTERNATIVE_NEEDED = "Enter what it shows, for people who cannot see it"


class MediaUploadError(RuleError):
    """A refused upload; ``field`` is the form field to correct."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class MediaUpload:
    """A file sent by an author, with its texts."""

    filename: str
    content: bytes
    title: str
    alternative: str
    target: str  # the name to store it under; empty: a safe form of its own
    captions: bytes = b""  # of a sound or film; empty: none, or those that it has

    @property
    def narrow_of(self) -> str | None:
        """The medium that this is the phone version of; None where it is none."""
        return wide_name(self.target)


@dataclass(frozen=True, slots=True)
class PreparedMedium:
    """An upload that is ready to be stored."""

    name: str
    content: bytes
    figure: str  # Markdown that shows it
    needs_place: bool  # whether only the figure contains its title and alternative
    captions: bytes = b""  # to be stored beside it; empty: none, or those that it has stay

    @property
    def path(self) -> str:
        """Its path in the module's folder."""
        return f"media/{self.name}"

    @property
    def files(self) -> dict[str, bytes]:
        """What is stored, by path."""
        return {self.path: self.content} | (
            {captions_path(self.path): self.captions} if self.captions else {}
        )


def check_upload(
    upload: MediaUpload, media_names: Collection[str], beside: bytes | None = None
) -> PreparedMedium:
    """Check an upload and prepare it for storage.

    Args:
        upload: The file as sent.
        media_names: Names of the draft's media.
        beside: The file that belongs to it: the drawing that this is the phone version of, whose texts are
            used where this one has none; the captions of a sound or film; or what has these captions.

    Raises:
        MediaUploadError: It is refused.
    """
    content = svg_titles.strip_byte_order_mark(upload.content)
    kind = _check_kind(content)
    name = _stored_name(upload, kind, media_names)
    if kind == "vtt":
        _check_captions(content, beside, "file")
        return PreparedMedium(name, content, "", False)
    if kind in PLAYED:
        _check_played(upload, kind, name, media_names, beside)
        figure = figure_markdown(name, upload.title, upload.alternative)
        return PreparedMedium(name, content, figure, True, upload.captions)
    if kind != "svg":
        _check_texts(upload, new=name not in media_names and upload.narrow_of is None)
        in_figure_only = upload.narrow_of is None
        content = image_metadata.strip_metadata(kind, content)
        return PreparedMedium(
            name, content, figure_markdown(name, upload.title, upload.alternative), in_figure_only
        )
    content = _titled_drawing(upload, content, beside)
    return PreparedMedium(name, content, figure_markdown(name, "", svg_titles.read_titles(content)[1]), False)


def prepare_medium(arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Run ``check_upload`` in the separate process; a refusal is returned as its text and field."""
    content, captions, beside = pieces
    upload = MediaUpload(
        filename=str(arguments["filename"]),
        content=content,
        title=str(arguments["title"]),
        alternative=str(arguments["alternative"]),
        target=str(arguments["target"]),
        captions=captions,
    )
    try:
        medium = check_upload(upload, arguments["held"], beside or None)
    except MediaUploadError as error:
        return {"refused": str(error), "field": error.field}, []
    return {"name": medium.name, "figure": medium.figure, "needs_place": medium.needs_place}, [
        medium.content,
        medium.captions,
    ]


def safe_name(filename: str, kind: str) -> str:
    """A name that is safe in addresses and folders, made from the file's name.

    >>> safe_name("../Überblick (2).narrow.SVG", "svg"), safe_name("…", "jpg")
    ('uberblick-2.narrow.svg', 'file.jpg')
    """
    last = re.split(r"[/\\]", filename)[-1]
    stem = last.rpartition(".")[0] or last
    stem, narrow, _ = stem.rpartition(".narrow") if stem.endswith(".narrow") else (stem, "", "")
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain)[:MAX_STEM_LENGTH].strip("-")
    return f"{words or 'file'}{narrow}.{kind}"


def narrow_name(name: str) -> str:
    """The name of the phone version of ``name``."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.narrow.{ending}"


def wide_name(name: str) -> str | None:
    """The name of the medium that ``name`` is the phone version of; None where it is none.

    >>> wide_name("areas.narrow.svg"), wide_name("areas.svg")
    ('areas.svg', None)
    """
    stem, _, ending = name.rpartition(".")
    return f"{stem.removesuffix('.narrow')}.{ending}" if stem.endswith(".narrow") else None


def companion_names(name: str, media_names: Collection[str]) -> list[str]:
    """Names of existing media that are useless without ``name``: its phone version and captions."""
    candidates = [captions_path(name)] if name.rpartition(".")[2] in PLAYED else [narrow_name(name)]
    return [companion for companion in candidates if companion in media_names]


def name_of_captioned(name: str, media_names: Collection[str]) -> str | None:
    """The sound or film that has these captions; None where there is none, or the name is another kind's."""
    stem, _, ending = name.rpartition(".")
    candidates = (f"{stem}.{kind}" for kind in sorted(PLAYED)) if ending == "vtt" else ()
    return next((candidate for candidate in candidates if candidate in media_names), None)


def figure_markdown(name: str, title: str, alternative: str) -> str:
    """The figure that shows a medium, with a title where the medium contains none, and its alternative."""
    head = re.sub(r"^([#>\-+*=~`|]|\d+(?=[.)]))", _escape_mark, title)
    text = "\n\n".join(filter(None, (head, alternative.strip())))
    return f"::: figure media/{name}\n{text}\n:::"


def append_container(content: bytes, container: str) -> bytes:
    """A lesson or job aid with the container added at its end."""
    text = lesson.read_lesson(content)
    body = f"{text.body.rstrip()}\n\n{container}" if text.body.strip() else container
    return lesson.write_body(content, body)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a draft that a figure can show; a picture that is no drawing has no texts of its own."""

    path: str
    title: str
    description: str


def list_pictures(files: Mapping[str, bytes]) -> list[Picture]:
    """The pictures among a draft's files by path, without their phone versions."""
    paths = [path for path in sorted(files) if path.startswith("media/") and path.endswith(PICTURE_ENDINGS)]
    return [_read_picture(path, files[path]) for path in paths if wide_name(path) is None]


def _read_picture(path: str, content: bytes) -> Picture:
    try:
        title, description = svg_titles.read_titles(content) if path.endswith(".svg") else ("", "")
    except DrawingError:
        title, description = "", ""
    return Picture(path, " ".join(title.split()), description.strip())


@dataclass(frozen=True, slots=True)
class MediumUse:
    """One place that refers to a medium."""

    kind: str  # "lesson", "item", "job-aid", "briefing" or "guide"
    key: str
    title: str


def find_uses(files: Mapping[str, bytes]) -> dict[str, list[MediumUse]]:
    """The places that refer to each medium, by the medium's name."""
    uses: dict[str, list[MediumUse]] = {}
    for use, text in _texts_with_use(files):
        for name in dict.fromkeys(re.findall(r"media/([A-Za-z0-9][A-Za-z0-9._\-]*[A-Za-z0-9])", text)):
            uses.setdefault(name, []).append(use)
    return uses


def _texts_with_use(files: Mapping[str, bytes]) -> Sequence[tuple[MediumUse, str]]:
    texts = []
    for path, content in files.items():
        if sheet := sheet_of_path(path):
            texts.append((MediumUse(sheet, "", SHEET_NAMES[sheet]), content.decode()))
        elif path.startswith("lessons/"):
            key = lesson_key(path)
            texts.append((MediumUse("lesson", key, page_title(path, content)), content.decode()))
        elif path.endswith(".md"):
            texts.append((MediumUse("guide", "", "The guide’s text"), content.decode()))
    for place in item_bank.read_items(files):
        use = MediumUse("item", place.key, f"Question “{place.key}”")
        texts.append((use, "\n".join(texts_within(place.table))))
    return texts


def page_title(path: str, content: bytes) -> str:
    """The title of a lesson or job aid; its path where there is no readable title."""
    try:
        return case_file.read_lesson_file(path, content).title or path
    except UnreadableFileError:
        return path


def _check_kind(content: bytes) -> str:
    if not content:
        raise MediaUploadError("file", "The file is empty. Choose another")
    kind = media_kind(content)
    if kind is None:
        raise MediaUploadError("file", WRONG_KIND)
    limit = DRAWING_BYTES if kind == "svg" else most_bytes(kind) or MEDIA_BYTES
    if len(content) > limit:
        advice = "Simplify the drawing, or" if kind == "svg" else "Make it smaller, or"
        size = f"{-(-len(content) // 1024):,} KB"  # rounded up
        raise MediaUploadError(
            "file", f"The file is {size}. {advice} choose one of {limit // 1024:,} KB or less"
        )
    return kind


def _check_played(
    upload: MediaUpload, kind: str, name: str, media_names: Collection[str], held_captions: bytes | None
) -> None:
    """Check what a sound or film comes with: title, transcript and captions that are in step with it."""
    is_new = name not in media_names
    if is_new and not upload.title:
        raise MediaUploadError("title", TITLE_NEEDED)
    if is_new and not upload.alternative.strip():
        raise MediaUploadError("alternative", TRANSCRIPT_NEEDED)
    _refuse_container(upload.alternative)
    if is_new and captions_path(name) in media_names:
        raise MediaUploadError(
            "file", f"There are captions “{captions_path(name)}” already. Give the file another name"
        )
    _check_captions(upload.captions or held_captions, upload.content, "captions")


def _check_captions(captions: bytes | None, played: bytes | None, field: str) -> None:
    """Check that captions are well-formed, and in step with the sound or film where that can be read."""
    if not captions:
        raise MediaUploadError(field, CAPTIONS_NEEDED)
    kind = media_kind(played) if played else None
    try:
        check_captions(captions, read_length(kind, played) if kind and played else None)
    except CaptionError as error:
        raise MediaUploadError(field, f"Line {error.line} of the captions: {error}") from error


def _stored_name(upload: MediaUpload, kind: str, media_names: Collection[str]) -> str:
    if kind == "vtt" and name_of_captioned(upload.target, media_names) is None:
        raise MediaUploadError("file", CAPTIONS_ALONE)
    if not upload.target:
        name = safe_name(upload.filename, kind)
        if name in media_names:
            sentence = (
                f"There is a file “{name}” already. Choose “Replace” beside it, or rename this one first"
            )
            raise MediaUploadError("file", sentence)
        return name
    ending = upload.target.rpartition(".")[2].lower()
    if not MEDIA_NAME.fullmatch(upload.target) or (
        upload.target not in media_names and upload.narrow_of not in media_names and kind != "vtt"
    ):
        raise MediaUploadError(
            "file", "The file that this belongs to has been removed. Upload this as a new one"
        )
    if ALIASES.get(ending, ending) != kind:
        sentence = f"“{upload.target}” must be {ending.upper()}, and this file is {kind.upper()}"
        raise MediaUploadError("file", f"{sentence}. Choose another, or upload it as a new one")
    return upload.target


def _check_texts(upload: MediaUpload, *, new: bool) -> None:
    if new and not upload.title:
        raise MediaUploadError("title", TITLE_NEEDED)
    if new and not upload.alternative.strip():
        raise MediaUploadError("alternative", ALTERNATIVE_NEEDED)
    _refuse_container(upload.alternative)


def _refuse_container(alternative: str) -> None:
    if re.search(r"^\s*:::", alternative, re.M):
        raise MediaUploadError(
            "alternative", "Remove the lines that begin with :::. They would end the figure"
        )


def _titled_drawing(upload: MediaUpload, content: bytes, wide: bytes | None) -> bytes:
    """The drawing with title and description: as typed, else its own, else those of the wide drawing."""
    try:
        own_texts = svg_titles.read_titles(content)
        wide_texts = svg_titles.read_titles(wide) if wide and upload.narrow_of else ("", "")
        typed = (upload.title, upload.alternative)
        title, alternative = (
            typed_text or ("" if own_text else wide_text)
            for typed_text, own_text, wide_text in zip(typed, own_texts, wide_texts, strict=True)
        )
        # Report faults of the drawing itself first, because a title would not fix them.
        svg_titles.write_titles(content, "" if own_texts[0] else "?", "" if own_texts[1] else "?")
        if not (title or own_texts[0]):
            raise MediaUploadError("title", f"{TITLE_NEEDED}: the drawing has none")
        if not (alternative or own_texts[1]):
            raise MediaUploadError("alternative", f"{ALTERNATIVE_NEEDED}: the drawing has no description")
        return svg_titles.write_titles(content, title, alternative)
    except DrawingError as error:
        raise MediaUploadError("file", f"Line {error.line} of the drawing: {error}") from error


def _escape_mark(match: re.Match[str]) -> str:
    mark = match[1]
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"
