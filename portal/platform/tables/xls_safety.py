"""Checks that an XLS workbook is a plain table: without macros, passwords, outside links or far cells.

The file is a small file system (sectors in chains, named streams), its stream "Workbook" a list of records.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from portal.platform.errors import BadInputError
from portal.platform.tables.cell_positions import (
    MOST_CELLS,
    MOST_COLUMNS,
    TOO_SPARSE,
    cell_place,
    outside_sentence,
)
from portal.platform.tables.ods_safety import TOO_MANY_CELLS
from portal.platform.tables.workbook_archives import (
    HOLDS_MACROS,
    PROTECTED,
    TAKES_FROM_ELSEWHERE,
    UNREADABLE,
)

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
AMBIGUOUS = "The workbook's parts overlap. Open it, and save it again as XLSX."
_ENTRY, _STREAM, _ROOT = 128, 2, 5  # bytes of a directory entry; its types
_LAST_SECTOR = 0xFFFFFFFA  # numbers from here on are marks, such as the end of a chain
_MACRO_NAMES = frozenset({"_vba_project_cur", "_vba_project", "vba", "macros"})
_BEGIN, _END, _SHEET, _PASSWORD, _BOOK_LINK = 0x0809, 0x000A, 0x0085, 0x002F, 0x01AE
_TEXTS, _TEXT = 0x00FC, 3  # the list of texts; the fewest bytes of one
_WITHIN = (0x0401, 0x3A01)  # links to the workbook itself, and to functions that come with the program
_ONE_CELL = frozenset({0x0006, 0x0203, 0x0204, 0x0205, 0x0206, 0x027E, 0x0406, 0x00D6, 0x00FD})
_MANY_CELLS = 0x00BD
_WORKSHEET, _MACRO_SHEET = 0, 1


def check_xls(content: bytes) -> list[str]:
    """Refuse a workbook that is not a plain table.

    Returns:
        By the place of each sheet in the workbook why it cannot be read; empty if it can.

    Raises:
        BadInputError: Says in a sentence what is wrong with the workbook as a whole, and what to do.
    """
    try:
        return _BookScan(_read_book(content)).check_sheets()
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise BadInputError([UNREADABLE]) from error


@dataclass(frozen=True, slots=True)
class _Stream:
    kind: int
    start: int  # the number of its first sector
    size: int  # bytes


def _read_book(content: bytes) -> bytes:
    """The stream of the workbook; refuses a file that holds macros or is protected."""
    shift, small_shift = struct.unpack_from("<2H", content, 30)
    if shift not in {9, 12} or small_shift != 6:
        raise BadInputError([UNREADABLE])
    first_directory, _, smallest, first_small = struct.unpack_from("<4L", content, 48)
    sectors = _Sectors(content[1 << shift :], 1 << shift)
    sectors.links = _read_links(content, sectors)
    streams = _read_directory(sectors.chain(first_directory))
    if "encryptedpackage" in streams:
        raise BadInputError([PROTECTED])
    if not _MACRO_NAMES.isdisjoint(streams):
        raise BadInputError([HOLDS_MACROS])
    book = streams.get("workbook") or streams.get("book")
    if book is None or book.kind != _STREAM:
        raise BadInputError([UNREADABLE])
    if book.size < smallest:
        root = next((stream for stream in streams.values() if stream.kind == _ROOT), None)
        if root is None:
            raise BadInputError([UNREADABLE])
        links = sectors.chain(first_small)
        sectors = _Sectors(sectors.chain(root.start), 64)
        sectors.links = struct.unpack(f"<{len(links) // 4}L", links)
    return sectors.chain(book.start)[: book.size]


@dataclass(slots=True)
class _Sectors:
    """Pieces of equal size; a link says which follows which."""

    content: bytes
    size: int
    links: tuple[int, ...] = ()

    def read(self, number: int) -> bytes:
        """One of them; the last may be cut off."""
        begin = number * self.size
        if begin >= len(self.content):
            raise BadInputError([UNREADABLE])
        return self.content[begin : begin + self.size]

    def chain(self, number: int) -> bytes:
        """The content of a chain, which is no longer than all of them."""
        pieces = []
        while number < _LAST_SECTOR:
            pieces.append(self.read(number))
            if len(pieces) > len(self.links):
                raise BadInputError([AMBIGUOUS])
            number = self.links[number]
        return b"".join(pieces)


def _read_links(content: bytes, sectors: _Sectors) -> tuple[int, ...]:
    """The link of every sector: its parts are listed in the header, and in a chain of more lists."""
    numbers = list(struct.unpack_from("<109L", content, 76))
    more, lists = struct.unpack_from("<2L", content, 68)
    per_list = sectors.size // 4 - 1
    while more < _LAST_SECTOR and lists > 0:
        *listed, more = struct.unpack(f"<{per_list + 1}L", sectors.read(more))
        numbers += listed
        lists -= 1
        if len(numbers) > len(sectors.content) // sectors.size + 109 + per_list:
            raise BadInputError([AMBIGUOUS])
    links = b"".join(sectors.read(number) for number in numbers if number < _LAST_SECTOR)
    return struct.unpack(f"<{len(links) // 4}L", links)


def _read_directory(directory: bytes) -> dict[str, _Stream]:
    """The streams and folders, by name in small letters."""
    streams = {}
    for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        length, kind = struct.unpack_from("<HB", directory, at + 64)
        start, size = struct.unpack_from("<2L", directory, at + 116)
        name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le").lower()
        if kind and name in streams and name in {"workbook", "book"}:
            raise BadInputError([AMBIGUOUS])
        if kind:
            streams[name] = _Stream(kind, start, size)
    return streams


class _BookScan:
    """Looks through the records of a workbook; each byte of its sheets once."""

    def __init__(self, book: bytes) -> None:
        self._book = book
        self._left = len(book)  # bytes that may still be looked at
        self._cells = 0  # with a value, of all sheets

    def check_sheets(self) -> list[str]:
        """Why each sheet cannot be read; empty if it can."""
        starts = []
        for kind, at, length in self._records(0):
            if kind == _PASSWORD:
                raise BadInputError([PROTECTED])
            if kind == _BOOK_LINK and length >= 4:
                (linked,) = struct.unpack_from("<H", self._book, at + 2)
                if linked not in _WITHIN:
                    raise BadInputError([TAKES_FROM_ELSEWHERE])
            if kind == _TEXTS and struct.unpack_from("<L", self._book, at + 4)[0] > len(self._book) // _TEXT:
                raise BadInputError([UNREADABLE])  # room for so many would be made before they are read
            if kind == _SHEET:
                start, _, sheet_type = struct.unpack_from("<LBB", self._book, at)
                if sheet_type == _MACRO_SHEET:
                    raise BadInputError([HOLDS_MACROS])
                starts.append((start, sheet_type))
        return [self._check_sheet(start) if kind == _WORKSHEET else "" for start, kind in starts]

    def _records(self, at: int) -> Iterator[tuple[int, int, int]]:
        """The kind, place and length of each record of one list, and of lists inside it."""
        depth = 0
        while at + 4 <= len(self._book):
            kind, length = struct.unpack_from("<2H", self._book, at)
            self._left -= 4 + length
            if self._left < 0:
                raise BadInputError([AMBIGUOUS])
            depth += (kind == _BEGIN) - (kind == _END)
            if depth <= 0:
                return
            yield kind, at + 4, length
            at += 4 + length

    def _check_sheet(self, start: int) -> str:
        top, bottom, left, right, fault = 1 << 16, 0, 1 << 16, 0, ""
        for kind, at, length in self._records(start):
            if kind not in _ONE_CELL and kind != _MANY_CELLS:
                continue
            row, first = struct.unpack_from("<2H", self._book, at)
            last = first if kind in _ONE_CELL else struct.unpack_from("<H", self._book, at + length - 2)[0]
            self._cells += max(1, last - first + 1)
            top, bottom, left, right = min(top, row), max(bottom, row), min(left, first), max(right, last)
            if last >= MOST_COLUMNS:
                fault = fault or outside_sentence(cell_place(row + 1, last + 1))
        if self._cells > MOST_CELLS:
            raise BadInputError([TOO_MANY_CELLS])
        if not fault and (bottom - top + 1) * (right - left + 1) > MOST_CELLS:
            fault = TOO_SPARSE
        return fault
