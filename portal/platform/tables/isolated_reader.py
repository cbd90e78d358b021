"""Reads a file as a table, in a separate process: a text file, or a sheet of a workbook.

The kind of file is taken from its bytes, never from its name.
"""

import csv
import io
import re
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from portal.platform.errors import BadInputError
from portal.platform.tables.columns import find_names
from portal.platform.tables.safety import (
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    PROTECTED,
    UNREADABLE,
    Span,
    check_archive,
    check_ods,
    check_xls,
    is_ods,
)
from portal.platform.tables.sheet_choice import ANY_SHEET, SheetGlimpse, SheetWish, choose_sheet

# Reads a table as other systems write it: encodings, separators, and lines that are no rows of it.
#
# Nothing is changed in a cell. What is left out, and said, is a line above the columns' names, a line of
# totals at the end, or the names once more.

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LOOKED_AT = 100  # lines from which a separator and the usual number of values are found
HEADER_PART = 0.6  # of the usual number of values, which the line of the columns' names has at least
MOST_TOTALS = 5  # lines at the end
_TOTAL = re.compile(
    r"(grand |sub)?totals?\b.*|(row )?count\b.*|sum\b.*|\d+ (rows|records)\b.*|end of .*", re.IGNORECASE
)

Line = tuple[int, list[str]]


def decode_text(content: bytes) -> tuple[str, str]:
    """The text of a file, and its encoding: UTF-8, UTF-16 with or without a mark, else Windows-1252."""
    odd, even = content[1:400:2], content[:400:2]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        names = ["utf-16"]
    elif odd and max(odd.count(0), even.count(0)) > len(odd) / 2:
        names = ["utf-16-le" if odd.count(0) >= even.count(0) else "utf-16-be"]
    else:
        names = ["utf-8-sig", "cp1252"]
    for name in names:
        try:
            return content.decode(name), {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}.get(name, "UTF-16")
        except UnicodeDecodeError:
            continue
    raise BadInputError(["The file is not text in UTF-8, UTF-16 or Windows-1252. Save it as 'CSV UTF-8'."])


def split_lines(text: str) -> tuple[Iterator[Line], str]:
    """The lines of a text as values, and their separator: the one by which most lines have as many values."""
    start = "".join(text.splitlines(keepends=True)[:LOOKED_AT])
    best, mark = (0, 0), ","
    for candidate in SEPARATORS:
        counts = Counter(len(values) for _, values in read_csv(start, candidate) if len(values) > 1)
        if counts:
            width, lines = max(counts.items(), key=lambda item: (item[1], item[0]))
            if (lines, width) > best:
                best, mark = (lines, width), candidate
    return read_csv(text, mark), mark


def read_csv(text: str, separator: str = ",", *, strict: bool = False) -> Iterator[Line]:
    """The lines that are not empty as values, each with its number; ``strict`` takes RFC 4180 alone."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    begins = 1
    try:
        for values in reader:
            if any(value.strip() for value in values):
                yield begins, values
            begins = reader.line_num + 1
    except csv.Error as error:
        why = "is not CSV as RFC 4180 has it" if strict else "cannot be split into values"
        raise BadInputError([f"Line {begins}: {why}: {error}."]) from error


def trim_lines(
    lines: list[Line], spans: Sequence[Span] | None = None
) -> tuple[list[str], list[Line], list[str]]:
    """The columns' names, the rows below them, and a sentence for each kind of line that was left out.

    A row that is shorter than the names ends with empty values, and empty ones beyond them are left out.

    Args:
        lines: Without empty ones; at least one.
        spans: Merged cells of a workbook; None for a text file.
    """
    filled = [sum(bool(value.strip()) for value in values) for _, values in lines]
    usual = max(Counter(filled[:LOOKED_AT]).items(), key=lambda item: item[0] * item[1])[0]
    least = max(min(2, usual), round(usual * HEADER_PART))
    first = next(place for place, number in enumerate(filled) if number >= least)
    names, top, begin = find_names(lines, first, spans)
    width = max(place for place, value in enumerate(names, start=1) if value.strip())
    last = len(lines)
    while (
        last > begin
        and len(lines) - last < MOST_TOTALS
        and _is_total(lines[last - 1][1], filled[last - 1], usual)
    ):
        last -= 1
    headers = [_to_width(values, width) for _, values in lines[top:begin]]
    body = [(line, _to_width(values, width)) for line, values in lines[begin:last]]
    rows = [(line, values) for line, values in body if values not in headers]
    left_out = {
        "above the columns’ names": top,
        "of totals at the end": len(lines) - last,
        "with the columns’ names again": len(body) - len(rows),
    }
    notes = [f"Left out: {n} {'line' if n == 1 else 'lines'} {what}." for what, n in left_out.items() if n]
    if len(headers) > 1:
        upper, lower = lines[top][0], lines[begin - 1][0]
        notes.insert(0, f"The columns’ names were joined from lines {upper} and {lower}.")
    return names[:width], rows, notes


def _is_total(values: list[str], filled: int, usual: int) -> bool:
    first = next(value.strip() for value in values if value.strip())
    return filled <= max(1, usual / 2) and bool(_TOTAL.fullmatch(first))


def _to_width(values: list[str], width: int) -> list[str]:
    while len(values) > width and not values[-1].strip():
        values = values[:-1]
    return values + [""] * (width - len(values))


# The sheets of a workbook (XLSX, XLS, ODS) as lines of text, once the file has been found harmless.
#
# A formula's cell gives the value it last had, and one that has none is refused. Nothing in the workbook
# is run, fetched or unpacked to disk.

MAGIC = b"PK\x03\x04"
LONGEST_SHEET_NAME = 100  # of a sheet; programs that write workbooks allow 31 characters
OLD_MAGIC = b"\xd0\xcf\x11\xe0"  # of XLS, and of an XLSX that a password protects

Cell = str | int | float | bool | date | datetime | time | timedelta


def is_workbook(content: bytes) -> bool:
    """Whether the bytes begin as a workbook does, of whatever kind."""
    return content.startswith((MAGIC, OLD_MAGIC))


@dataclass(frozen=True, slots=True)
class WorkbookSheet:
    """One sheet of a workbook, not read yet."""

    name: str
    hidden: bool
    fault: str  # why it cannot be read; empty if it can
    _book: CalamineWorkbook = field(repr=False)
    _place: int
    _spans: list[Span] | None  # None: the reader gives them

    def read(self) -> "SheetContent":
        """The content of the sheet."""
        if self.fault:
            raise BadInputError([self.fault])
        try:
            sheet = self._book.get_sheet_by_index(self._place)
        except (CalamineError, OSError, IndexError) as error:
            raise BadInputError([UNREADABLE]) from error
        _, left = sheet.start or (0, 0)
        spans = self._spans
        if spans is None:
            spans = [(*first, *last) for first, last in sheet.merged_cell_ranges or []]
        return SheetContent(_filled_rows(sheet.iter_rows(), [""] * left), spans, sheet.total_height)


class SheetContent(NamedTuple):
    """What is in a sheet; dates come as ISO 8601, whole numbers without a fraction."""

    lines: Iterator[Line]  # the rows that are not empty, with their row number, every cell as text
    spans: Sequence[Span]  # merged cells
    height: int  # the number of its last row


def open_workbook(content: bytes) -> list[WorkbookSheet]:
    """The sheets of a workbook, in its order; charts and programs are left out."""
    spans: list[list[Span]] | None = None
    if content.startswith(OLD_MAGIC):
        faults = check_xls(content)
    elif is_ods(content):
        tables = check_ods(content)
        faults, spans = [table.fault for table in tables], [table.spans for table in tables]
    else:
        faults = check_archive(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except (CalamineError, OSError) as error:
        raise BadInputError([PROTECTED if "password" in str(error).lower() else UNREADABLE]) from error
    sheets = book.sheets_metadata
    if len(faults) != len(sheets):  # it is not known which sheet has the fault
        faults = [next(filter(None, faults), "")] * len(sheets)
        spans = None if spans is None else [[] for _ in sheets]
    return [
        WorkbookSheet(
            sheet.name[:LONGEST_SHEET_NAME],
            sheet.visible != SheetVisibleEnum.Visible,
            faults[place],
            book,
            place,
            None if spans is None else spans[place],
        )
        for place, sheet in enumerate(sheets)
        if sheet.typ == SheetTypeEnum.WorkSheet
    ]


def read_lines(content: bytes) -> Iterator[Line]:
    """The lines of the workbook's first sheet."""
    sheets = open_workbook(content)
    if not sheets:
        raise BadInputError([UNREADABLE])
    return sheets[0].read().lines


def _filled_rows(rows: Iterator[Sequence[Cell]], before: list[str]) -> Iterator[Line]:
    """The rows with a value; ``before`` are the empty cells left of the first column that has one."""
    width = 0
    for number, cells in enumerate(rows, start=1):
        values = before + [_cell_text(cell) for cell in cells]
        if not any(value.strip() for value in values):
            continue
        if not width:  # the header: what lies right of its last name is a column only if it holds something
            width = max(n for n, value in enumerate(values, start=1) if value.strip())
        while len(values) > width and not values[-1].strip():
            values.pop()
        yield number, values + [""] * (width - len(values))


def _cell_text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


# Says what a file is that was sent as a table and is none, from its first bytes and the names within it.

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
    """Refuse a file that is no table, and say what it is."""
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


MOST_TEXT = 64 * 1024 * 1024  # characters
LONGEST_NAME = 200  # of a column
MOST_SHEETS = 50  # of a workbook, from which one is chosen
GLIMPSED_ROWS, LONGEST_GLIMPSE = 3, 60  # rows of a sheet, and characters of a cell, shown for the choice
_EMPTY = "{} is empty: its first line names the columns."


def answer_with_sheet(arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Run ``read_sheet`` or ``read_sheet_forgivingly``; a refusal comes back as its reasons."""
    try:
        if arguments["forgiving"]:
            name, *lists = arguments["wish"]
            wish = SheetWish(name, *map(tuple, lists))
            reading = read_sheet_forgivingly(pieces[0], arguments["name"], wish)
        else:
            reading = SheetReading(*read_sheet(pieces[0], arguments["name"]))
    except BadInputError as error:
        return {"reasons": error.reasons}, []
    answer = {
        "columns": reading.columns,
        "lines": reading.lines[: arguments["first"]],
        "rows": len(reading.lines),
        "notes": reading.notes,
        "sheet": reading.sheet,
        "settled": reading.settled,
        "glimpses": reading.glimpses,
    }
    return answer, []


class SheetReading(NamedTuple):
    """A table that was read, and what else is in the file."""

    columns: list[str]
    lines: list[Line]
    notes: list[str] = []  # sentences on how it was read
    sheet: str = ""  # the name of the workbook's sheet
    settled: bool = True  # whether that sheet is the one, beyond doubt
    glimpses: list[SheetGlimpse] = []  # of all sheets of a workbook with several


def read_sheet(content: bytes, name: str) -> tuple[list[str], list[Line]]:
    """The names of the columns, and the lines below them, unchanged; of a workbook's first sheet."""
    refuse_other_kinds(content)
    lines = read_lines(content) if is_workbook(content) else _csv_lines(content)
    header = next(iter(lines), None)
    if header is None:
        raise BadInputError([_EMPTY.format(name)])
    rows = _lines_within_limits(lines)
    _refuse_separator(header[1])
    return _check_columns(header[1]), rows


def read_sheet_forgivingly(content: bytes, name: str, wish: SheetWish = ANY_SHEET) -> SheetReading:
    """Like ``read_sheet``, for a file as another system writes it, and the likeliest sheet of a workbook.

    Raises:
        BadInputError: The file holds no table, or one that is too large.
    """
    refuse_other_kinds(content)
    if is_workbook(content):
        return _read_workbook(content, name, wish)
    text, encoding = decode_text(content)
    lines, separator = split_lines(text)
    reading = _read_table(lines, None, name)
    if (encoding, separator) != ("UTF-8", ","):
        how = f"Read as {encoding}, separated by {SEPARATORS[separator]}."
        return reading._replace(notes=[how, *reading.notes])
    return reading


def _read_workbook(content: bytes, name: str, wish: SheetWish) -> SheetReading:
    sheets = open_workbook(content)
    if not sheets:
        raise BadInputError([_EMPTY.format(name)])
    if len(sheets) == 1:
        place, settled, glimpses = 0, True, []
    else:
        glimpses = [_glimpse_of_sheet(sheet) for sheet in sheets[:MOST_SHEETS]]
        place, settled = choose_sheet(glimpses, wish)
    content_of_sheet = sheets[place].read()
    reading = _read_table(content_of_sheet.lines, content_of_sheet.spans, name)
    return reading._replace(sheet=sheets[place].name, settled=settled, glimpses=glimpses)


def _read_table(lines: Iterator[Line], spans: Sequence[Span] | None, name: str) -> SheetReading:
    all_lines = _lines_within_limits(lines)
    if not all_lines:
        raise BadInputError([_EMPTY.format(name)])
    columns, rows, notes = trim_lines(all_lines, spans)
    return SheetReading(_check_columns(columns), rows, notes)


def _glimpse_of_sheet(sheet: WorkbookSheet) -> SheetGlimpse:
    """The columns and first rows of a sheet; of one that cannot be read, why."""
    try:
        content = sheet.read()
        first = list(islice(content.lines, LOOKED_AT))
        if not first:
            return SheetGlimpse(sheet.name, sheet.hidden, "", [], [], 0)
        columns, rows, _ = trim_lines(first, content.spans)
        columns = _check_columns(columns)
    except BadInputError as error:
        return SheetGlimpse(sheet.name, sheet.hidden, error.reasons[0], [], [], 0)
    shown = [[cell[:LONGEST_GLIMPSE] for cell in cells] for _, cells in rows[:GLIMPSED_ROWS]]
    below = content.height - first[-1][0]
    return SheetGlimpse(sheet.name, sheet.hidden, "", columns, shown, len(rows) + max(0, below))


def _check_columns(names: list[str]) -> list[str]:
    """The columns' names without white space around them."""
    if len(names) > MOST_COLUMNS:
        raise BadInputError([f"The file has more than {MOST_COLUMNS} columns."])
    columns = [column.strip() for column in names]
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in columns):
        raise BadInputError(
            [f"Line 1: a column's name has more than {LONGEST_NAME} characters, or a line end in it."]
        )
    return columns


def _lines_within_limits(lines: Iterator[Line]) -> list[Line]:
    """Collect the lines, refusing more rows, values or text than allowed."""
    rows: list[Line] = []
    cells = text = 0
    for line in lines:
        rows.append(line)
        cells += len(line[1])
        text += sum(map(len, line[1]))
        if len(rows) > MOST_ROWS:
            raise BadInputError([f"The file has more than {MOST_ROWS:,} rows: split it."])
        if cells > MOST_CELLS or text > MOST_TEXT:
            raise BadInputError(
                [f"The file has more than {MOST_CELLS:,} values, or too long ones: split it."]
            )
    return rows


def _refuse_separator(columns: list[str]) -> None:
    """Refuse a file separated by semicolons or tabs, which seems to have one column."""
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(columns) == 1 and columns[0].count(mark) > 1:
            raise BadInputError(
                [f"Line 1: its values are separated by {name}. Save the file as CSV with commas."]
            )


def _csv_lines(content: bytes) -> Iterator[Line]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInputError([f"Line {line}: is not UTF-8. Save the file as 'CSV UTF-8'."]) from error
    return read_csv(text, strict=True)
