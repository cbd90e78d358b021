"""Reads a file as a table, in a separate process: a text file, or a sheet of a workbook.

The kind of file is taken from its bytes, never from its name.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from portal.platform.errors import BadInputError
from portal.platform.tables import forgiving, workbooks
from portal.platform.tables.cell_positions import MOST_CELLS, MOST_COLUMNS, MOST_ROWS
from portal.platform.tables.file_kinds import refuse_other_kinds
from portal.platform.tables.ods_safety import Span
from portal.platform.tables.sheet_choice import ANY_SHEET, SheetGlimpse, SheetWish, choose_sheet
from portal.platform.tables.workbooks import WorkbookSheet

MOST_TEXT = 64 * 1024 * 1024  # characters
LONGEST_NAME = 200  # of a column
MOST_SHEETS = 50  # of a workbook, from which one is chosen
GLIMPSED_ROWS, LONGEST_GLIMPSE = 3, 60  # rows of a sheet, and characters of a cell, shown for the choice
_EMPTY = "{} is empty: its first line names the columns."

Line = tuple[int, list[str]]


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
    """The names of the columns, and the lines below them, unchanged; of a workbook's first sheet.

    Raises:
        BadInputError: The file holds no table, or one that is too large.
    """
    refuse_other_kinds(content)
    lines = workbooks.read_lines(content) if workbooks.is_workbook(content) else _csv_lines(content)
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
    if workbooks.is_workbook(content):
        return _read_workbook(content, name, wish)
    text, encoding = forgiving.decode_text(content)
    lines, separator = forgiving.split_lines(text)
    reading = _read_table(lines, None, name)
    if (encoding, separator) != ("UTF-8", ","):
        how = f"Read as {encoding}, separated by {forgiving.SEPARATORS[separator]}."
        return reading._replace(notes=[how, *reading.notes])
    return reading


def _read_workbook(content: bytes, name: str, wish: SheetWish) -> SheetReading:
    sheets = workbooks.open_workbook(content)
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
    columns, rows, notes = forgiving.trim_lines(all_lines, spans)
    return SheetReading(_check_columns(columns), rows, notes)


def _glimpse_of_sheet(sheet: WorkbookSheet) -> SheetGlimpse:
    """The columns and first rows of a sheet; of one that cannot be read, why."""
    try:
        content = sheet.read()
        first = list(islice(content.lines, forgiving.LOOKED_AT))
        if not first:
            return SheetGlimpse(sheet.name, sheet.hidden, "", [], [], 0)
        columns, rows, _ = forgiving.trim_lines(first, content.spans)
        columns = _check_columns(columns)
    except BadInputError as error:
        return SheetGlimpse(sheet.name, sheet.hidden, error.reasons[0], [], [], 0)
    shown = [[cell[:LONGEST_GLIMPSE] for cell in cells] for _, cells in rows[:GLIMPSED_ROWS]]
    below = content.height - first[-1][0]
    return SheetGlimpse(sheet.name, sheet.hidden, "", columns, shown, len(rows) + max(0, below))


def _check_columns(names: list[str]) -> list[str]:
    """The columns' names without white space around them.

    Raises:
        BadInputError: There are too many, or a name cannot stand on a page.
    """
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
    return forgiving.read_csv(text, strict=True)
