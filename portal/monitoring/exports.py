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
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from portal.clock import LONDON
from portal.errors import RuleError
from portal.monitoring.completion import COLUMNS, KINDS, NULLABLE, Line, cells
from portal.monitoring.position import Position
from portal.monitoring.queries import CompletionReport
from portal.standing.cells import Kept
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


def csv_lines(rows: Iterable[Line]) -> Iterator[str]:
    """The file in pieces of at most ``BATCH`` rows: RFC 4180, with a head, lines ending in CRLF.

    Args:
        rows: Read with ``plain`` as their guard.
    """
    asked_before: Kept[tuple[str, ...], str] = Kept(_quoted)
    head, start = None, ""
    lines = [_quoted(COLUMNS)[:-1]]
    for person, asked, stands in rows:
        if person is not head:
            head, start = person, _quoted(person)
        lines.append(f"{start}{asked_before[asked]}{','.join(stands)}")
        if len(lines) >= BATCH:
            yield "\r\n".join((*lines, ""))
            lines = []
    if lines:
        yield "\r\n".join((*lines, ""))


def _quoted(texts: Iterable[str]) -> str:
    """The texts as CSV, each followed by a comma."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(texts)
    return f"{buffer.getvalue().removesuffix(chr(10))},"


def write_csv(rows: Iterable[Line], path: Path) -> None:
    """Write the CSV file to ``path``; ``rows`` as ``csv_lines`` takes them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(rows))


def write_xlsx(rows: Iterable[Line], file: IO[bytes] | str, *, sheet: str = "Completions") -> None:
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
            for column, text in enumerate(cells(row)):
                if text:
                    writers[column](line, column, text)
        page.autofilter(0, 0, line, len(COLUMNS) - 1)


def _cell_writers(book: Any, page: Any) -> list[Callable[[int, int, Any], Any]]:
    """How each column is written, so that the spreadsheet knows its values as what they are."""
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    score = book.add_format({"num_format": "0.0000"})

    def write_day(line: int, column: int, text: str) -> None:
        page.write_datetime(line, column, date.fromisoformat(text), day)

    def write_instant(line: int, column: int, text: str) -> None:
        local = datetime.fromisoformat(text).astimezone(LONDON).replace(tzinfo=None)
        page.write_datetime(line, column, local, instant)

    def write_score(line: int, column: int, text: str) -> None:
        page.write_number(line, column, float(text), score)

    def write_count(line: int, column: int, text: str) -> None:
        page.write_number(line, column, int(text))

    typed = {
        str: page.write_string,
        int: write_count,
        Decimal: write_score,
        date: write_day,
        datetime: write_instant,
    }
    return [typed[KINDS[name]] for name in COLUMNS]


def write_json(definition: dict[str, Any], totals: dict[str, int], rows: Iterable[Line], path: Path) -> None:
    """Write one object to ``path``: ``definition``, ``totals`` by status, and ``rows``, one a line."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{\n"definition": {json.dumps(definition, ensure_ascii=False)},\n')
        file.write(f'"totals": {json.dumps(totals)},\n"rows": [')
        lead = "\n"
        for row in rows:
            values = {name: _json(name, text) for name, text in zip(COLUMNS, cells(row), strict=True)}
            file.write(lead + json.dumps(values, ensure_ascii=False))
            lead = ",\n"
        file.write("\n]\n}\n")


def _json(name: str, text: str) -> str | int | float | None:
    """Counts and scores as numbers; days and instants are text in JSON too."""
    if text == "" and name in NULLABLE:
        return None
    kind = KINDS[name]
    return int(text) if kind is int else float(text) if kind is Decimal else text
