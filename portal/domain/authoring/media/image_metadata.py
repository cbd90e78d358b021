"""Removes metadata from pictures: place, device, names and thumbnails.

Only what a browser needs to draw the picture is kept, including a photograph's orientation. From the point
where a file violates its format, the rest is kept unchanged.
"""

import re
import struct
from collections.abc import Iterator

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
