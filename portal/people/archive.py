"""Whether a workbook's archive can mean one thing only, and holds nothing that would run or lead elsewhere.

Every part is unpacked in pieces, counted and looked through; none is kept whole or written to disk.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise

from portal.errors import BadInputError

UNREADABLE = "The file is not a workbook that can be read (XLSX)."
MOST_PARTS = 1_000
MOST_UNPACKED = 400 * 1024 * 1024
LONGEST_CELL = 1 << 16  # bytes of a cell's XML: what is kept between two pieces
_PIECE = 1 << 20
_END_BYTES = 22  # of the end record of an archive without a comment
_HEADER_BYTES = 30  # of the fixed part of an entry's own header
_KEPT = 256  # bytes of a piece that are looked at again with the next
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CELL = re.compile(rb"<(?:\w+:)?c(?:\s(?:[^>]*[^/>])?)?>(?:(?!</(?:\w+:)?c>).)*</(?:\w+:)?c>", re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>[^<]|<(?:\w+:)?is[\s>]|\bt=[\"']str[\"']")
_NAME = re.compile(rb"\br=[\"']([A-Z]{1,3}[0-9]{1,7})[\"']")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>", re.IGNORECASE)
_OUTSIDE = re.compile(rb"TargetMode\s*=\s*[\"']External", re.IGNORECASE)
_LINK = re.compile(rb"Type\s*=\s*[\"'][^\"']*/hyperlink[\"']", re.IGNORECASE)
_ELSEWHERE = ("xl/externallinks/", "xl/connections", "xl/querytables/", "xl/embeddings/")


def refuse_archive(content: bytes) -> None:
    """Refuse an archive that two readers could understand differently, or that is not a plain table.

    Raises:
        BadInputError: Says in a sentence what is wrong and what to do.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            start = archive.start_dir
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadInputError([UNREADABLE]) from error
    if len(parts) > MOST_PARTS:
        raise BadInputError([f"The workbook has more than {MOST_PARTS:,} parts."])
    if any(part.flag_bits & 1 for part in parts):
        raise BadInputError(["The workbook is protected by a password. Save it without one."])
    if _ambiguous(content, parts, start):
        raise BadInputError(["The workbook's archive is ambiguous. Open it, and save it again as XLSX."])
    _refuse_names([part.filename.lower() for part in parts])
    unpacked = 0
    for part in parts:
        kept = b""
        for piece in _pieces(content, part):
            unpacked += len(piece)
            if unpacked > MOST_UNPACKED:
                raise BadInputError(
                    [f"The workbook unpacks to more than {MOST_UNPACKED // 1024 // 1024} MB."]
                )
            kept = _look(part.filename.lower(), kept + piece)


def _refuse_names(names: list[str]) -> None:
    """Refuse parts that only programs and links to elsewhere need."""
    if any(name.endswith(("vbaproject.bin", ".vba")) for name in names):
        raise BadInputError(["The workbook holds macros. Save it as XLSX, which has none."])
    if any(name.startswith(_ELSEWHERE) for name in names):
        raise BadInputError(
            ["The workbook takes data from other files. Copy its values into a new workbook, and save that."]
        )


def _ambiguous(content: bytes, parts: list[zipfile.ZipInfo], start: int) -> bool:
    """Duplicate names, entries that overlap, data before or after, or more than one end record."""
    end = len(content) - _END_BYTES
    names = [part.filename.lower() for part in parts]
    ordered = sorted(parts, key=lambda part: part.header_offset)
    overlap = any(
        first.header_offset + _HEADER_BYTES + len(first.orig_filename.encode()) + first.compress_size
        > second.header_offset
        for first, second in pairwise(ordered)
    )
    return (
        len(set(names)) != len(names)
        or overlap
        or content[end : end + 4] != b"PK\x05\x06"
        or content.count(b"PK\x05\x06") != 1
        or int.from_bytes(content[end + 16 : end + 20], "little") != start
        or not ordered
        or ordered[0].header_offset != 0
    )


def _pieces(content: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a part really unpacks to, whatever it declares."""
    sizes = content[part.header_offset + 26 : part.header_offset + _HEADER_BYTES]
    skip = int.from_bytes(sizes[:2], "little") + int.from_bytes(sizes[2:], "little")
    begin = part.header_offset + _HEADER_BYTES + skip
    left = content[begin : begin + part.compress_size]
    if part.compress_type != zipfile.ZIP_DEFLATED:
        for place in range(0, len(left), _PIECE):
            yield left[place : place + _PIECE]
        return
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while left:
            yield engine.decompress(left, _PIECE)
            left = engine.unconsumed_tail
    except zlib.error as error:
        raise BadInputError([UNREADABLE]) from error


def _look(name: str, text: bytes) -> bytes:
    """Look through a piece of a part; returns the end of it, to be looked at with the next piece."""
    if not name.endswith((".xml", ".rels")):
        return b""
    if _DOCTYPE.search(text.replace(b"\0", b"")):  # in UTF-16, too
        raise BadInputError(["The workbook declares a document type. Open it, and save it again as XLSX."])
    if name.endswith(".rels"):
        return _look_at_relations(text)
    if name.startswith("xl/worksheets/"):
        return _look_at_cells(text)
    if b"macroEnabled" in text and name == "[content_types].xml":
        raise BadInputError(["The workbook is of the kind that holds macros. Save it as XLSX."])
    return text[-_KEPT:]


def _look_at_relations(text: bytes) -> bytes:
    end = 0
    for found in _RELATION.finditer(text):
        end = found.end()
        if _OUTSIDE.search(found[0]) and not _LINK.search(found[0]):  # a link is text until it is clicked
            raise BadInputError(
                ["The workbook refers to something outside it. Copy its values into a new workbook."]
            )
    return text[end:][-LONGEST_CELL:]


def _look_at_cells(text: bytes) -> bytes:
    end = 0
    if not _FORMULA.search(text):  # the rule, and many times faster
        return text[-LONGEST_CELL:]
    for found in _CELL.finditer(text):
        end = found.end()
        if _FORMULA.search(found[0]) and not _VALUE.search(found[0]):
            place = _NAME.search(found[0])
            where = place[1].decode() if place else "a cell"
            raise BadInputError(
                [f"The formula in {where} has no value. Open the workbook, let it calculate, and save it."]
            )
    return text[end:][-LONGEST_CELL:]
