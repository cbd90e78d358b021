"""The completion report as a file: the same rows as the page, written as they are read.

Dates are ISO 8601. CSV and JSON give instants in UTC with Z; XLSX gives London time, because a
spreadsheet has no zones. Empty means not yet.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from portal.domain.reports import sentences
from portal.domain.reports.as_of import Position
from portal.domain.reports.completion.export_columns import LONG, Column, Line, cells
from portal.domain.reports.queries import CompletionReport
from portal.domain.status.raw_columns import Kept
from portal.platform.clock import LONDON
from portal.platform.errors import RuleError, UnwritableError
from portal.platform.wording import number, plural

BATCH = 1000  # rows of a CSV sent at a time
XLSX_ROWS = 20_000  # a page does not wait for more; a job makes them
SHEET_ROWS = 1_048_575  # a spreadsheet holds no more below its head
_SERIAL_ZERO = datetime(1899, 12, 30)
_QUOTED = re.compile(r'["\r\n]|^$')  # what CSV puts in quotes beside a comma
_WIDTHS = {"unit_path": 40, "requirement_title": 40, "unit": 24, "surname": 18, "forenames": 18}


class TooManyRowsError(RuleError):
    """No spreadsheet holds a workbook of this many rows."""

    def __init__(self, rows: int, most: int) -> None:
        super().__init__(
            f"These completions have {number(rows)} rows, and a spreadsheet file is made for at most "
            f"{number(most)}. Filter the report first, or download the CSV, which has no limit."
        )


def refuse_large_workbook(rows: int, most: int | None = None) -> None:
    """Refuse a workbook that would have more than ``most`` rows, by default as a spreadsheet holds.

    Raises:
        TooManyRowsError: It would.
    """
    most = SHEET_ROWS if most is None else most
    if rows > most:
        raise TooManyRowsError(rows, most)


def file_name(report: CompletionReport, form: str, kind: str = "completions") -> str:
    """A name with the directive and the day, of letters, digits, dots and hyphens alone.

    A position that lay ahead of what was known says so in its name.
    """
    reference = re.sub(r"[^A-Za-z0-9.-]+", "-", report.subject.reference).strip("-.") or "directive"
    forecast = "-forecast" if report.position.forecast else ""
    return f"{reference}-{kind}-{report.position.as_at.isoformat()}{forecast}.{form}"


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
        "filters": report.filters.said,
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


def csv_lines(rows: Iterable[Line], columns: Sequence[Column] = LONG) -> Iterator[str]:
    """The file in pieces of at most ``BATCH`` rows: RFC 4180, with a head, lines ending in CRLF.

    Args:
        rows: Read with ``portal.platform.formats.formula_guard.disarm_formula`` as their guard.
        columns: Of these rows.
    """
    asked_before: Kept[tuple[str, ...], str] = Kept(_quoted)
    head, start = None, ""
    lines = [_quoted([each.name for each in columns])[:-1]]
    for person, asked, stands in rows:
        if person is not head:
            head, start = person, _quoted(person)
        lines.append(f"{start}{asked_before[asked]}{stands}")
        if len(lines) >= BATCH:
            yield "\r\n".join((*lines, ""))
            lines = []
    if lines:
        yield "\r\n".join((*lines, ""))


def _quoted(texts: Sequence[str]) -> str:
    """The texts as CSV, each followed by a comma.

    >>> _quoted(["Smith", "Ann"]), _quoted(["Smith, A", 'the "old" one']), _quoted([""])
    ('Smith,Ann,', '"Smith, A","the ""old"" one",', '"",')
    """
    line = ",".join(texts)
    if len(texts) == line.count(",") + 1 and not _QUOTED.search(line):
        return f"{line},"  # as the writer would write it, who takes eight times as long
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(texts)
    return f"{buffer.getvalue().removesuffix(chr(10))},"


def write_csv(rows: Iterable[Line], path: Path, columns: Sequence[Column] = LONG) -> None:
    """Write the CSV file to ``path``; ``rows`` as ``csv_lines`` takes them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(rows, columns))


def write_xlsx(
    rows: Iterable[Line],
    file: IO[bytes] | str,
    report: CompletionReport,
    columns: Sequence[Column] = LONG,
    *,
    scratch: str | None = None,
) -> None:
    """Write a workbook: the rows, the definition, and what each column means.

    One row is in memory at a time, the others in ``scratch``, a folder; no text in it can run.

    Raises:
        UnwritableError: The disk is full.
    """
    options = {
        "tmpdir": scratch,
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    try:
        with xlsxwriter.Workbook(file, options) as book:
            bold = book.add_format({"bold": True})
            _write_rows(book, book.add_worksheet(sheet_name(report.position)), rows, columns, bold)
            lines = [(name, said) for name, said in definition_lines(report)]
            _write_texts(book.add_worksheet("Definition"), ("Definition", ""), lines, bold)
            _write_texts(book.add_worksheet("Columns"), DICTIONARY, dictionary(columns), bold)
    except FileCreateError as error:  # what it makes of a full disk
        raise UnwritableError from error


def _write_rows(book: Any, page: Any, rows: Iterable[Line], columns: Sequence[Column], bold: Any) -> None:
    writers = _cell_writers(book, page, columns)
    page.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        page.set_column(place, place, _WIDTHS.get(column.name, max(12, len(column.name) + 2)))
        page.write_string(0, place, column.name, bold)
    line = 0
    for line, row in enumerate(rows, start=1):
        for place, text in enumerate(cells(row)):
            if text:
                writers[place](line, place, text)
    page.autofilter(0, 0, line, len(columns) - 1)


def _write_texts(page: Any, head: Sequence[str], lines: Iterable[Sequence[str]], bold: Any) -> None:
    page.set_column(0, 0, 28)
    page.set_column(1, len(head) - 1, 70)
    for place, text in enumerate(head):
        page.write_string(0, place, text, bold)
    for line, texts in enumerate(lines, start=1):
        for place, text in enumerate(texts):
            page.write_string(line, place, text)


def _cell_writers(book: Any, page: Any, columns: Iterable[Column]) -> list[Callable[[int, int, Any], Any]]:
    """How each column is written, so that the spreadsheet knows its values as what they are."""
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    score = book.add_format({"num_format": "0.0000"})

    def write_day(line: int, column: int, text: str) -> None:
        page.write_number(line, column, _serial_day(text), day)

    def write_instant(line: int, column: int, text: str) -> None:
        page.write_number(line, column, _serial_instant(text), instant)

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
    return [typed[column.kind] for column in columns]


@lru_cache(maxsize=4096)
def _serial_day(text: str) -> int:
    """A day as a spreadsheet counts it; the same few stand in most rows.

    >>> _serial_day("2026-04-30")
    46142
    """
    return (date.fromisoformat(text) - _SERIAL_ZERO.date()).days


@lru_cache(maxsize=4096)
def _serial_instant(text: str) -> float:
    """An instant as a spreadsheet counts it, by London's clock.

    >>> _serial_instant("2026-04-30T11:00:00Z")
    46142.5
    """
    since = datetime.fromisoformat(text).astimezone(LONDON).replace(tzinfo=None) - _SERIAL_ZERO
    return since.days + (since.seconds + since.microseconds / 1_000_000) / 86_400


def json_pieces(report: CompletionReport, rows: Iterable[Line]) -> Iterator[str]:
    """One object in pieces: ``definition``, ``totals`` by status, and ``rows``, one a line."""
    yield f'{{\n"definition": {json.dumps(definition(report), ensure_ascii=False)},\n'
    yield f'"totals": {json.dumps(totals(report))},\n"rows": ['
    lead = "\n"
    for row in rows:
        values = {one.name: _json(one, text) for one, text in zip(LONG, cells(row), strict=True)}
        yield lead + json.dumps(values, ensure_ascii=False)
        lead = ",\n"
    yield "\n]\n}\n"


def write_json(rows: Iterable[Line], path: Path, report: CompletionReport) -> None:
    """Write to ``path`` what ``json_pieces`` gives."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json_pieces(report, rows))


def _json(column: Column, text: str) -> str | int | float | None:
    """Counts and scores as numbers; days and instants are text in JSON too."""
    if text == "" and column.nullable:
        return None
    return int(text) if column.kind is int else float(text) if column.kind is Decimal else text


DICTIONARY = ("column", "meaning", "source", "type", "empty")
_TYPES = {
    str: "text",
    int: "whole number",
    Decimal: "number with four decimals",
    date: "date, ISO 8601",
    datetime: "instant, ISO 8601: UTC with Z; London time in a spreadsheet",
}


def dictionary(columns: Iterable[Column]) -> list[tuple[str, ...]]:
    """The data dictionary: a line a column, as ``DICTIONARY`` names its parts."""
    return [
        (one.name, one.meaning, one.fact, _TYPES[one.kind], "can be empty" if one.nullable else "never empty")
        for one in columns
    ]


def dictionary_csv(columns: Iterable[Column]) -> str:
    """The data dictionary as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(DICTIONARY)
    writer.writerows(dictionary(columns))
    return buffer.getvalue()


NOBODY = "Nobody matches these filters, or may be seen by whoever asked for this file."
FORECAST = ("Forecast", "The day lies after what was known of it: an outlook, not evidence.")


def definition_lines(report: CompletionReport) -> list[tuple[str, str]]:
    """What the percentage means, as pairs of a name and what is said: for a sheet or a first page."""
    said, about = sentences.definition(report.subject, report.figures, report.exclusions()), report.subject
    at, group = report.position.pinned, sentences.of_group(report.filters, report.group)
    return [
        ("Directive", f"{about.reference}: {about.title}"),
        ("Recommendation", about.source),
        ("Answer", sentences.headline(report.figures, report.position)),
        *([("Of these", group)] * bool(group)),
        ("Counted", sentences.not_counted(report.figures)),
        *(("How this is worked out", sentence) for sentence in said),
        *((status.label, number(count)) for status, count in report.figures.by_status.items()),
        ("As at", at["as_at"]),
        ("As known on", at["as_known_on"]),
        *([FORECAST] * report.position.forecast),
        ("Filtered by", "; ".join(report.filters.said) or "nothing"),
        ("Listed", plural(report.shown.assigned, "person", "people") if report.shown.assigned else NOBODY),
    ]
