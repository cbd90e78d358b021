"""Checks that a workbook is a plain table that every reader understands alike, before it is read."""

import posixpath
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from string import ascii_letters, digits
from xml.parsers import expat

from portal.platform.errors import BadInputError
from portal.platform.formats.zip_archives import (
    ArchiveError,
    EncryptedArchiveError,
    ZipArchive,
    ZipEntry,
    read_archive,
)

# Opens the archive of an XLSX or ODS workbook, refusing one that two readers could understand
# differently.
#
# Every part is unpacked in pieces, counted and looked through; none is kept whole or written to disk.

UNREADABLE = (
    "The file is not a workbook that can be read (XLSX, XLS or ODS). "
    "Open it in a spreadsheet, and save it again as XLSX."
)
AMBIGUOUS = "The workbook's archive is ambiguous. Open it, and save it again as XLSX."
PROTECTED = "The workbook is protected by a password. Save it without one."
HOLDS_MACROS = "The workbook holds macros. Save it as XLSX, which has none."
TAKES_FROM_ELSEWHERE = (
    "The workbook takes data from other files. Copy its values into a new workbook, and save that."
)
MOST_UNPACKED = 400 * 1024 * 1024
_KEPT = 256  # bytes of a piece that are looked at again with the next
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)

Attributes = dict[str, str]
ElementHandler = Callable[[str, Attributes], None]
Feed = Callable[[bytes, bool], object]  # takes a piece of XML, and whether it is the last


@contextmanager
def opened_archive(content: bytes) -> Iterator[ZipArchive]:
    """The archive of a workbook; its faults are refusals, also those found as its parts are read."""
    try:
        archive = read_archive(content)
        if sum(entry.unpacked for entry in archive.entries) > MOST_UNPACKED:
            raise BadInputError([f"The workbook unpacks to more than {MOST_UNPACKED // 1024 // 1024} MB."])
        yield archive
    except EncryptedArchiveError as error:
        raise BadInputError([PROTECTED]) from error
    except ArchiveError as error:
        raise BadInputError([AMBIGUOUS if _is_packed(content) else UNREADABLE]) from error
    except expat.ExpatError as error:
        raise BadInputError([UNREADABLE]) from error


def _is_packed(content: bytes) -> bool:
    """Whether it contains the end record of a ZIP archive; without one it is not an archive."""
    return b"PK\x05\x06" in content


def look_through_part(archive: ZipArchive, entry: ZipEntry, feed: Feed | None) -> None:
    """Unpack a part in pieces; refuse a document type in XML, and pass its pieces on."""
    is_xml = feed is not None or entry.name.lower().endswith(".xml")
    end_of_last = b""
    for piece in archive.unpack_pieces(entry):
        if not is_xml:
            continue
        text = end_of_last + piece
        if _DOCTYPE.search(text.replace(b"\0", b"")):  # in UTF-16, too
            raise BadInputError(
                ["The workbook declares a document type. Open it, and save it again as XLSX."]
            )
        end_of_last = text[-_KEPT:]
        if feed is not None:
            feed(piece, False)
    if feed is not None:
        feed(b"", True)


def feed_elements(on_start: ElementHandler, on_end: Callable[[str], None] | None = None) -> Feed:
    """A parser that always reads UTF-8, and calls back for each element, without its prefix."""
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda tag, attributes: on_start(tag.rpartition(":")[2], attributes)
    if on_end is not None:
        parser.EndElementHandler = lambda tag: on_end(tag.rpartition(":")[2])
    return parser.Parse


# Checks the positions of a worksheet's cells in its XML, before they are read into a table.
#
# A cell's own reference counts, wherever its row says to be; one without a reference follows the one
# before it. The dimensions that the sheet declares are ignored. A cell without a value does not count.

MOST_ROWS = 300_000  # beside the one that names the columns
MOST_COLUMNS = 200
MOST_CELLS = 6_000_000  # of the grid from the first cell to the last
AGAIN = "Open it, and save it again as XLSX."
TOO_SPARSE = (
    f"The sheet has more than {MOST_CELLS:,} cells between its first value and its last. "
    "Save only the list in a new workbook, and upload that."
)
_BATCH = 50_000  # cells whose places are looked at together, which is many times faster
_COLUMN = re.compile(r"[A-Z]{1,3}")
_ROW = re.compile(r"[0-9]{1,7}")


class CellScan:
    """Follows the elements of one worksheet through ``parser``.

    Attributes:
        fault: Why the sheet cannot be read; empty if it can. A formula has no value, or a cell lies outside
            the limits. What follows a fault is not looked at.
    """

    def __init__(self) -> None:
        self.fault = ""
        self._row = 0  # that the current row says, from 1
        self._place = ""  # of the current cell, such as "B7"
        self._text = False  # whether the current cell says that it holds the text of a formula
        self._formula = False  # whether the current cell has a formula, of which no value was seen yet
        self._valued: list[str] = []  # places of cells with a value
        self._columns: set[int] = set()
        self._rows: tuple[int, int] | None = None  # the first and the last
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start_element

    def feed(self, piece: bytes, last: bool) -> None:
        """Take the next piece of the worksheet; after the last, check the last cell and the table's size."""
        if self.fault:
            return
        try:
            self._parser.Parse(piece, last)
            if last:
                self._refuse_unvalued()
                self._look_at_places()
                self._refuse_size()
        except BadInputError as error:
            self.fault = error.reasons[0]

    def _refuse_size(self) -> None:
        if self._rows is None:
            return
        height = self._rows[1] - self._rows[0] + 1
        width = max(self._columns) - min(self._columns) + 1
        if height * width > MOST_CELLS:
            raise BadInputError([TOO_SPARSE])

    def _start_element(self, tag: str, attributes: dict[str, str]) -> None:
        if ":" in tag:
            tag = tag.rpartition(":")[2]
        if tag in {"v", "is"}:
            self._valued.append(self._place)
            if self._formula:
                self._look_for_value(tag)
        elif tag == "c":
            if self._formula:
                self._refuse_unvalued()
            self._place = attributes.get("r") or self._next_place()
            self._text = attributes.get("t") == "str"
        elif tag == "f":
            self._formula = not self._text
        elif tag == "row":
            self._open_row(attributes.get("r"))

    def _open_row(self, number: str | None) -> None:
        self._refuse_unvalued()
        self._look_at_places(least=_BATCH)
        if number is not None and not _ROW.fullmatch(number):
            raise BadInputError([f"The worksheet has a row {number[:20]!r}. {AGAIN}"])
        self._row = self._row + 1 if number is None else int(number)
        self._place = ""

    def _next_place(self) -> str:
        """Position of a cell without a reference: right of the one before it."""
        column = _column_number(self._place.rstrip(digits)) + 1
        return cell_place(max(self._row, 1), column)

    def _look_for_value(self, tag: str) -> None:
        """Watch for text in the value of a formula."""
        if tag == "is":
            self._formula = False
        else:
            self._parser.CharacterDataHandler = self._read_text

    def _read_text(self, text: str) -> None:
        if text.strip():
            self._formula = False
            self._parser.CharacterDataHandler = None

    def _look_at_places(self, least: int = 1) -> None:
        """Check the positions of the cells seen since the last call, if there are at least ``least``."""
        if len(self._valued) < least:
            return
        places, self._valued = self._valued, []
        columns = {place.rstrip(digits): place for place in places}
        rows = {place.lstrip(ascii_letters): place for place in places}
        for column, place in columns.items():
            _refuse_place(_COLUMN.fullmatch(column.upper()), _column_number(column), MOST_COLUMNS, place)
        for row, place in rows.items():
            number = int(row) if _ROW.fullmatch(row) else 0
            _refuse_place(number > 0, number, MOST_ROWS + 1, place)
        self._columns.update(map(_column_number, columns))
        self._rows = _extend_rows(map(int, rows), self._rows)

    def _refuse_unvalued(self) -> None:
        """Refuse the current cell if it has a formula and no value."""
        if self._formula:
            raise BadInputError([unvalued_sentence(self._place[:20])])


def _refuse_place(sound: object, number: int, most: int, place: str) -> None:
    if not sound:
        raise BadInputError([f"The worksheet has a cell {place[:20]!r}. {AGAIN}"])
    if number > most:
        raise BadInputError([outside_sentence(place)])


def outside_sentence(place: str) -> str:
    """Why a sheet with a value at this place, such as "XFD9", is not read."""
    return (
        f"There is a value in {place}, and {MOST_ROWS:,} rows of {MOST_COLUMNS} columns are read. "
        "Delete what is outside the list, or split the file."
    )


def _extend_rows(rows: Iterable[int], before: tuple[int, int] | None) -> tuple[int, int]:
    numbers = [*rows, *(before or ())]
    return min(numbers), max(numbers)


def unvalued_sentence(place: str) -> str:
    """Why a sheet with a formula without a value at this place is not read."""
    return f"The formula in {place} has no value. Open the workbook, let it calculate, and save it."


def cell_place(row: int, column: int) -> str:
    """The name of a cell; row and column from 1.

    >>> cell_place(7, 2), cell_place(1, 703)
    ('B7', 'AAA1')
    """
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{row}"


def _column_number(letters: str) -> int:
    """The number of a column, from 1; 0 for no letters.

    >>> _column_number("A"), _column_number("AA"), _column_number("XFD")
    (1, 27, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


# Checks that an XLSX workbook is a plain table: without macros, outside links or cells far from the list.

BOOK, BOOK_RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_ELSEWHERE = ("xl/externallinks/", "xl/connections", "xl/querytables/", "xl/embeddings/")
_SHEETS = "xl/worksheets/"


def check_archive(content: bytes) -> list[str]:
    """Refuse an archive that two readers could understand differently, or that is not a plain table.

    Returns:
        By the place of each sheet in the workbook why it cannot be read; empty if it can.

    Raises:
        BadInputError: Says in a sentence what is wrong with the workbook as a whole, and what to do.
    """
    with opened_archive(content) as archive:
        _refuse_names([entry.name.lower() for entry in archive.entries])
        return _look_through(archive)


def _refuse_names(names: list[str]) -> None:
    """Refuse parts that only programs and links to elsewhere need."""
    if any(name.endswith(("vbaproject.bin", ".vba")) for name in names):
        raise BadInputError([HOLDS_MACROS])
    if any(name.startswith(_ELSEWHERE) for name in names):
        raise BadInputError([TAKES_FROM_ELSEWHERE])


def _look_through(archive: ZipArchive) -> list[str]:
    """Check every part, beginning with those that say which part is which sheet."""
    book = _Book()
    faults: dict[str, str] = {}
    for entry in sorted(archive.entries, key=lambda entry: entry.name.lower() not in {BOOK, BOOK_RELATIONS}):
        name = entry.name.lower()
        if name.endswith("/"):
            continue
        if not name.endswith(".rels") and (name.startswith(_SHEETS) or name in book.sheet_parts()):
            scan = CellScan()
            look_through_part(archive, entry, scan.feed)
            faults[name] = scan.fault
        else:
            look_through_part(archive, entry, _feed_of_part(name, book))
    any_fault = next(filter(None, faults.values()), "")
    return [faults.get(part, any_fault) for part in book.sheet_parts()] or [any_fault]


def _feed_of_part(name: str, book: "_Book") -> Feed | None:
    """What takes the pieces of the part of this name; None if nothing does."""
    if name.endswith(".rels"):
        return feed_elements(book.add_relation if name == BOOK_RELATIONS else _refuse_relation)
    handler = {BOOK: book.add_sheet, "[content_types].xml": _refuse_macros}.get(name)
    return feed_elements(handler) if handler else None


class _Book:
    """Finds the parts that hold the workbook's sheets."""

    def __init__(self) -> None:
        self._sheets: list[str] = []  # the relation of each, in the workbook's order
        self._targets: dict[str, str] = {}

    def add_sheet(self, tag: str, attributes: Attributes) -> None:
        """Note a sheet."""
        if tag == "sheet":
            self._sheets.append(
                next((value for name, value in attributes.items() if name.endswith(":id")), "")
            )

    def add_relation(self, tag: str, attributes: Attributes) -> None:
        """Note where a part of the workbook is."""
        _refuse_relation(tag, attributes)
        if tag == "Relationship":
            self._targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet_parts(self) -> list[str]:
        """The name of each sheet's part, in small letters; empty where the workbook does not name it."""
        targets = (self._targets.get(sheet, "") for sheet in self._sheets)
        return [posixpath.normpath(posixpath.join("/xl", t))[1:].lower() if t else "" for t in targets]


def _refuse_relation(tag: str, attributes: Attributes) -> None:
    """Refuse references to outside files, except hyperlinks: these do nothing until clicked."""
    if tag != "Relationship" or attributes.get("TargetMode", "").lower() != "external":
        return
    if not attributes.get("Type", "").lower().endswith("/hyperlink"):
        raise BadInputError(
            ["The workbook refers to something outside it. Copy its values into a new workbook."]
        )


def _refuse_macros(_tag: str, attributes: Attributes) -> None:
    if "macroenabled" in attributes.get("ContentType", "").lower():
        raise BadInputError(["The workbook is of the kind that holds macros. Save it as XLSX."])


# Checks that an ODS workbook is a plain table, and finds its merged cells, which its reader does not
# give.
#
# A cell or a row may say that it is repeated: what counts is where the last of its copies stands.

MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"
TOO_MANY_CELLS = (
    f"The workbook's sheets have more than {MOST_CELLS:,} values together. "
    "Save only the list in a new workbook, and upload that."
)
_MANIFEST, _CONTENT = "META-INF/manifest.xml", "content.xml"
_MOST_DIGITS = 12  # of a number of copies
_FIRST_ROWS = 100  # in which merged cells are noted
_FROM_ELSEWHERE = frozenset({"table-source", "cell-range-source", "dde-links", "dde-link", "dde-source"})

Span = tuple[int, int, int, int]  # first row, first column, last row, last column, from 0


@dataclass(slots=True)
class OdsTable:
    """What was found in one table of the workbook."""

    fault: str = ""  # why it cannot be read; empty if it can
    spans: list[Span] = field(default_factory=list)  # merged cells in its first rows


def is_ods(content: bytes) -> bool:
    """Whether an archive says first that it is an OpenDocument spreadsheet."""
    return content[30:38] == b"mimetype" and content[38 : 38 + len(MIMETYPE)] == MIMETYPE


def check_ods(content: bytes) -> list[OdsTable]:
    """Refuse a workbook that is ambiguous, or is not a plain table; what was found in each of its tables."""
    scan = _ContentScan()
    feeds: dict[str, Feed] = {
        _CONTENT: feed_elements(scan.start_element, scan.end_element),
        _MANIFEST: feed_elements(_refuse_encryption),
    }
    with opened_archive(content) as archive:
        names = [entry.name for entry in archive.entries]
        if any(name.startswith(("Basic/", "Scripts/")) for name in names):
            raise BadInputError([HOLDS_MACROS])
        if "encrypted-package" in names:
            raise BadInputError([PROTECTED])
        if any(name.startswith("xl/") for name in names):  # another reader would take it for an XLSX
            raise BadInputError([AMBIGUOUS])
        if not feeds.keys() <= set(names):
            raise BadInputError([UNREADABLE])
        for entry in sorted(archive.entries, key=lambda entry: entry.name != _MANIFEST):
            look_through_part(archive, entry, feeds.get(entry.name))
    return scan.tables


def _refuse_encryption(tag: str, _attributes: Attributes) -> None:
    if tag == "encryption-data":
        raise BadInputError([PROTECTED])


class _ContentScan:
    """Follows the elements of the workbook's content."""

    def __init__(self) -> None:
        self.tables: list[OdsTable] = []
        self._inside = False  # a table
        self._row = self._column = 0  # where the next row, and the next cell of it, begin, from 0
        self._row_copies = 1
        self._cells = 0  # with a value, of all tables

    def start_element(self, tag: str, attributes: Attributes) -> None:
        """Note a table, a row or a cell."""
        if tag in _FROM_ELSEWHERE:
            raise BadInputError([TAKES_FROM_ELSEWHERE])
        if tag == "table":
            if self._inside:  # one in a cell of another, which readers take for different things
                raise BadInputError([AMBIGUOUS])
            self._inside, self._row = True, 0
            self.tables.append(OdsTable())
        elif self._inside and tag == "table-row":
            self._row_copies, self._column = _read_copies(attributes, "table:number-rows-repeated"), 0
        elif self._inside and tag in {"table-cell", "covered-table-cell"}:
            self._add_cell(attributes)

    def end_element(self, tag: str) -> None:
        """Note the end of a table or a row."""
        if tag == "table":
            self._inside = False
        elif tag == "table-row":
            self._row += self._row_copies

    def _add_cell(self, attributes: Attributes) -> None:
        copies = _read_copies(attributes, "table:number-columns-repeated")
        row, column, table = self._row, self._column, self.tables[-1]
        self._column += copies
        across = _read_copies(attributes, "table:number-columns-spanned")
        down = _read_copies(attributes, "table:number-rows-spanned")
        if row < _FIRST_ROWS and (across > 1 or down > 1):
            table.spans.append((row, column, row + down - 1, column + across - 1))
        if "office:value-type" not in attributes:
            if "table:formula" in attributes:
                table.fault = table.fault or unvalued_sentence(cell_place(row + 1, column + 1))
            return
        self._cells += copies * self._row_copies
        last_row, last_column = row + self._row_copies, column + copies
        if last_row > MOST_ROWS + 1 or last_column > MOST_COLUMNS:
            table.fault = table.fault or outside_sentence(cell_place(last_row, last_column))
        elif self._cells > MOST_CELLS:
            raise BadInputError([TOO_MANY_CELLS])


def _read_copies(attributes: Attributes, name: str) -> int:
    """A number of an attribute, which is 1 where it is not given."""
    text = attributes.get(name, "1")
    if not text.isascii() or not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) < 1:
        raise BadInputError([AMBIGUOUS])
    return int(text)


# Checks that an XLS workbook is a plain table: without macros, passwords, outside links or far cells.
#
# The file is a small file system (sectors in chains, named streams), its stream "Workbook" a list of
# records.

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
AMBIGUOUS_XLS = "The workbook's parts overlap. Open it, and save it again as XLSX."
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
                raise BadInputError([AMBIGUOUS_XLS])
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
            raise BadInputError([AMBIGUOUS_XLS])
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
            raise BadInputError([AMBIGUOUS_XLS])
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
                raise BadInputError([AMBIGUOUS_XLS])
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
