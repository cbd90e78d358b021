"""Lists a draft's media, with their kinds and the places that show them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, select

from portal.domain.authoring import models
from portal.domain.authoring.media import (
    MediaUpload,
    MediaUploadError,
    MediumUse,
    PreparedMedium,
    companion_names,
    figure_markdown,
    find_uses,
    name_of_captioned,
    narrow_name,
    page_title,
    wide_name,
)
from portal.domain.authoring.models import Draft, DraftSave
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.media import read_drawings
from portal.domain.catalogue.media_rules import FILMS, PLAYED, SOUNDS, Drawing, DrawingError, captions_path
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.isolation.messages import MEBIBYTE, Limits, Reader
from portal.platform.isolation.running import ReadingStoppedError, read_apart

KIND_LABELS = {
    "svg": "Drawing",
    "png": "Picture",
    "jpg": "Picture",
    "jpeg": "Picture",
    "webp": "Picture",
    "pdf": "PDF",
    "vtt": "Captions",
    **dict.fromkeys(FILMS, "Film"),
    **dict.fromkeys(SOUNDS, "Sound"),
}
PICTURES = frozenset({"svg", "png", "jpg", "jpeg", "webp"})


@dataclass(frozen=True, slots=True)
class MediumRow:
    """One file of a draft's media."""

    name: str
    sha256: str
    ending: str
    size: int  # bytes
    drawing: Drawing | None
    fault: str  # why a drawing cannot be published; empty: no fault
    uses: list[MediumUse]
    companions: list[str]  # media that are removed with it
    wide_name: str | None  # the medium that this is the phone version of
    captioned_name: str | None  # the sound or film that has these captions

    @property
    def kind_label(self) -> str:
        """The kind of file, for pages."""
        return KIND_LABELS.get(self.ending, "File")

    @property
    def is_picture(self) -> bool:
        """Whether pages can show it as a picture."""
        return self.ending in PICTURES

    @property
    def missing_narrow_name(self) -> str | None:
        """The name for its phone version; None where it has one, is one or is no picture."""
        name = narrow_name(self.name)
        return name if self.is_picture and self.wide_name is None and name not in self.companions else None

    @property
    def is_played(self) -> bool:
        """Whether it is a sound or film."""
        return self.ending in PLAYED

    @property
    def missing_captions_name(self) -> str | None:
        """The name for its captions; None where it has them, or needs none."""
        return captions_path(self.name) if self.is_played and not self.companions else None

    @property
    def figure_markdown(self) -> str:
        """The Markdown figure that shows it."""
        if self.drawing:
            return figure_markdown(self.name, "", self.drawing.description)
        if self.is_played:
            return figure_markdown(
                self.name, "Title", "The transcript: what is said, and what is heard or seen."
            )
        return figure_markdown(self.name, "Title", "What it shows, for people who cannot see it.")


def media_rows(state: DraftState) -> list[MediumRow]:
    """Every medium of the draft's last state by name, each phone version after its medium.

    Two statements, regardless of the number of media.
    """
    media_hashes = {
        path.removeprefix("media/"): sha for path, sha in state.files.items() if path.startswith("media/")
    }
    hashes_to_read = {
        p: sha for p, sha in state.files.items() if not p.startswith("media/") or p.endswith(".svg")
    }
    files = models.read_files(hashes_to_read)
    sizes = models.content_sizes(set(media_hashes.values()))
    drawing_paths = [path for path in files if path.startswith("media/")]
    drawings = dict(zip(drawing_paths, read_drawings([files[path] for path in drawing_paths]), strict=True))
    uses_by_name = find_uses(
        {path: content for path, content in files.items() if not path.startswith("media/")}
    )
    return [
        _medium_row(
            name,
            media_hashes,
            sizes[media_hashes[name]],
            drawings.get(f"media/{name}"),
            uses_by_name.get(name, []),
        )
        for name in sorted(media_hashes, key=_wide_first_key)
    ]


def _wide_first_key(name: str) -> tuple[str, bool]:
    wide = wide_name(name)
    return (wide or name, wide is not None)


def _medium_row(
    name: str,
    media_hashes: dict[str, str],
    size: int,
    drawing: Drawing | DrawingError | None,
    uses: list[MediumUse],
) -> MediumRow:
    fault = f"Line {drawing.line}: {drawing}" if isinstance(drawing, DrawingError) else ""
    wide = wide_name(name)
    return MediumRow(
        name=name,
        sha256=media_hashes[name],
        ending=name.rpartition(".")[2].lower(),
        size=size,
        drawing=None if isinstance(drawing, DrawingError) else drawing,
        fault=fault,
        uses=uses,
        companions=companion_names(name, media_hashes),
        wide_name=wide if wide in media_hashes else None,
        captioned_name=name_of_captioned(name, media_hashes),
    )


def figure_targets(state: DraftState) -> list[tuple[str, str]]:
    """Paths and titles of the texts that a figure can be added to, lessons first."""
    texts = [path for path in state.files if path.endswith(".md")]
    paths = sorted(texts, key=lambda path: not path.startswith("lessons/"))
    contents = models.read_files({path: state.files[path] for path in paths})
    return [(path, page_title(path, contents[path])) for path in paths]


def read_draft_medium(key: str, sha256: str, name: str) -> bytes:
    """The content of a medium that any state of the module's drafts has under this name."""
    pair = f'"media/{name}": "{sha256}"'
    states: Any = (
        select(DraftSave.id)
        .join(Draft, Draft.id == DraftSave.draft_id)
        .where(Draft.module_key == key, cast(DraftSave.files, Text).contains(pair, autoescape=True))
        .limit(1)
    )
    if db.session.scalar(states) is None:
        raise NotFoundError("There is no such file.")
    return models.read_content(sha256)


# Checks an upload and prepares it for storage, in a separate process.

READER = Reader(
    "portal.domain.authoring.media:prepare_medium",
    Limits(memory=512 * MEBIBYTE, processor=20, wall=60, answer=32 * MEBIBYTE),
    thing="This file",
    advice="Save it again with another program, or choose another.",
)
FIELDS = ("file", "title", "alternative", "captions")


def prepare_upload(
    upload: MediaUpload, media_names: Collection[str], beside: bytes | None = None
) -> PreparedMedium:
    """Check an upload in a separate process; arguments and errors as in ``draft_media.check_upload``."""
    arguments = {
        "filename": upload.filename,
        "title": upload.title,
        "alternative": upload.alternative,
        "target": upload.target,
        "held": sorted(media_names),
    }
    pieces = [upload.content, upload.captions, beside or b""]
    try:
        ready = read_apart(READER, arguments, pieces, _parse_answer)
    except ReadingStoppedError as error:
        raise MediaUploadError("file", str(error)) from error
    if isinstance(ready, MediaUploadError):
        raise ready
    return ready


def _parse_answer(value: Any, pieces: list[bytes]) -> PreparedMedium | MediaUploadError:
    if "refused" in value:
        return MediaUploadError(FIELDS[FIELDS.index(value["field"])], str(value["refused"]))
    content, captions = pieces
    name, figure = str(value["name"]), str(value["figure"])
    return PreparedMedium(name, content, figure, bool(value["needs_place"]), captions)
