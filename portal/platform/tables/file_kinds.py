"""Says what a file is that was sent as a table and is none, from its first bytes and the names within it."""

import re
import struct

from portal.platform.errors import BadInputError

SAVE_AS = "Save the table as XLSX or CSV, and upload that."
_OPEN = "Open it in a spreadsheet, save it as XLSX, and upload that."
_EXPORT = "Ask the system it comes from for XLSX or CSV."
_BEGINNINGS = (  # as the files of each kind begin; what the kind is; what to do
    ((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\1\0"), "a picture", SAVE_AS),
    ((b"%PDF-",), "a PDF", SAVE_AS),
    ((b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!/"), "a program", SAVE_AS),
    ((b"{\\rtf",), "a text document (RTF)", SAVE_AS),
    ((b"SQLite format 3\0",), "a database (SQLite)", _EXPORT),
    ((b"\0\1\0\0Standard ",), "a database (Access)", _EXPORT),
    ((b"PAR1",), "a data file (Parquet)", _EXPORT),
    ((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ"), "a packed file", "Unpack it first."),
    ((b"ID3", b"OggS", b"fLaC"), "a sound", SAVE_AS),
    ((b"\x1aE\xdf\xa3",), "a video", SAVE_AS),
    ((b"\x09\x00\x04", b"\x09\x02\x06", b"\x09\x04\x06"), "a workbook from before 1997", _OPEN),
)
_IN_ARCHIVE = (  # a name in the archive; what the file is; what to do
    (b"xl/workbook.bin", "a binary workbook (XLSB)", _OPEN),
    (b"word/document.xml", "a Word document", SAVE_AS),
    (b"ppt/presentation.xml", "a presentation", SAVE_AS),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "a text document (ODT)", SAVE_AS),
    (b"mimetypeapplication/vnd.oasis.opendocument.presentation", "a presentation", SAVE_AS),
    (b"Index/Document.iwa", "an Apple document", "Export it as XLSX or CSV, and upload that."),
    (b"META-INF/MANIFEST.MF", "a program", SAVE_AS),
)
_IN_OLD_FILE = (  # a stream of the old kind of file, in which Office kept everything
    ("WordDocument", "a Word document"),
    ("PowerPoint Document", "a presentation"),
    ("__properties_version1.0", "an e-mail message"),
)
_WORKBOOK_PARTS = (
    b"xl/workbook.xml",
    b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
)  # first in ODS
_PLAIN = (b"%PDF-", b"#!/", b"{\\rtf", b"GIF8")  # followed by text; the others by bytes that no text has
_JSON = re.compile(rb'\s*[\[{]\s*["{\[\]}]')
_ARCHIVE_ENTRY, _ARCHIVE_END = b"PK\x01\x02", b"PK\x05\x06"
_MARKUP = re.compile(rb"\s*<(!doctype html|html|head|table|\?xml|workbook|svg)\b", re.IGNORECASE)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_LOOKED_AT = 4096  # bytes
FEW_CONTROLS, MOST_CONTROLS = 2, 0.05  # bytes of a text, and part of it, that may be controls: bad rows


def refuse_other_kinds(content: bytes) -> None:
    """Refuse a file that is no table, and say what it is.

    Raises:
        BadInputError: It is something else.
    """
    answer = _other_kind(content)
    if answer:
        what, advice = answer
        raise BadInputError([f"This is {what}, not a table. {advice}"])


def _other_kind(content: bytes) -> tuple[str, str] | None:
    """What the file is, and what to do; None if it may be a table."""
    if content.startswith(b"PK\x03\x04"):
        return _kind_of_archive(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        names = ((name.encode("utf-16-le"), what) for name, what in _IN_OLD_FILE)
        return next(((what, SAVE_AS) for name, what in names if name in content), None)
    for beginnings, what, advice in _BEGINNINGS:
        if content.startswith(beginnings) and (content.startswith(_PLAIN) or _CONTROLS.search(content[:64])):
            return what, advice
    if content[4:8] == b"ftyp":
        return ("a picture" if content[8:11] in {b"hei", b"avi", b"mif"} else "a video"), SAVE_AS
    if content.startswith(b"RIFF"):
        return ("a picture" if content[8:12] == b"WEBP" else "a sound or a video"), SAVE_AS
    return _kind_of_text(content[:_LOOKED_AT])


def _kind_of_archive(content: bytes) -> tuple[str, str] | None:
    directory = _read_directory(content)
    names = content[30:100] + directory  # the first file, and perhaps what is in it
    if any(part in names for part in _WORKBOOK_PARTS) or not directory:
        return None
    for name, what, advice in _IN_ARCHIVE:
        if name in names:
            return what, advice
    return "a ZIP archive", "Unpack it, and upload the table that is in it."


def _read_directory(content: bytes) -> bytes:
    """The part of an archive that lists its files; empty if it is not where the end says."""
    end = content.rfind(_ARCHIVE_END)
    size, start = struct.unpack_from("<2L", content[end : end + 22].ljust(22, b"\0"), 12)
    directory = content[start : start + size]
    return directory if start + size == end and directory.startswith(_ARCHIVE_ENTRY) else b""


def _kind_of_text(start: bytes) -> tuple[str, str] | None:
    markup = _MARKUP.match(start.removeprefix(b"\xef\xbb\xbf"))
    if markup:
        is_page = markup[1].lower() not in {b"?xml", b"workbook", b"svg"}
        name = "a web page (HTML), whatever its name ends in" if is_page else "an XML file"
        return name, _OPEN
    if _JSON.match(start):
        return "a JSON file", _EXPORT
    is_wide = max(start[1:400:2].count(0), start[:400:2].count(0)) > len(start[:400]) / 4  # UTF-16
    if not is_wide and len(_CONTROLS.findall(start)) > FEW_CONTROLS + len(start) * MOST_CONTROLS:
        return "a program or another file that is not text", SAVE_AS
    return None
