"""Tables that come from outside, as CSV or as the first sheet of a workbook: rows with their line.

What a file is follows from its bytes, never from its name. Unknown columns are refused by name.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from portal.errors import BadInputError
from portal.people import workbook

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 300_000
MOST_COLUMNS = 200
LONGEST_VALUE = 2_000  # characters
LONGEST_NAME = 200  # of a column

Line = tuple[int, list[str]]


class SourceRow(NamedTuple):
    """One row of a file, its values without white space around them; a missing column is empty."""

    line: int
    values: dict[str, str]


class Sheet(NamedTuple):
    """A file as a table: the names of its columns, and its lines as they stand."""

    columns: list[str]
    lines: list[Line]


def read_table(path: Path, *, required: Sequence[str], optional: Sequence[str] = ()) -> list[SourceRow]:
    """The rows of a file, in its order.

    Args:
        path: A CSV file in UTF-8, with or without byte order mark, or an XLSX workbook.
        required: Columns that must be there, in any order.
        optional: Columns that may be there.

    Raises:
        BadInputError: The file cannot be read as a table with these columns; says why, line by line.
    """
    sheet = open_sheet(read_bytes(path), path.name)
    _refuse_columns(sheet.columns, required, optional)
    rows, reasons = taken(sheet, as_named(sheet, [*required, *optional]))
    if reasons:
        raise BadInputError(reasons)
    return rows


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that is not too large.

    Raises:
        BadInputError: It is.
    """
    if path.stat().st_size > MOST_BYTES:
        raise BadInputError([f"{path.name} is larger than {MOST_BYTES // 1024 // 1024} MB: split it."])
    return path.read_bytes()


def open_sheet(content: bytes, name: str) -> Sheet:
    """The table that a file's bytes hold.

    Raises:
        BadInputError: They hold none, or one that is too large.
    """
    packed = content.startswith((workbook.MAGIC, workbook.OLD_MAGIC))
    lines = workbook.lines(content) if packed else _csv_lines(content)
    header = next(iter(lines), None)
    if header is None:
        raise BadInputError([f"{name} is empty: its first line names the columns."])
    kept = list(islice(lines, MOST_ROWS + 1))
    if len(kept) > MOST_ROWS:
        raise BadInputError([f"The file has more than {MOST_ROWS:,} rows: split it."])
    if len(header[1]) > MOST_COLUMNS:
        raise BadInputError([f"The file has more than {MOST_COLUMNS} columns."])
    columns = [column.strip() for column in header[1]]
    _refuse_separator(columns)
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in columns):
        raise BadInputError(
            [f"Line 1: a column's name has more than {LONGEST_NAME} characters, or a line end in it."]
        )
    return Sheet(columns, kept)


def _refuse_separator(columns: list[str]) -> None:
    """Name the separator of a file that has another than the comma, and so seems to have one column."""
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(columns) == 1 and columns[0].count(mark) > 1:
            raise BadInputError(
                [f"Line 1: its values stand apart by {name}. Save the file as CSV with commas."]
            )


def as_named(sheet: Sheet, names: Iterable[str]) -> dict[str, int | str]:
    """Where each of these columns stands in the sheet; one that does not is empty in every row."""
    return {name: sheet.columns.index(name) if name in sheet.columns else "" for name in names}


def taken(sheet: Sheet, sources: Mapping[str, int | str]) -> tuple[list[SourceRow], list[str]]:
    """The sheet's rows under our own names, without the bad ones, and a reason for each of those.

    Args:
        sheet: A file as a table.
        sources: By our name the place of a column, or the text that stands in every row.
    """
    fixed = {name: source for name, source in sources.items() if isinstance(source, str)}
    placed = [(name, source) for name, source in sources.items() if isinstance(source, int)]
    rows, reasons = [], []
    for line, cells in sheet.lines:
        values = [cell.strip() for cell in cells]
        reason = _fault(sheet.columns, values)
        if reason:
            reasons.append(f"Line {line}: {reason}")
        else:
            rows.append(SourceRow(line, fixed | {name: values[place] for name, place in placed}))
    return rows, reasons


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


def _refuse_columns(columns: list[str], required: Sequence[str], optional: Sequence[str]) -> None:
    known = {*required, *optional}
    reasons = [
        f"Line 1: the column {name!r} is unknown. Columns are: {', '.join([*required, *optional])}."
        for name in columns
        if name not in known
    ]
    reasons += [f"Line 1: the column {name!r} is missing." for name in required if name not in columns]
    reasons += [f"Line 1: the column {n!r} is there twice." for n in sorted(known) if columns.count(n) > 1]
    if reasons:
        raise BadInputError(reasons)


def _fault(columns: list[str], values: list[str]) -> str:
    if len(values) != len(columns):
        return f"has {len(values)} values where the first line names {len(columns)} columns."
    for column, value in zip(columns, values, strict=True):
        if len(value) > LONGEST_VALUE:
            return f"{column} is longer than {LONGEST_VALUE:,} characters."
        if not value.isprintable() and any(ord(character) < 32 for character in value.replace("\n", " ")):
            return f"{column} has a control character in it."
    return ""
