"""The completion report as a file: the same rows as the page, written as they are read.

Dates are ISO 8601. CSV and JSON give instants in UTC with Z; XLSX gives London time, because a
spreadsheet has no zones. Empty means not yet.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from portal.clock import LONDON
from portal.errors import RuleError
from portal.monitoring.completion import COLUMNS, COUNTS, TYPES, Cells
from portal.monitoring.position import Position
from portal.monitoring.queries import CompletionReport
from portal.web.filters import number

BATCH = 1000  # rows of a CSV sent at a time
XLSX_ROWS = 20_000  # a page does not wait for more
SHEET_ROWS = 1_048_575  # a spreadsheet holds no more below its head
_RUNS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet may run a text that begins so
_WIDTHS = {"unit_path": 40, "requirement_title": 40, "unit": 24, "surname": 18, "forenames": 18}


class TooManyRowsError(RuleError):
    """A workbook of this many rows would keep the page waiting too long, or not hold them."""

    def __init__(self, rows: int, most: int) -> None:
        super().__init__(
            f"These completions have {number(rows)} rows, and a spreadsheet file is made for at most "
            f"{number(most)}. Filter the report first, or download the CSV, which has no limit."
        )


def refuse_large_workbook(rows: int, most: int | None = None) -> None:
    """Refuse a workbook that would have more than ``most`` rows, by default ``XLSX_ROWS``.

    Raises:
        TooManyRowsError: It would.
    """
    most = XLSX_ROWS if most is None else most
    if rows > most:
        raise TooManyRowsError(rows, most)


def file_name(report: CompletionReport, form: str) -> str:
    """A name with the directive and the day, of letters, digits, dots and hyphens alone.

    A position that lay ahead of what was known says so in its name.
    """
    reference = re.sub(r"[^A-Za-z0-9.-]+", "-", report.subject.reference).strip("-.") or "directive"
    forecast = "-forecast" if report.position.forecast else ""
    return f"{reference}-completions-{report.position.as_at.isoformat()}{forecast}.{form}"


def sheet_name(position: Position) -> str:
    """What the one sheet of a workbook is called."""
    return "Completions (forecast)" if position.forecast else "Completions"


def definition(report: CompletionReport) -> dict[str, Any]:
    """What the percentage of a report means: its parts, its exclusions by reason, its two times."""
    figures, subject = report.figures, report.subject
    share = figures.share
    return {
        "directive": subject.reference,
        "title": subject.title,
        "versions": [
            {"number": number, "effective_on": day.isoformat()} for number, day in subject.known_versions
        ],
        "version": subject.version_number,
        "numerator": share.done,
        "denominator": share.total,
        "percentage": share.done * 1000 // share.total / 10 if share.total else None,
        "assigned": figures.assigned,
        "exclusions": report.exclusions(),
        "forecast": report.position.forecast,
        **report.position.pinned,
    }


def totals(report: CompletionReport) -> dict[str, int]:
    """People by status, every status named."""
    return {status.key: count for status, count in report.figures.by_status.items()}


def audited(report: CompletionReport, form: str) -> dict[str, Any]:
    """What the audit trail keeps of an export: what was asked for, but no typed text."""
    return {
        "directive": report.subject.reference,
        "format": form,
        "rows": report.shown.rows,
        "filters": report.filters.names,
        **report.position.pinned,
    }


def plain(cell: str) -> str:
    """The cell, kept from running as a formula when a spreadsheet opens the file (OWASP).

    >>> plain("=1+1"), plain("O'Brien")
    ("'=1+1", "O'Brien")
    """
    return f"'{cell}" if cell.startswith(_RUNS) else cell


def csv_lines(rows: Iterable[Cells]) -> Iterator[str]:
    """The file in pieces of at most ``BATCH`` rows: RFC 4180, with a head, lines ending in CRLF.

    Args:
        rows: Read with ``plain`` as their guard.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    ahead = iter(rows)
    while some := list(islice(ahead, BATCH)):
        writer.writerows(some)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if buffer.tell():
        yield buffer.getvalue()


def write_csv(rows: Iterable[Cells], path: Path) -> None:
    """Write the CSV file to ``path``; ``rows`` as ``csv_lines`` takes them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(rows))


def write_xlsx(rows: Iterable[Cells], file: IO[bytes] | str, *, sheet: str = "Completions") -> None:
    """Write a workbook of one sheet, one row in memory at a time; no text in it can run."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        page = book.add_worksheet(sheet)
        writers = _cell_writers(book, page)
        bold = book.add_format({"bold": True})
        page.freeze_panes(1, 0)
        for column, name in enumerate(COLUMNS):
            page.set_column(column, column, _WIDTHS.get(name, max(12, len(name) + 2)))
            page.write_string(0, column, name, bold)
        line = 0
        for line, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if cell is not None:
                    writers[column](line, column, cell)
        page.autofilter(0, 0, line, len(COLUMNS) - 1)


def _cell_writers(book: Any, page: Any) -> list[Callable[[int, int, Any], Any]]:
    """How each column is written, so that the spreadsheet knows its values as what they are."""
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    score = book.add_format({"num_format": "0.0000"})

    def write_day(line: int, column: int, cell: str) -> None:
        page.write_datetime(line, column, date.fromisoformat(cell), day)

    def write_instant(line: int, column: int, cell: str) -> None:
        local = datetime.fromisoformat(cell).astimezone(LONDON).replace(tzinfo=None)
        page.write_datetime(line, column, local, instant)

    def write_score(line: int, column: int, cell: str) -> None:
        page.write_number(line, column, float(cell), score)

    typed: dict[type, Any] = {date: write_day, datetime: write_instant, Decimal: write_score}
    writers = {name: typed[kind] for name, kind in TYPES.items()} | dict.fromkeys(COUNTS, page.write_number)
    return [writers.get(name, page.write_string) for name in COLUMNS]


def write_json(definition: dict[str, Any], totals: dict[str, int], rows: Iterable[Cells], path: Path) -> None:
    """Write one object to ``path``: ``definition``, ``totals`` by status, and ``rows``, one a line."""
    scores = [name for name, kind in TYPES.items() if kind is Decimal]
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{\n"definition": {json.dumps(definition, ensure_ascii=False)},\n')
        file.write(f'"totals": {json.dumps(totals)},\n"rows": [')
        lead = "\n"
        for row in rows:
            values: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
            values.update((name, float(values[name])) for name in scores if values[name] is not None)
            file.write(lead + json.dumps(values, ensure_ascii=False))
            lead = ",\n"
        file.write("\n]\n}\n")
