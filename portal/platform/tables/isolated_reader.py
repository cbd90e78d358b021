"""Reads a file as a table, in a separate process: CSV, or the first sheet of a workbook.

The kind of file is taken from its bytes, never from its name.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

from portal.platform.errors import BadInputError
from portal.platform.tables import forgiving, xlsx
from portal.platform.tables.cell_positions import MOST_CELLS, MOST_COLUMNS, MOST_ROWS

MOST_TEXT = 64 * 1024 * 1024  # characters
LONGEST_NAME = 200  # of a column

Line = tuple[int, list[str]]


def answer_with_sheet(arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Run ``read_sheet`` or ``read_sheet_forgivingly``; a refusal comes back as its reasons."""
    try:
        if arguments["forgiving"]:
            columns, lines, notes = read_sheet_forgivingly(pieces[0], arguments["name"])
        else:
            (columns, lines), notes = read_sheet(pieces[0], arguments["name"]), []
    except BadInputError as error:
        return {"reasons": error.reasons}, []
    first = lines[: arguments["first"]]
    return {"columns": columns, "lines": first, "rows": len(lines), "notes": notes}, []


def read_sheet(content: bytes, name: str) -> tuple[list[str], list[Line]]:
    """The names of the columns, and the lines below them, unchanged.

    Raises:
        BadInputError: The file holds no table, or one that is too large.
    """
    packed = content.startswith((xlsx.MAGIC, xlsx.OLD_MAGIC))
    lines = xlsx.read_lines(content) if packed else _csv_lines(content)
    header = next(iter(lines), None)
    if header is None:
        raise BadInputError([f"{name} is empty: its first line names the columns."])
    rows = _lines_within_limits(lines)
    _refuse_separator(header[1])
    return _check_columns(header[1]), rows


def read_sheet_forgivingly(content: bytes, name: str) -> tuple[list[str], list[Line], list[str]]:
    """Like ``read_sheet``, for a file as another system writes it; with sentences on how it was read.

    Raises:
        BadInputError: The file holds no table, or one that is too large.
    """
    notes = []
    if content.startswith((xlsx.MAGIC, xlsx.OLD_MAGIC)):
        lines = xlsx.read_lines(content)
    else:
        text, encoding = forgiving.decode_text(content)
        lines, separator = forgiving.split_lines(text)
        if (encoding, separator) != ("UTF-8", ","):
            notes.append(f"Read as {encoding}, separated by {forgiving.SEPARATORS[separator]}.")
    all_lines = _lines_within_limits(lines)
    if not all_lines:
        raise BadInputError([f"{name} is empty: its first line names the columns."])
    columns, rows, left_out = forgiving.trim_lines(all_lines)
    return _check_columns(columns), rows, notes + left_out


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
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for values in reader:
            if any(value.strip() for value in values):
                yield begins, values
            begins = reader.line_num + 1
    except csv.Error as error:
        raise BadInputError([f"Line {begins}: is not CSV as RFC 4180 has it: {error}."]) from error
