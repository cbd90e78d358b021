"""The sheets of a workbook (XLSX, XLS, ODS) as lines of text, once the file has been found harmless.

A formula's cell gives the value it last had, and one that has none is refused. Nothing in the workbook is
run, fetched or unpacked to disk.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from portal.platform.errors import BadInputError
from portal.platform.tables.ods_safety import Span, check_ods, is_ods
from portal.platform.tables.workbook_archives import PROTECTED, UNREADABLE
from portal.platform.tables.xls_safety import check_xls
from portal.platform.tables.xlsx_safety import check_archive

MAGIC = b"PK\x03\x04"
LONGEST_NAME = 100  # of a sheet; programs that write workbooks allow 31 characters
OLD_MAGIC = b"\xd0\xcf\x11\xe0"  # of XLS, and of an XLSX that a password protects

Cell = str | int | float | bool | date | datetime | time | timedelta
Line = tuple[int, list[str]]


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
        """The content of the sheet.

        Raises:
            BadInputError: The sheet cannot be read.
        """
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
    """The sheets of a workbook, in its order; charts and programs are left out.

    Raises:
        BadInputError: The file is no workbook, or does more than hold tables.
    """
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
            sheet.name[:LONGEST_NAME],
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
    """The lines of the workbook's first sheet.

    Raises:
        BadInputError: The file is no workbook, or is one that ``open_workbook`` refuses.
    """
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
