"""Tables that come from outside, as CSV or as the first sheet of a workbook: rows with their line.

What a file is follows from its bytes, never from its name. Unknown columns are refused by name.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from portal.errors import BadInputError
from portal.people import workbook

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 300_000
LONGEST_VALUE = 2_000  # characters

Line = tuple[int, list[str]]


class SourceRow(NamedTuple):
    """One row of a file, its values without white space around them; a missing column is empty."""

    line: int
    values: dict[str, str]


def read_table(path: Path, *, required: Sequence[str], optional: Sequence[str] = ()) -> list[SourceRow]:
    """The rows of a file, in its order.

    Args:
        path: A CSV file in UTF-8, with or without byte order mark, or an XLSX workbook.
        required: Columns that must be there, in any order.
        optional: Columns that may be there.

    Raises:
        BadInputError: The file cannot be read as a table with these columns; says why, line by line.
    """
    if path.stat().st_size > MOST_BYTES:
        raise BadInputError([f"{path.name} is larger than {MOST_BYTES // 1024 // 1024} MB: split it."])
    content = path.read_bytes()
    lines = workbook.lines(content) if content.startswith(workbook.MAGIC) else _csv_lines(content)
    header = next(iter(lines), None)
    if header is None:
        raise BadInputError([f"{path.name} is empty: its first line names the columns."])
    columns = [name.strip() for name in header[1]]
    _refuse_columns(columns, required, optional)
    return _rows(columns, lines, [*required, *optional])


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


def _rows(columns: list[str], lines: Iterable[Line], every: Sequence[str]) -> list[SourceRow]:
    rows, reasons = [], []
    for line, cells in lines:
        values = [cell.strip() for cell in cells]
        reason = _fault(columns, values)
        if reason:
            reasons.append(f"Line {line}: {reason}")
        rows.append(SourceRow(line, dict.fromkeys(every, "") | dict(zip(columns, values, strict=False))))
        if len(rows) > MOST_ROWS:
            raise BadInputError([f"The file has more than {MOST_ROWS:,} rows: split it."])
    if reasons:
        raise BadInputError(reasons)
    return rows


def _fault(columns: list[str], values: list[str]) -> str:
    if len(values) != len(columns):
        return f"has {len(values)} values where the first line names {len(columns)} columns."
    for column, value in zip(columns, values, strict=True):
        if len(value) > LONGEST_VALUE:
            return f"{column} is longer than {LONGEST_VALUE:,} characters."
        if not value.isprintable() and any(ord(character) < 32 for character in value.replace("\n", " ")):
            return f"{column} has a control character in it."
    return ""
