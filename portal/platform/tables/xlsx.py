"""The first sheet of an XLSX workbook as lines of text, once its archive has been found harmless.

A formula's cell gives the value it last had, and one that has none is refused. Nothing in the workbook is
run, fetched or unpacked to disk.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook

from portal.platform.errors import BadInputError
from portal.platform.tables.xlsx_safety import UNREADABLE, refuse_archive

MAGIC = b"PK\x03\x04"
OLD_MAGIC = b"\xd0\xcf\x11\xe0"  # of XLS, and of an XLSX that a password protects

Cell = str | int | float | bool | date | datetime | time | timedelta


def read_lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet that are not empty, with their row number, every cell as text.

    Dates come as ISO 8601, whole numbers without a fraction.

    Raises:
        BadInputError: The file is no workbook, or is one that ``refuse_archive`` refuses.
    """
    if content.startswith(OLD_MAGIC):
        raise BadInputError(
            ["The workbook is protected by a password, or is an old XLS. Save it as XLSX without a password."]
        )
    refuse_archive(content)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            sheet = book.get_sheet_by_index(0)
    except (CalamineError, OSError, IndexError) as error:
        raise BadInputError([UNREADABLE]) from error
    _, left = sheet.start or (0, 0)
    return _filled_rows(sheet.iter_rows(), [""] * left)


def _filled_rows(rows: Iterator[Sequence[Cell]], before: list[str]) -> Iterator[tuple[int, list[str]]]:
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
