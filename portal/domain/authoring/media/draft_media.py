"""Media of a draft: what may be uploaded, under which name, and where each is shown. Pure.

A drawing holds its title and its text alternative itself, in ``<title>`` and ``<desc>``. For a picture or a
PDF the format has no such place: there the figure that shows it holds them, its first paragraph and the
rest of its text. So a new picture goes into a text with its upload, as a figure at the end of it. What a
camera writes beside a picture, such as where it was taken, is not kept. Uploads are checked in a
separate process: pages call ``portal.domain.authoring.media.uploads``.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.editing import item_bank, lesson
from portal.domain.authoring.errors import UnreadableFileError
from portal.domain.authoring.limits import MEDIA_BYTES
from portal.domain.authoring.media import image_metadata, svg_titles
from portal.domain.catalogue.media.media_types import ALIASES, MEDIA_NAME, media_kind
from portal.domain.catalogue.media.svg_rules import DrawingError
from portal.platform.errors import RuleError

UPLOAD_KINDS = ("svg", "png", "jpg", "webp", "pdf")
DRAWING_BYTES = 512 * 1024
MAX_STEM_LENGTH = 60

WRONG_KIND = "Choose an SVG, PNG, JPEG, WebP or PDF file. This one is something else, whatever its name"
MOVING = "Videos and sounds come with the module’s folder, beside their captions. Choose another file"
TITLE_NEEDED = "Enter a title"
PLACE_NEEDED = "Choose the text that shows it: what you wrote about it stands there"
ALTERNATIVE_NEEDED = "Enter what it shows, for people who cannot see it"


class MediaUploadError(RuleError):
    """An upload that is refused; ``field`` of the form says where."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class MediaUpload:
    """What an author sends."""

    filename: str
    content: bytes
    title: str
    alternative: str
    target: str  # the name that it is to have; empty: its own, made safe

    @property
    def narrow_of(self) -> str | None:
        """The medium that this is the drawing for phones of."""
        return wide_name(self.target)


@dataclass(frozen=True, slots=True)
class PreparedMedium:
    """An upload that may be kept."""

    name: str
    content: bytes
    figure: str  # the container that shows it
    needs_place: bool  # whether its title and alternative stand in the figure alone

    @property
    def path(self) -> str:
        """Where it stands in the module's folder."""
        return f"media/{self.name}"


def check_upload(upload: MediaUpload, held: Collection[str], wide: bytes | None = None) -> PreparedMedium:
    """The upload as it is to be kept.

    Args:
        upload: What was sent.
        held: Names of the draft's media.
        wide: The drawing that this is the phone's form of, whose texts it takes where it has none.

    Raises:
        UploadError: It cannot be kept.
    """
    content = svg_titles.strip_byte_order_mark(upload.content)
    kind = _check_kind(content)
    name = _stored_name(upload, kind, held)
    if kind != "svg":
        _check_texts(upload, new=name not in held and upload.narrow_of is None)
        texts = upload.narrow_of is None
        content = image_metadata.strip_metadata(kind, content)
        return PreparedMedium(name, content, figure_markdown(name, upload.title, upload.alternative), texts)
    content = _titled_drawing(upload, content, wide)
    return PreparedMedium(name, content, figure_markdown(name, "", svg_titles.read_titles(content)[1]), False)


def prepare_medium(arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Run ``check_upload`` in the reading process; a refusal comes back as its text and its field."""
    content, wide = [*pieces, None][:2]
    texts = (str(arguments[name]) for name in ("title", "alternative", "target"))
    try:
        kept = check_upload(
            MediaUpload(arguments["filename"], content or b"", *texts), arguments["held"], wide
        )
    except MediaUploadError as error:
        return {"refused": str(error), "field": error.field}, []
    return {"name": kept.name, "figure": kept.figure, "needs_place": kept.needs_place}, [kept.content]


def safe_name(filename: str, kind: str) -> str:
    """A name for an address and a folder, out of whatever the file was called.

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
    """The name of the drawing for phones beside ``name``."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.narrow.{ending}"


def wide_name(name: str) -> str | None:
    """The name of the medium whose drawing for phones this is; None where it is none.

    >>> wide_name("areas.narrow.svg"), wide_name("areas.svg")
    ('areas.svg', None)
    """
    stem, _, ending = name.rpartition(".")
    return f"{stem.removesuffix('.narrow')}.{ending}" if stem.endswith(".narrow") else None


def companion_names(name: str, held: Collection[str]) -> list[str]:
    """Names of the media that are of no use without ``name``: its drawing for phones, its captions."""
    stem, _, ending = name.rpartition(".")
    others = [narrow_name(name), f"{stem}.vtt"] if ending == "mp4" else [narrow_name(name)]
    return [other for other in others if other in held]


def figure_markdown(name: str, title: str, alternative: str) -> str:
    """The container that shows a medium: its title, where the medium holds none itself, and what it shows."""
    head = re.sub(r"^([#>\-+*=~`|]|\d+(?=[.)]))", _escape_mark, title)
    text = "\n\n".join(filter(None, (head, alternative.strip())))
    return f"::: figure media/{name}\n{text}\n:::"


def append_container(content: bytes, container: str) -> bytes:
    """A lesson or job aid with the container at its end."""
    text = lesson.read_lesson(content)
    body = f"{text.body.rstrip()}\n\n{container}" if text.body.strip() else container
    return lesson.write_lesson(content, lesson.LessonFields(text.title, text.minutes, text.outcomes, body))


@dataclass(frozen=True, slots=True)
class MediumUse:
    """One place that names a medium."""

    kind: str  # "lesson", "item", "job-aid" or "guide"
    key: str
    title: str


def find_uses(files: Mapping[str, bytes]) -> dict[str, list[MediumUse]]:
    """Where each medium is named, by the medium's name."""
    found: dict[str, list[MediumUse]] = {}
    for use, text in _texts_with_use(files):
        for name in dict.fromkeys(re.findall(r"media/([A-Za-z0-9][A-Za-z0-9._\-]*[A-Za-z0-9])", text)):
            found.setdefault(name, []).append(use)
    return found


def _texts_with_use(files: Mapping[str, bytes]) -> Sequence[tuple[MediumUse, str]]:
    texts = []
    for path, content in files.items():
        if path == "job-aid.md":
            texts.append((MediumUse("job-aid", "", "Job aid"), content.decode()))
        elif path.startswith("lessons/"):
            key = path.removeprefix("lessons/").removesuffix(".md")
            texts.append((MediumUse("lesson", key, page_title(path, content)), content.decode()))
        elif path.endswith(".md"):
            texts.append((MediumUse("guide", "", "The guide’s text"), content.decode()))
    for place in item_bank.read_items(files):
        use = MediumUse("item", place.key, f"Question “{place.key}”")
        texts.append((use, "\n".join(_strings_within(place.table))))
    return texts


def page_title(path: str, content: bytes) -> str:
    """What a lesson or job aid is called; its path where that cannot be read."""
    try:
        return lesson.read_lesson(content).title or path
    except UnreadableFileError:
        return path


def _strings_within(value: object) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for member in value for text in _strings_within(member)]
    return [value] if isinstance(value, str) else []


def _check_kind(content: bytes) -> str:
    if not content:
        raise MediaUploadError("file", "The file is empty. Choose another")
    kind = media_kind(content)
    if kind is None:
        raise MediaUploadError("file", WRONG_KIND)
    if kind not in UPLOAD_KINDS:
        raise MediaUploadError("file", MOVING)
    most = DRAWING_BYTES if kind == "svg" else MEDIA_BYTES
    if len(content) > most:
        advice = "Simplify the drawing, or" if kind == "svg" else "Make it smaller, or"
        size = f"{-(-len(content) // 1024):,} KB"
        raise MediaUploadError(
            "file", f"The file has {size}. {advice} choose one of {most // 1024:,} KB or less"
        )
    return kind


def _stored_name(upload: MediaUpload, kind: str, held: Collection[str]) -> str:
    if not upload.target:
        name = safe_name(upload.filename, kind)
        if name in held:
            sentence = (
                f"There is a file “{name}” already. Follow “Replace” beside it, or rename this one first"
            )
            raise MediaUploadError("file", sentence)
        return name
    ending = upload.target.rpartition(".")[2].lower()
    if not MEDIA_NAME.fullmatch(upload.target) or (
        upload.target not in held and upload.narrow_of not in held
    ):
        raise MediaUploadError(
            "file", "The file that this was to stand beside is gone. Upload it as a new one"
        )
    if ALIASES.get(ending, ending) != kind:
        sentence = f"“{upload.target}” must hold {ending.upper()}, and this file holds {kind.upper()}"
        raise MediaUploadError("file", f"{sentence}. Choose another, or upload it as a new one")
    return upload.target


def _check_texts(upload: MediaUpload, *, new: bool) -> None:
    if new and not upload.title:
        raise MediaUploadError("title", TITLE_NEEDED)
    if new and not upload.alternative.strip():
        raise MediaUploadError("alternative", ALTERNATIVE_NEEDED)
    if re.search(r"^\s*:::", upload.alternative, re.M):
        raise MediaUploadError(
            "alternative", "Take out the lines that begin with :::, which would end the figure"
        )


def _titled_drawing(upload: MediaUpload, content: bytes, wide: bytes | None) -> bytes:
    """The drawing with its texts; what is missing comes from the wide one, else from the author."""
    try:
        held = svg_titles.read_titles(content)
        other = svg_titles.read_titles(wide) if wide and upload.narrow_of else ("", "")
        typed = (upload.title, upload.alternative)
        title, alternative = (
            mine or ("" if own else theirs) for mine, own, theirs in zip(typed, held, other, strict=True)
        )
        # Faults of the drawing itself come first, as it was sent: a title would not mend them.
        svg_titles.write_titles(content, "" if held[0] else "?", "" if held[1] else "?")
        if not (title or held[0]):
            raise MediaUploadError("title", f"{TITLE_NEEDED}: the drawing holds none")
        if not (alternative or held[1]):
            raise MediaUploadError("alternative", f"{ALTERNATIVE_NEEDED}: the drawing holds no description")
        return svg_titles.write_titles(content, title, alternative)
    except DrawingError as error:
        raise MediaUploadError("file", f"Line {error.line} of the drawing: {error}") from error


def _escape_mark(found: re.Match[str]) -> str:
    mark = found[1]
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"
