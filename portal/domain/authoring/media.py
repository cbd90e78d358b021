"""Media of a draft: checks uploads, names them, and finds where each is shown. Pure functions.

An SVG drawing contains its title and text alternative, in ``<title>`` and ``<desc>``. Pictures and PDFs
cannot, so the figure that shows them does: its first paragraph is the title, the rest the alternative. A new
picture is therefore added to a text on upload, as a figure at its end. So is a sound or film: its transcript
is the text of its figure, and its captions become a file beside it. Picture metadata, such as the place where
it was taken, is removed. Uploads are checked in a separate process: pages call
``portal.domain.authoring.media_listing``.
"""

import re
import struct
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from xml.parsers import expat

from portal.domain.authoring import files, item_files
from portal.domain.authoring.content_diff import texts_within
from portal.domain.authoring.errors import UnreadableFileError
from portal.domain.authoring.files import MEDIA_BYTES
from portal.domain.catalogue.media import ALIASES, MEDIA_NAME, media_kind
from portal.domain.catalogue.media_rules import (
    PLAYED,
    CaptionError,
    DrawingError,
    captions_path,
    check_captions,
    most_bytes,
    read_drawing,
    read_length,
)
from portal.domain.catalogue.module_source import SHEET_NAMES, lesson_key, sheet_of_path
from portal.platform.errors import RuleError

# Removes metadata from pictures: place, device, names and thumbnails.
#
# Only what a browser needs to draw the picture is kept, including a photograph's orientation. From the
# point where a file violates its format, the rest is kept unchanged.

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    b"tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD hIST sPLT pHYs acTL fcTL fdAT".split()
)  # ancillary; critical chunks, whose names begin with a capital, are all kept
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_TOLD = 0x08 | 0x04  # flags for Exif and XMP
_SCANNED = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # the marker that ends a JPEG's image data
_UPRIGHT = b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0"


def strip_metadata(kind: str, content: bytes) -> bytes:
    """The picture without its metadata; ``kind`` is its file ending, and unknown kinds are unchanged."""
    if kind == "jpg":
        return b"".join(_jpeg_parts(content))
    if kind == "png":
        return _PNG + b"".join(_png_chunks(content))
    return _strip_webp(content) if kind == "webp" else content


def _jpeg_parts(content: bytes) -> Iterator[bytes]:
    position = 2
    yield content[:position]
    while len(content) - position >= 4 and content[position] == 0xFF:
        marker, size = content[position + 1], int.from_bytes(content[position + 2 : position + 4], "big")
        if marker == 0xD9:
            break
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        end = position + 2 + size
        if marker == 0xDA:  # start of the image data
            match = _SCANNED.search(content, end)
            end = match.start() if match else len(content)
        yield _filter_segment(marker, content[position:end])
        position = end
    # Some phones append a second picture with its own metadata after the end.
    yield (
        content[position : position + 2]
        if content[position : position + 2] == b"\xff\xd9"
        else content[position:]
    )


def _filter_segment(marker: int, segment: bytes) -> bytes:
    if marker == 0xE1 and segment[4:10] == b"Exif\0\0":
        orientation = _exif_orientation(segment[10:])
        return _UPRIGHT % orientation if orientation else b""
    is_profile = marker == 0xE2 and segment[4:16] == b"ICC_PROFILE\0"
    is_kept = not (0xE1 <= marker <= 0xEF or marker == 0xFE) or marker == 0xEE or is_profile
    return segment if is_kept else b""


def _exif_orientation(tiff: bytes) -> int:
    """The Exif orientation from 2 to 8; 0 where it is upright or not given."""
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for position in range(first + 2, first + 2 + 12 * count, 12):
            tag, _, _, orientation = struct.unpack_from(f"{order}HHIH", tiff, position)
            if tag == 0x0112:
                return int(orientation) if 2 <= orientation <= 8 else 0
    except struct.error:
        pass  # truncated: no orientation
    return 0


def _png_chunks(content: bytes) -> Iterator[bytes]:
    position = len(_PNG)
    while len(content) - position >= 12:
        size, name = struct.unpack_from(">I4s", content, position)
        if not name.isalpha():
            break
        end = position + 12 + size
        if name[:1].isupper() or name in _PNG_KEPT:
            yield content[position:end]
        position = end
        if name == b"IEND":
            return
    yield content[position:]


def _strip_webp(content: bytes) -> bytes:
    kept_chunks = []
    position, file_end = 12, min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    while file_end - position >= 8:
        name, size = struct.unpack_from("<4sI", content, position)
        end = position + 8 + size + size % 2
        chunk = content[position:end]
        if name == b"VP8X":
            chunk = chunk[:8] + bytes([content[position + 8] & ~_WEBP_TOLD]) + chunk[9:] if size else chunk
        if name in _WEBP_KEPT:
            kept_chunks.append(chunk)
        position = end
    body = b"WEBP" + b"".join(kept_chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body if kept_chunks else content


# Reads and writes the title and description of an SVG drawing, leaving every other byte unchanged.

_TAG = re.compile(rb"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOM = b"\xef\xbb\xbf"


class _SvgOutline:
    """Byte positions of the root element's title and description; refuses a document type."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.root = ""  # the root element's name as written, with its prefix
        self.inside = 0  # the first byte after its start tag
        self.spans: dict[str, list[tuple[int, int]]] = {}  # of the root's children, by name
        self.texts: dict[str, list[str]] = {}
        self._path: list[str] = []
        self._begun = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler, self._parser.EndElementHandler = (
            self._start_element,
            self._end_element,
        )
        self._parser.CharacterDataHandler = self._add_text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            self._parser.Parse(content, True)
        except DrawingError:
            raise
        except (expat.ExpatError, LookupError, ValueError) as error:  # the last two come from a bad encoding
            raise DrawingError(getattr(error, "lineno", 1), "This is not well-formed SVG.") from error

    def _start_element(self, name: str, _attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(":")[2])
        at = self._parser.CurrentByteIndex
        if len(self._path) == 1:
            self.root, self.inside = name, self._end_of_tag(at)
        elif len(self._path) == 2:
            self._begun = at

    def _add_text(self, words: str) -> None:
        if len(self._path) > 1:
            self.texts.setdefault(self._path[1], []).append(words)

    def _end_element(self, _name: str) -> None:
        if len(self._path) == 2:
            opened = self._end_of_tag(self._begun)
            empty = self.content[:opened].endswith(b"/>")
            closed = opened if empty else self._end_of_tag(self._parser.CurrentByteIndex)
            own_line = self.content[: self._begun].endswith(b"\n")
            self.spans.setdefault(self._path[1], []).append((self._begun - own_line, closed))
        self._path.pop()

    def _end_of_tag(self, at: int) -> int:
        """The first byte after the tag that begins at ``at``."""
        tag = _TAG.match(self.content, at)
        return tag.end() if tag else at


def _refuse_doctype(*_: object) -> None:
    raise DrawingError(1, "Take out the document type and its entities.")


def strip_byte_order_mark(content: bytes) -> bytes:
    """The drawing without a byte order mark."""
    return content.removeprefix(_BOM)


def read_titles(content: bytes) -> tuple[str, str]:
    """The drawing's title and description; each is empty where it has none.

    Raises:
        DrawingError: It is not well-formed.
    """
    texts = _SvgOutline(content).texts
    title, description = ("".join(texts.get(name, [])) for name in ("title", "desc"))
    return " ".join(title.split()), " ".join(description.split())


def write_titles(content: bytes, title: str, description: str) -> bytes:
    """The drawing with this title and description; an empty argument keeps the drawing's own.

    Every other byte stays.

    Raises:
        DrawingError: It cannot be published: it has an element that is not allowed, or lacks a text.
    """
    outline = _SvgOutline(content)
    if content[: outline.inside].endswith(b"/>"):
        raise DrawingError(1, "There is nothing in the drawing.")
    typed = {"title": _collapse_space(title), "desc": _collapse_space(description)}
    typed = {name: text for name, text in typed.items() if text}
    new = "".join(f"\n{_format_element(outline.root, name, text)}" for name, text in typed.items()).encode()
    replaced_spans = sorted((span for name in typed for span in outline.spans.get(name, [])), reverse=True)
    first_new_line, added_lines = content[: outline.inside].count(b"\n") + 1, new.count(b"\n")
    for first, last in replaced_spans:
        added_lines -= content[first:last].count(b"\n")
        content = content[:first] + content[last:]
    content = content[: outline.inside] + new + content[outline.inside :]
    try:
        read_drawing(content)
    except DrawingError as error:  # convert the line number to that in the author's file
        line = error.line if error.line < first_new_line else max(first_new_line, error.line - added_lines)
        raise DrawingError(line, str(error)) from error
    return content


def _collapse_space(text: str) -> str:
    return " ".join(_NO_XML.sub("", text).split())


def _format_element(root: str, name: str, text: str) -> str:
    prefix = root.rpartition(":")[0]
    tag = f"{prefix}:{name}" if prefix else name
    return f"<{tag}>{escape(text, quote=False)}</{tag}>"


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
    content = strip_byte_order_mark(upload.content)
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
        content = strip_metadata(kind, content)
        return PreparedMedium(
            name, content, figure_markdown(name, upload.title, upload.alternative), in_figure_only
        )
    content = _titled_drawing(upload, content, beside)
    return PreparedMedium(name, content, figure_markdown(name, "", read_titles(content)[1]), False)


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
    text = files.read_lesson(content)
    body = f"{text.body.rstrip()}\n\n{container}" if text.body.strip() else container
    return files.write_body(content, body)


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
        title, description = read_titles(content) if path.endswith(".svg") else ("", "")
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
    for place in item_files.read_items(files):
        use = MediumUse("item", place.key, f"Question “{place.key}”")
        texts.append((use, "\n".join(texts_within(place.table))))
    return texts


def page_title(path: str, content: bytes) -> str:
    """The title of a lesson or job aid; its path where there is no readable title."""
    try:
        return files.read_lesson_file(path, content).title or path
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
        own_texts = read_titles(content)
        wide_texts = read_titles(wide) if wide and upload.narrow_of else ("", "")
        typed = (upload.title, upload.alternative)
        title, alternative = (
            typed_text or ("" if own_text else wide_text)
            for typed_text, own_text, wide_text in zip(typed, own_texts, wide_texts, strict=True)
        )
        # Report faults of the drawing itself first, because a title would not fix them.
        write_titles(content, "" if own_texts[0] else "?", "" if own_texts[1] else "?")
        if not (title or own_texts[0]):
            raise MediaUploadError("title", f"{TITLE_NEEDED}: the drawing has none")
        if not (alternative or own_texts[1]):
            raise MediaUploadError("alternative", f"{ALTERNATIVE_NEEDED}: the drawing has no description")
        return write_titles(content, title, alternative)
    except DrawingError as error:
        raise MediaUploadError("file", f"Line {error.line} of the drawing: {error}") from error


def _escape_mark(match: re.Match[str]) -> str:
    mark = match[1]
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"
