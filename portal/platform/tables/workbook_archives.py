"""Opens the archive of an XLSX or ODS workbook, refusing one that two readers could understand differently.

Every part is unpacked in pieces, counted and looked through; none is kept whole or written to disk.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from xml.parsers import expat

from portal.platform.errors import BadInputError
from portal.platform.formats.zip_archives import (
    ArchiveError,
    EncryptedArchiveError,
    ZipArchive,
    ZipEntry,
    read_archive,
)

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
    """The archive of a workbook; its faults are refusals, also those found as its parts are read.

    Raises:
        BadInputError: Says in a sentence what is wrong and what to do.
    """
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
