"""Types of media files that may be published, recognised by content, not by name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.catalogue.media_rules import (
    PLAYED,
    CaptionError,
    Drawing,
    DrawingError,
    captions_path,
    check_captions,
    most_bytes,
    read_length,
)
from portal.platform.formats.toml_tables import Faults
from portal.platform.isolation.messages import MEBIBYTE, Limits, Reader
from portal.platform.isolation.running import BatchReader, ReadingStoppedError

# Reading and checking of drawings in a separate process, before the portal uses them.

READER = Reader(
    "portal.domain.catalogue.media_rules:read_each",
    Limits(memory=512 * MEBIBYTE, processor=20, wall=60, answer=16 * MEBIBYTE),
    thing="This drawing",
    advice="Simplify it, or save it as a PNG.",
)


def _drawing_of_answer(value: Any) -> Drawing | DrawingError:
    if "refused" in value:
        return DrawingError(int(value["line"]), str(value["refused"]))
    return Drawing(str(value["title"]), str(value["description"]), int(value["width"]), int(value["height"]))


def _error_of_stop(error: ReadingStoppedError) -> Drawing | DrawingError:
    return DrawingError(1, str(error))


_reader: BatchReader[Drawing | DrawingError] = BatchReader(READER, _drawing_of_answer, _error_of_stop)


def read_drawings(contents: Sequence[bytes]) -> list[Drawing | DrawingError]:
    """Return the title and size of each drawing, or the error that keeps it from being published."""
    return _reader.read_all(contents)


CONTENT_TYPES = {
    "svg": "image/svg+xml; charset=utf-8",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "vtt": "text/vtt; charset=utf-8",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "pdf": "application/pdf",
}
ALIASES = {"jpeg": "jpg"}
# Possessive quantifiers throughout: without them, many comments make the match exponential.
_DRAWING = re.compile(
    rb"(?:<\?xml[^>]*+>)?(?:\s|<!--(?:(?!-->).)*+-->)*+<(?:!DOCTYPE\s++|[\w\-]++:)?svg[\s>]", re.S
)
_OGG_SOUND = re.compile(rb"\x01vorbis|OpusHead")
MEDIA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")


@dataclass(frozen=True)
class MediaFile:
    """One media file that may be published."""

    path: str  # media/name
    kind: str  # a key of TYPES
    drawing: Drawing | None


def narrow_path(path: str) -> str:
    """The path of a picture's version for phones.

    >>> narrow_path("media/yard.svg")
    'media/yard.narrow.svg'
    """
    stem, _, ending = path.rpartition(".")
    return f"{stem}.narrow.{ending}"


def media_kind(content: bytes) -> str | None:
    """Return the kind of the content; None if it may not be published."""
    head = content[:16]
    for kind, matches in (
        ("png", head.startswith(b"\x89PNG\r\n\x1a\n")),
        ("jpg", head.startswith(b"\xff\xd8\xff")),
        ("webp", head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
        ("m4a", head[4:8] == b"ftyp" and head[8:12] in {b"M4A ", b"M4B "}),
        ("mp4", head[4:8] == b"ftyp"),
        ("webm", head[:4] == b"\x1aE\xdf\xa3" and b"\x42\x82\x84webm" in content[:64]),
        ("ogg", head[:4] == b"OggS" and _OGG_SOUND.search(content[:64]) is not None),
        ("wav", head[:4] == b"RIFF" and head[8:12] == b"WAVE"),
        ("vtt", head.startswith((b"WEBVTT\n", b"WEBVTT ")) or content == b"WEBVTT"),
        ("mp3", head.startswith(b"ID3") or re.match(rb"\xff[\xe2-\xff]", head) is not None),
        ("pdf", head.startswith(b"%PDF-")),
        (
            "svg",
            _DRAWING.match(content) is not None,
        ),
    ):
        if matches:
            return kind
    return None


def read_media(module: str, files: dict[str, bytes], faults: Faults) -> dict[str, MediaFile]:
    """Read the media files of a module by path; others are refused with a fault."""
    kinds = {path: kind for path in files if (kind := _kind_of_file(module, path, files[path], faults))}
    svg_paths = [path for path, kind in kinds.items() if kind == "svg"]
    drawings = dict(zip(svg_paths, read_drawings([files[path] for path in svg_paths]), strict=True))
    media = {}
    for path, kind in kinds.items():
        drawing = drawings.get(path)
        if isinstance(drawing, DrawingError):
            faults.add(f"{module}/{path}", drawing.line, str(drawing))
        else:
            media[path] = MediaFile(path, kind, drawing)
    for medium in media.values():
        if medium.kind in PLAYED:
            _check_played(module, medium, files, faults)
    return media


def _check_played(module: str, medium: MediaFile, files: dict[str, bytes], faults: Faults) -> None:
    """Check the size of a sound or film, and its captions, which are beside it under the same name."""
    path, content = medium.path, files[medium.path]
    limit = most_bytes(medium.kind)
    if limit and len(content) > limit:
        faults.add(f"{module}/{path}", None, f"Keep this file under {limit >> 20} MB.")
    captions = captions_path(path)
    if captions not in files:
        faults.add(f"{module}/{path}", None, "Add captions beside it, with the same name and .vtt.")
        return
    try:
        check_captions(files[captions], read_length(medium.kind, content))
    except CaptionError as error:
        faults.add(f"{module}/{captions}", error.line, str(error))


def _kind_of_file(module: str, path: str, content: bytes, faults: Faults) -> str | None:
    """Return the kind of a media file; None for other files, and for one refused with a fault."""
    if not path.startswith("media/"):
        return None
    shown_path, name = f"{module}/{path}", path.removeprefix("media/")
    if not MEDIA_NAME.fullmatch(name):
        faults.add(
            shown_path, None, "Name the file with letters, digits, hyphens and full stops, without spaces."
        )
        return None
    ending = name.rpartition(".")[2].lower()
    kind = media_kind(content)
    if kind is None or ALIASES.get(ending, ending) != kind:
        faults.add(shown_path, None, _refusal_reason(ending, kind))
        return None
    return kind


def _refusal_reason(ending: str, kind: str | None) -> str:
    if kind is None:
        return (
            "This is not a file that can be published. Use SVG, PNG, JPEG, WebP or PDF, or with captions"
            " (VTT) MP4, WebM, MP3, M4A, OGG or WAV."
        )
    return f"This file ends in .{ending} but is {kind.upper()}. Name it .{kind}."
