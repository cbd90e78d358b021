"""Pictures without what cameras and programs write beside them: place, device, names, earlier thumbnails.

Only what a browser needs to draw a picture stays, and of a photograph which way up it is. Where a file stops
being what its format says, the rest of it stays as it came.
"""

import re
import struct
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    b"tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD hIST sPLT pHYs acTL fcTL fdAT".split()
)  # beside those that begin with a capital, without which there is no picture
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_TOLD = 0x08 | 0x04  # that there is Exif, and XMP
_SCANNED = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # what ends the dots of a JPEG
_UPRIGHT = b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0"


def strip_metadata(kind: str, content: bytes) -> bytes:
    """The picture without its metadata; ``kind`` is its ending, and others than these stay as they are."""
    if kind == "jpg":
        return b"".join(_jpeg_parts(content))
    if kind == "png":
        return _PNG + b"".join(_png_chunks(content))
    return _strip_webp(content) if kind == "webp" else content


def _jpeg_parts(content: bytes) -> Iterator[bytes]:
    at = 2
    yield content[:at]
    while len(content) - at >= 4 and content[at] == 0xFF:
        mark, size = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if mark == 0xD9:
            break
        if mark == 0xFF:  # filled up with one more
            at += 1
            continue
        end = at + 2 + size
        if mark == 0xDA:  # the dots follow
            found = _SCANNED.search(content, end)
            end = found.start() if found else len(content)
        yield _filter_segment(mark, content[at:end])
        at = end
    # Behind the end some phones put a second picture, with all its own metadata.
    yield content[at : at + 2] if content[at : at + 2] == b"\xff\xd9" else content[at:]


def _filter_segment(mark: int, segment: bytes) -> bytes:
    if mark == 0xE1 and segment[4:10] == b"Exif\0\0":
        turned = _exif_orientation(segment[10:])
        return _UPRIGHT % turned if turned else b""
    colours = mark == 0xE2 and segment[4:16] == b"ICC_PROFILE\0"
    kept = not (0xE1 <= mark <= 0xEF or mark == 0xFE) or mark == 0xEE or colours
    return segment if kept else b""


def _exif_orientation(tiff: bytes) -> int:
    """Which way a photograph lies, from 2 to 8; 0: upright, or not said."""
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for at in range(first + 2, first + 2 + 12 * count, 12):
            tag, _, _, said = struct.unpack_from(f"{order}HHIH", tiff, at)
            if tag == 0x0112:
                return int(said) if 2 <= said <= 8 else 0
    except struct.error:
        pass  # cut off: nothing is said
    return 0


def _png_chunks(content: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while len(content) - at >= 12:
        size, name = struct.unpack_from(">I4s", content, at)
        if not name.isalpha():
            break
        end = at + 12 + size
        if name[:1].isupper() or name in _PNG_KEPT:
            yield content[at:end]
        at = end
        if name == b"IEND":
            return
    yield content[at:]


def _strip_webp(content: bytes) -> bytes:
    kept = []
    at, whole = 12, min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    while whole - at >= 8:
        name, size = struct.unpack_from("<4sI", content, at)
        end = at + 8 + size + size % 2
        chunk = content[at:end]
        if name == b"VP8X":
            chunk = chunk[:8] + bytes([content[at + 8] & ~_WEBP_TOLD]) + chunk[9:] if size else chunk
        if name in _WEBP_KEPT:
            kept.append(chunk)
        at = end
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body if kept else content
