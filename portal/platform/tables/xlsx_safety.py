"""Checks that a workbook is a plain table: without macros, outside links or cells far from the list.

Every part is unpacked in pieces, counted and looked through; none is kept whole or written to disk.
"""

import posixpath
import re
from collections.abc import Callable
from xml.parsers import expat

from portal.platform.errors import BadInputError
from portal.platform.formats.zip_archives import (
    ArchiveError,
    EncryptedArchiveError,
    ZipArchive,
    ZipEntry,
    read_archive,
)
from portal.platform.tables.cell_positions import CellScan

UNREADABLE = "The file is not a workbook that can be read (XLSX)."
AMBIGUOUS = "The workbook's archive is ambiguous. Open it, and save it again as XLSX."
MOST_UNPACKED = 400 * 1024 * 1024
BOOK, BOOK_RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_KEPT = 256  # bytes of a piece that are looked at again with the next
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ELSEWHERE = ("xl/externallinks/", "xl/connections", "xl/querytables/", "xl/embeddings/")
_SHEETS = "xl/worksheets/"

Attributes = dict[str, str]
ElementHandler = Callable[[str, Attributes], None]


def refuse_archive(content: bytes) -> None:
    """Refuse an archive that two readers could understand differently, or that is not a plain table.

    Raises:
        BadInputError: Says in a sentence what is wrong and what to do.
    """
    try:
        archive = read_archive(content)
        _refuse_names([entry.name.lower() for entry in archive.entries])
        if sum(entry.unpacked for entry in archive.entries) > MOST_UNPACKED:
            raise BadInputError([f"The workbook unpacks to more than {MOST_UNPACKED // 1024 // 1024} MB."])
        _look_through(archive)
    except EncryptedArchiveError as error:
        raise BadInputError(["The workbook is protected by a password. Save it without one."]) from error
    except ArchiveError as error:
        raise BadInputError([AMBIGUOUS if _is_packed(content) else UNREADABLE]) from error
    except expat.ExpatError as error:
        raise BadInputError([UNREADABLE]) from error


def _is_packed(content: bytes) -> bool:
    """Whether it contains the end record of a ZIP archive; without one it is not an archive."""
    return b"PK\x05\x06" in content


def _refuse_names(names: list[str]) -> None:
    """Refuse parts that only programs and links to elsewhere need."""
    if any(name.endswith(("vbaproject.bin", ".vba")) for name in names):
        raise BadInputError(["The workbook holds macros. Save it as XLSX, which has none."])
    if any(name.startswith(_ELSEWHERE) for name in names):
        raise BadInputError(
            ["The workbook takes data from other files. Copy its values into a new workbook, and save that."]
        )


def _look_through(archive: ZipArchive) -> None:
    """Check every part, beginning with those that say which sheet is the first."""
    book = _Book()
    for entry in sorted(archive.entries, key=lambda entry: entry.name.lower() not in {BOOK, BOOK_RELATIONS}):
        name = entry.name.lower()
        if name.endswith("/"):
            continue
        handler = _handler_of_part(name, book)
        if handler is None and (name.startswith(_SHEETS) or name == book.first_sheet):
            scan = CellScan(limited=book.first_sheet in {None, name})
            _look_through_part(archive, entry, scan.parser)
            scan.close()
        else:
            _look_through_part(archive, entry, None if handler is None else _make_parser(handler))


def _handler_of_part(name: str, book: "_Book") -> ElementHandler | None:
    """The function called for each element of the part of this name; None if there is none."""
    if name.endswith(".rels"):
        return book.add_relation if name == BOOK_RELATIONS else _refuse_relation
    return {BOOK: book.add_sheet, "[content_types].xml": _refuse_macros}.get(name)


def _look_through_part(archive: ZipArchive, entry: ZipEntry, parser: "expat.XMLParserType | None") -> None:
    """Unpack a part in pieces; refuse a document type in XML, and pass its elements to the parser."""
    is_xml = parser is not None or entry.name.lower().endswith(".xml")
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
        if parser is not None:
            parser.Parse(piece, False)
    if parser is not None:
        parser.Parse(b"", True)


def _make_parser(handler: ElementHandler) -> "expat.XMLParserType":
    """A parser that always reads UTF-8, and calls the handler for each element, without its prefix."""
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda tag, attributes: handler(tag.rpartition(":")[2], attributes)
    return parser


class _Book:
    """Finds the part that holds the workbook's first sheet; None if the workbook does not name it."""

    def __init__(self) -> None:
        self._first: str | None = None
        self._targets: dict[str, str] = {}

    def add_sheet(self, tag: str, attributes: Attributes) -> None:
        """Note the first sheet."""
        if tag == "sheet" and self._first is None:
            self._first = next((value for name, value in attributes.items() if name.endswith(":id")), "")

    def add_relation(self, tag: str, attributes: Attributes) -> None:
        """Note where a part of the workbook is."""
        _refuse_relation(tag, attributes)
        if tag == "Relationship":
            self._targets[attributes.get("Id", "")] = attributes.get("Target", "")

    @property
    def first_sheet(self) -> str | None:
        """The name of the part, in small letters."""
        target = self._targets.get(self._first or "")
        return posixpath.normpath(posixpath.join("/xl", target))[1:].lower() if target else None


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
