"""Tables that come from outside, as text or as a sheet of a workbook: rows with their line.

What a file is follows from its bytes, never from its name. Unknown columns are refused by name.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from portal.platform.errors import BadInputError
from portal.platform.isolation.messages import MEBIBYTE, Limits, Reader
from portal.platform.isolation.running import ReadingStoppedError, read_apart
from portal.platform.tables.sheet_choice import ANY_SHEET, SheetGlimpse, SheetWish

MOST_BYTES = 50 * MEBIBYTE
LONGEST_VALUE = 2_000  # characters
UNREADABLE = "The file cannot be read as a table."
_FUNCTION = "portal.platform.tables.isolated_reader:answer_with_sheet"
_LIMITS = Limits(memory=768 * MEBIBYTE, processor=40, wall=90, answer=256 * MEBIBYTE)
WORKBOOK = Reader(
    _FUNCTION, _LIMITS, thing="This workbook", advice="Save only the sheet with the list, and upload that."
)
CSV = Reader(_FUNCTION, _LIMITS, thing="This file", advice="Save it again as 'CSV UTF-8', or split it.")
PACKED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how a workbook begins, and an old or protected one

Line = tuple[int, list[str]]


class SourceRow(NamedTuple):
    """One row of a file, its values without white space around them; a missing column is empty."""

    line: int
    values: dict[str, str]


class Sheet(NamedTuple):
    """A file as a table: the names of its columns, its lines unchanged, and the number of all its lines."""

    columns: list[str]
    lines: list[Line]
    rows: int
    notes: tuple[str, ...] = ()  # sentences on how a file of another system was read
    name: str = ""  # of the workbook's sheet
    settled: bool = True  # whether it is the one that is meant, beyond doubt
    glimpses: tuple[SheetGlimpse, ...] = ()  # of all sheets of a workbook with several


def read_table(path: Path, *, required: Sequence[str], optional: Sequence[str] = ()) -> list[SourceRow]:
    """The rows of a file, in its order.

    Args:
        path: A CSV file in UTF-8, with or without byte order mark, or a workbook (XLSX, XLS, ODS).
        required: Columns that must be there, in any order.
        optional: Columns that may be there.

    Raises:
        BadInputError: The file cannot be read as a table with these columns; says why, line by line.
    """
    return parse_table(read_bytes(path), path.name, required=required, optional=optional)


def parse_table(
    content: bytes, name: str, *, required: Sequence[str], optional: Sequence[str] = ()
) -> list[SourceRow]:
    """The rows of a file's bytes, as ``read_table`` reads a file."""
    sheet = open_sheet(content, name)
    refuse_columns(sheet.columns, required, optional)
    rows, reasons = map_rows(sheet, as_named(sheet, [*required, *optional]))
    if reasons:
        raise BadInputError(reasons)
    return rows


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that is not too large."""
    if path.stat().st_size > MOST_BYTES:
        raise BadInputError([f"{path.name} is larger than {MOST_BYTES // 1024 // 1024} MB: split it."])
    return path.read_bytes()


def open_sheet(
    content: bytes,
    name: str,
    first: int | None = None,
    *,
    forgiving: bool = False,
    wish: SheetWish = ANY_SHEET,
    may_ask: bool = False,
) -> Sheet:
    """Read a file as a table, in a separate process.

    Args:
        content: The bytes.
        name: The name that its owner gave it.
        first: How many lines to return, None for all; all are read and counted.
        forgiving: Read it as other systems write files; else as the documented formats are.
        wish: What is known of the sheet, where several may be meant.
        may_ask: Return the likeliest sheet where it is not settled; else that is refused.
    """
    reader = WORKBOOK if content.startswith(PACKED) else CSV
    arguments = {"name": name, "first": first, "forgiving": forgiving, "wish": wish}
    try:
        sheet = read_apart(reader, arguments, [content], _sheet_of_answer)
    except ReadingStoppedError as error:
        raise BadInputError([str(error)]) from error
    if not isinstance(sheet, Sheet):
        raise BadInputError(sheet)
    if not sheet.settled and not may_ask:
        names = ", ".join(f"“{glimpse.name}”" for glimpse in sheet.glimpses if glimpse.has_table)
        raise BadInputError(
            [f"Several sheets of the workbook may be the list: {names}. Say on the page of imports which."]
        )
    return sheet


def _sheet_of_answer(answer: Any, _pieces: list[bytes]) -> Sheet | list[str]:
    """The table, or the reasons for its refusal; the answer is not trusted and its types are checked."""
    if "reasons" in answer:
        return [str(reason) for reason in answer["reasons"]] or [UNREADABLE]
    columns, lines = answer["columns"], answer["lines"]
    good = _all_text(columns) and all(type(line) is int and _all_text(cells) for line, cells in lines)
    if not good:
        raise TypeError
    return Sheet(
        columns,
        [(line, cells) for line, cells in lines],
        int(answer["rows"]),
        tuple(map(str, answer["notes"])),
        str(answer["sheet"]),
        answer["settled"] is True,
        tuple(_read_glimpse(*values) for values in answer["glimpses"]),
    )


def _read_glimpse(name: Any, hidden: Any, fault: Any, columns: Any, lines: Any, rows: Any) -> SheetGlimpse:
    if not _all_text(columns) or not all(map(_all_text, lines)):
        raise TypeError
    return SheetGlimpse(str(name), hidden is True, str(fault), columns, list(lines), int(rows))


def _all_text(values: Any) -> bool:
    return type(values) is list and set(map(type, values)) <= {str}


def as_named(sheet: Sheet, names: Iterable[str]) -> dict[str, int | str]:
    """Where each of these columns stands in the sheet; one that does not is empty in every row."""
    return {name: sheet.columns.index(name) if name in sheet.columns else "" for name in names}


def map_rows(sheet: Sheet, sources: Mapping[str, int | str]) -> tuple[list[SourceRow], list[str]]:
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
        reason = _row_fault(sheet.columns, values)
        if reason:
            reasons.append(f"Line {line}: {reason}")
        else:
            rows.append(SourceRow(line, fixed | {name: values[place] for name, place in placed}))
    return rows, reasons


def refuse_columns(columns: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    """Refuse a table in the portal's own format with other columns than these."""
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


def _row_fault(columns: list[str], values: list[str]) -> str:
    if len(values) != len(columns):
        return f"has {len(values)} values where the first line names {len(columns)} columns."
    for column, value in zip(columns, values, strict=True):
        if len(value) > LONGEST_VALUE:
            return f"{column} is longer than {LONGEST_VALUE:,} characters."
        if not value.isprintable() and any(ord(character) < 32 for character in value.replace("\n", " ")):
            return f"{column} has a control character in it."
    return ""
