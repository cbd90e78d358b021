"""Which media files may be published: recognised by what they hold, not by their names."""

import re
from dataclasses import dataclass

from portal.catalogue.svg import Drawing, DrawingError, read_drawing
from portal.formats.faults import Faults

TYPES = {
    "svg": "image/svg+xml; charset=utf-8",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "vtt": "text/vtt; charset=utf-8",
    "mp3": "audio/mpeg",
    "pdf": "application/pdf",
}
ALIASES = {"jpeg": "jpg"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")


@dataclass(frozen=True)
class Medium:
    """One media file that may be published."""

    path: str  # media/name
    kind: str  # a key of TYPES
    drawing: Drawing | None


def kind_of(content: bytes) -> str | None:
    """The kind that the content shows, None where it is none that may be published."""
    head = content[:16]
    for kind, matches in (
        ("png", head.startswith(b"\x89PNG\r\n\x1a\n")),
        ("jpg", head.startswith(b"\xff\xd8\xff")),
        ("webp", head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
        ("mp4", head[4:8] == b"ftyp"),
        ("vtt", head.startswith((b"WEBVTT\n", b"WEBVTT ")) or content == b"WEBVTT"),
        ("mp3", head.startswith(b"ID3") or re.match(rb"\xff[\xe2-\xff]", head) is not None),
        ("pdf", head.startswith(b"%PDF-")),
        (
            "svg",
            re.match(rb"(<\?xml[^>]*>)?(\s|<!--.*?-->)*<(!DOCTYPE\s+|[\w\-]+:)?svg[\s>]", content, re.S)
            is not None,
        ),
    ):
        if matches:
            return kind
    return None


def read_media(module: str, files: dict[str, bytes], faults: Faults) -> dict[str, Medium]:
    """The media of a module by path; whatever may not be published is refused."""
    found = {}
    for path, content in files.items():
        if path.startswith("media/"):
            medium = _medium(f"{module}/{path}", path, content, faults)
            if medium is not None:
                found[path] = medium
    for path, medium in found.items():
        if medium.kind == "mp4" and path.removesuffix(".mp4") + ".vtt" not in found:
            faults.add(f"{module}/{path}", None, "Add captions beside it, with the same name and .vtt.")
    return found


def _medium(shown: str, path: str, content: bytes, faults: Faults) -> Medium | None:
    name = path.removeprefix("media/")
    if not NAME.fullmatch(name):
        faults.add(shown, None, "Name the file with letters, digits, hyphens and full stops, without spaces.")
        return None
    ending = name.rpartition(".")[2].lower()
    kind = kind_of(content)
    if kind is None or ALIASES.get(ending, ending) != kind:
        faults.add(shown, None, _refusal(ending, kind))
        return None
    if kind != "svg":
        return Medium(path, kind, None)
    try:
        return Medium(path, kind, read_drawing(content))
    except DrawingError as error:
        faults.add(shown, error.line, str(error))
        return None


def _refusal(ending: str, kind: str | None) -> str:
    if kind is None:
        return "This is not a file that can be published. Use SVG, PNG, JPEG, WebP, MP4 with VTT, MP3 or PDF."
    return f"This file ends in .{ending} but holds {kind.upper()}. Name it .{kind}."
