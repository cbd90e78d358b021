"""The first sheet of an XLSX workbook as lines of text, once its archive has been found harmless.

A formula's cell gives the value it last had. Nothing in the workbook is run, fetched or unpacked to disk.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from python_calamine import CalamineError, CalamineWorkbook

from portal.errors import BadInputError

MAGIC = b"PK\x03\x04"
MOST_PARTS = 1_000
MOST_UNPACKED = 400 * 1024 * 1024
_END_BYTES = 22  # of the end record of an archive without a comment
_HEADER_BYTES = 30  # of the fixed part of an entry's own header

Cell = str | int | float | bool | date | datetime | time | timedelta


def lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet that are not empty, with their row number, every cell as text.

    Dates come as ISO 8601, whole numbers without a fraction.

    Raises:
        BadInputError: The file is no workbook, or its archive is ambiguous or unpacks to too much.
    """
    refuse_archive(content)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            grid = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, IndexError) as error:
        raise BadInputError(["The file is not a workbook that can be read (XLSX)."]) from error
    return _filled(grid)


def _filled(grid: Sequence[Sequence[Cell]]) -> Iterator[tuple[int, list[str]]]:
    width = 0
    for number, cells in enumerate(grid, start=1):
        values = [_text(cell) for cell in cells]
        if not any(value.strip() for value in values):
            continue
        if not width:  # the header: what lies right of its last name is a column only if it holds something
            width = max(n for n, value in enumerate(values, start=1) if value.strip())
        while len(values) > width and not values[-1].strip():
            values.pop()
        yield number, values + [""] * (width - len(values))


def _text(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def refuse_archive(content: bytes) -> None:
    """Refuse an archive that two readers could understand differently, or that unpacks to too much.

    Raises:
        BadInputError: Says which of these it is.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            start = archive.start_dir
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadInputError(["The file is not a workbook that can be read (XLSX)."]) from error
    if len(parts) > MOST_PARTS:
        raise BadInputError([f"The workbook has more than {MOST_PARTS:,} parts."])
    if _ambiguous(content, parts, start):
        raise BadInputError(["The workbook's archive is ambiguous. Open it, and save it again as XLSX."])
    if _unpacked(content, parts) > MOST_UNPACKED:
        raise BadInputError([f"The workbook unpacks to more than {MOST_UNPACKED // 1024 // 1024} MB."])


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
        or any(part.flag_bits & 1 for part in parts)
    )


def _unpacked(content: bytes, parts: list[zipfile.ZipInfo]) -> int:
    """What the parts really unpack to, whatever they declare; stops counting past the limit."""
    total = 0
    for part in parts:
        if part.compress_type != zipfile.ZIP_DEFLATED:
            total += part.compress_size
            continue
        sizes = content[part.header_offset + 26 : part.header_offset + _HEADER_BYTES]
        skip = int.from_bytes(sizes[:2], "little") + int.from_bytes(sizes[2:], "little")
        begin = part.header_offset + _HEADER_BYTES + skip
        engine, left = zlib.decompressobj(-zlib.MAX_WBITS), content[begin : begin + part.compress_size]
        try:
            while left and total <= MOST_UNPACKED:
                total += len(engine.decompress(left, 1 << 20))
                left = engine.unconsumed_tail
        except zlib.error as error:
            raise BadInputError(["The file is not a workbook that can be read (XLSX)."]) from error
    return total
