"""The list of a draft's media: what each is, where it is shown, and the text that shows it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, select

from portal.domain.authoring.media import blob_store
from portal.domain.authoring.media.draft_media import (
    Use,
    beside,
    figure,
    narrow_name,
    title_of,
    uses,
    wide_name,
)
from portal.domain.authoring.models import Draft, DraftSave
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.media.isolated_svg import read_drawings
from portal.domain.catalogue.media.svg_rules import Drawing, DrawingError
from portal.platform.db import db
from portal.platform.errors import NotFoundError

WORDS = {
    "svg": "Drawing",
    "png": "Picture",
    "jpg": "Picture",
    "jpeg": "Picture",
    "webp": "Picture",
    "pdf": "PDF",
    "mp4": "Video",
    "mp3": "Sound",
    "vtt": "Captions",
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
    fault: str  # why a drawing cannot be published; empty: it can
    uses: list[Use]
    beside: list[str]  # what goes with it when it is removed
    wide: str | None  # the medium whose drawing for phones this is

    @property
    def word(self) -> str:
        """What kind of file it is."""
        return WORDS.get(self.ending, "File")

    @property
    def shows(self) -> bool:
        """Whether a page can show it as a picture."""
        return self.ending in PICTURES

    @property
    def narrow(self) -> str | None:
        """The name that its drawing for phones would have; None where it has one or is one."""
        name = narrow_name(self.name)
        return name if self.shows and self.wide is None and name not in self.beside else None

    @property
    def figure(self) -> str:
        """The text that shows it."""
        if self.drawing:
            return figure(self.name, "", self.drawing.description)
        return figure(self.name, "Title", "What it shows, for people who cannot see it.")


def media_rows(state: DraftState) -> list[MediumRow]:
    """Every medium of the draft's last state by name, a drawing for phones below its own.

    Two statements, however many there are.
    """
    held = {
        path.removeprefix("media/"): sha for path, sha in state.files.items() if path.startswith("media/")
    }
    read = {p: sha for p, sha in state.files.items() if not p.startswith("media/") or p.endswith(".svg")}
    files = blob_store.files_of(read)
    sizes = blob_store.sizes(set(held.values()))
    drawn = [path for path in files if path.startswith("media/")]
    drawings = dict(zip(drawn, read_drawings([files[path] for path in drawn]), strict=True))
    named = uses({path: content for path, content in files.items() if not path.startswith("media/")})
    return [
        _medium_row(name, held, sizes[held[name]], drawings.get(f"media/{name}"), named.get(name, []))
        for name in sorted(held, key=_wide_first)
    ]


def _wide_first(name: str) -> tuple[str, bool]:
    wide = wide_name(name)
    return (wide or name, wide is not None)


def _medium_row(
    name: str, held: dict[str, str], size: int, drawing: Drawing | DrawingError | None, shown: list[Use]
) -> MediumRow:
    fault = f"Line {drawing.line}: {drawing}" if isinstance(drawing, DrawingError) else ""
    wide = wide_name(name)
    return MediumRow(
        name=name,
        sha256=held[name],
        ending=name.rpartition(".")[2].lower(),
        size=size,
        drawing=None if isinstance(drawing, DrawingError) else drawing,
        fault=fault,
        uses=shown,
        beside=beside(name, held),
        wide=wide if wide in held else None,
    )


def places(state: DraftState) -> list[tuple[str, str]]:
    """The texts that a figure can be added to: path and title, lessons first."""
    texts = [path for path in state.files if path.endswith(".md")]
    paths = sorted(texts, key=lambda path: not path.startswith("lessons/"))
    contents = blob_store.files_of({path: state.files[path] for path in paths})
    return [(path, title_of(path, contents[path])) for path in paths]


def draft_medium(key: str, sha256: str, name: str) -> bytes:
    """A medium that some state of the module's drafts holds under this name.

    Raises:
        NotFoundError: None does.
    """
    pair = f'"media/{name}": "{sha256}"'
    states: Any = (
        select(DraftSave.id)
        .join(Draft, Draft.id == DraftSave.draft_id)
        .where(Draft.module_key == key, cast(DraftSave.files, Text).contains(pair, autoescape=True))
        .limit(1)
    )
    if db.session.scalar(states) is None:
        raise NotFoundError("There is no such file.")
    return blob_store.content(sha256)
