"""The completion report as a file: the same rows as the page, written as they are read.

Dates are ISO 8601. CSV and JSON give instants in UTC with Z; XLSX gives London time, because a
spreadsheet has no zones. Empty means not yet.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Any

from portal.domain.reports import sentences
from portal.domain.reports.completion_rows import AnyRow, Column, DayOrInstant, values_reader
from portal.domain.reports.parameters import Position
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import Figures
from portal.domain.status.rules import Status
from portal.platform.bulk import ValueCache
from portal.platform.clock import LONDON
from portal.platform.errors import RuleError, UnwritableError
from portal.platform.tables.columns import csv_text
from portal.platform.wording import number, plural

# The definition of a report's percentage, as its files carry it: of whom, of what day, as known when.

NOBODY = "Nobody you can see matches these filters."
FORECAST = ("Forecast", sentences.FORECAST)


def definition_of(report: CompletionReport) -> dict[str, Any]:
    """The definition of the percentage: its parts, exclusions by reason, filters and both times.

    The figures are of the people who match the filters on unit, role and rank; ``everyone`` has those of all
    people the viewer may see, ``listed`` is the number of people with rows.
    """
    figures, directive = report.group, report.directive
    return {
        "directive": directive.reference,
        "title": directive.title,
        "versions": [
            {"number": number, "effective_on": day.isoformat()} for number, day in directive.known_versions
        ],
        "version": directive.version_number,
        **_share_values(figures),
        "exclusions": report.count_exclusions(),
        "filters": report.filters.in_words,
        "listed": report.shown.assigned,
        "everyone": _share_values(report.figures),
        "forecast": report.position.forecast,
        **report.position.pinned,
    }


def _share_values(figures: Figures) -> dict[str, Any]:
    share = figures.share
    return {
        "numerator": share.done,
        "denominator": share.total,
        "percentage": share.done * 100 // share.total if share.total else None,
        "assigned": figures.assigned,
    }


def totals_by_status(report: CompletionReport) -> dict[str, int]:
    """The people with rows by status; statuses that nobody has are 0."""
    return {status.key: count for status, count in report.shown.by_status.items()}


def definition_lines(report: CompletionReport) -> list[tuple[str, str]]:
    """The definition of the percentage for a sheet, as pairs of a name and a text."""
    directive = report.directive
    definition = sentences.definition_sentences(directive, report.group, report.count_exclusions())
    times, counted, *whole = report.position.pinned, *sentences.beside(report)
    return [
        ("Directive", f"{directive.reference}: {directive.title}"),
        ("Recommendation", directive.source),
        ("Answer", sentences.headline(report)),
        ("Counted", counted),
        *(("For comparison", sentence) for sentence in whole),
        *(("How this is worked out", sentence) for sentence in definition),
        *((status.label, number(count)) for status, count in report.shown.by_status.items()),
        ("As at", times["as_at"]),
        ("As known on", times["as_known_on"]),
        *([FORECAST] * report.position.forecast),
        ("Filtered by", "; ".join(report.filters.in_words) or "nothing"),
        ("Listed", plural(report.shown.assigned, "person", "people") if report.shown.assigned else NOBODY),
    ]


TextMaker = Callable[[Sequence[Any]], Iterable[str]]  # the texts of a column's values

BOM = "\ufeff"
LONGEST_OF_WHOM = 80  # characters of a file's name
BATCH = 100  # rows of a CSV or JSON sent at a time: few enough for the processor's cache
XLSX_ROWS = 20_000  # a job makes larger workbooks
SHEET_ROWS = 1_048_575  # the most that a sheet can have below its head
_SERIAL_ZERO = datetime(1899, 12, 30)
_WIDTHS = {"unit_path": 40, "requirement_title": 40, "unit": 24, "surname": 18, "forenames": 18}


class TooManyRowsError(RuleError):
    """A workbook would have more rows than a spreadsheet can open."""

    def __init__(self, rows: int, most: int) -> None:
        super().__init__(
            f"This file would have {number(rows)} rows. A spreadsheet can have at most {number(most)}. "
            "Filter the report first, or download the CSV, which has no limit."
        )


def refuse_large_workbook(rows: int, most: int | None = None) -> None:
    """Refuse a workbook of more than ``most`` rows, by default ``SHEET_ROWS``.

    Raises:
        TooManyRowsError: It would have more.
    """
    most = SHEET_ROWS if most is None else most
    if rows > most:
        raise TooManyRowsError(rows, most)


def file_name(report: CompletionReport, form: str, kind: str = "completions") -> str:
    """The file's name: directive, day and filters, in letters, digits, dots and hyphens; a forecast says so.

    A name or number that somebody looked for is only called a search: file names are seen by others.
    """
    reference = _name_part(report.directive.reference) or "directive"
    forecast = "-forecast" if report.position.forecast else ""
    filters = report.filters.without("q")
    words = " ".join([*map(filters.words_of, filters.address), *["search"] * bool(report.filters.q)])
    of_whom = _name_part(words)[:LONGEST_OF_WHOM].strip("-.")
    dash = "-" if of_whom else ""
    return f"{reference}-{kind}-{report.position.as_at.isoformat()}{forecast}{dash}{of_whom}.{form}"


def _name_part(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.")


def sheet_name(position: Position) -> str:
    """The name of the sheet with the rows."""
    return "Completions (forecast)" if position.forecast else "Completions"


def audit_detail(report: CompletionReport, form: str) -> dict[str, Any]:
    """The details of an export for the audit trail, without text that somebody typed."""
    return {
        "directive": report.directive.reference,
        "format": form,
        "rows": report.shown.rows,
        "filters": report.filters.names,
        **report.position.pinned,
    }


def csv_pieces(rows: Iterable[AnyRow], columns: Sequence[Column], *, with_bom: bool = False) -> Iterator[str]:
    """The CSV file in pieces of at most ``BATCH`` rows: RFC 4180, with a header, lines ending in CRLF.

    ``with_bom`` begins it with a byte order mark, without which Excel takes UTF-8 for another encoding.
    """
    header = ",".join(csv_text(column.header) for column in columns)
    yield f"{BOM * with_bom}{header}\r\n"
    for texts in _text_batches(rows, columns, _CSV_TEXTS):
        yield "\r\n".join((*map(",".join, texts), ""))


def _text_batches(
    rows: Iterable[AnyRow], columns: Sequence[Column], text_makers: Mapping[type, TextMaker]
) -> Iterator[Iterator[tuple[str, ...]]]:
    """The texts of each row's cells, in batches of at most ``BATCH`` rows.

    They are made column by column, in a third of the time that row by row takes.
    """
    makers = [text_makers[column.kind] for column in columns]
    read_values, remaining = values_reader(columns), iter(rows)
    while batch := list(islice(remaining, BATCH)):
        values = zip(*map(read_values, batch), strict=True)
        texts = [_column_texts(make, column) for make, column in zip(makers, values, strict=True)]
        yield zip(*texts, strict=True)


def _column_texts(make: TextMaker, values: Sequence[Any]) -> Iterable[str]:
    first = values[0]
    if values[-1] is first and values.count(first) == len(values):  # such as both times of the report
        return [*make([first])] * len(values)
    return make(values)


def _text_maker(make: Callable[[Any], str], empty: str) -> TextMaker:
    """A function that makes the texts of a column's values, once for each distinct value."""

    def make_texts(values: Sequence[Any]) -> Iterable[str]:
        texts = {value: empty if value is None else make(value) for value in {*values}}
        return map(texts.__getitem__, values)

    return make_texts


def _instant_texts(values: Sequence[datetime | None]) -> list[str]:
    """The texts of instants in UTC, like those of ``clock.format_utc`` in a third of the time."""
    return [
        ""
        if at is None
        else f"{_DAY_TEXTS[at.toordinal()]}T{_TWO_DIGITS[at.hour]}:{_TWO_DIGITS[at.minute]}:"
        f"{_TWO_DIGITS[at.second]}{f'.{at.microsecond:06}' if at.microsecond else ''}Z"
        for at in values
    ]


def _day_or_instant_texts(values: Sequence[date | datetime | None]) -> list[str]:
    instants = _instant_texts([value if isinstance(value, datetime) else None for value in values])
    return [
        text or (value.isoformat() if value else "") for text, value in zip(instants, values, strict=True)
    ]


_DAY_TEXTS: ValueCache[int, str] = ValueCache(lambda ordinal: date.fromordinal(ordinal).isoformat())
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))
_CSV_TEXTS: dict[type, TextMaker] = {
    str: _text_maker(csv_text, ""),
    int: _text_maker(str, ""),
    Decimal: _text_maker(str, ""),
    date: _text_maker(date.isoformat, ""),
    datetime: _instant_texts,
    DayOrInstant: _day_or_instant_texts,
    Status: _text_maker(lambda status: status.key, ""),
}


def write_csv(rows: Iterable[AnyRow], path: Path, columns: Sequence[Column]) -> None:
    """Write the CSV file to ``path``."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_pieces(rows, columns))


def write_xlsx(
    rows: Iterable[AnyRow],
    file: IO[bytes] | str,
    report: CompletionReport,
    columns: Sequence[Column],
    *,
    scratch: str | None = None,
    created: datetime | None = None,
) -> None:
    """Write a workbook: the rows, the definition of the percentage, and the meaning of each column.

    One row is in memory at a time, the others in the folder ``scratch``. No text can run as a formula.
    With ``created``, when its properties say that it was made, the same rows give the same bytes.

    Raises:
        UnwritableError: The disk is full.
    """
    import xlsxwriter  # 2 MiB, for the process that writes files

    options = {
        "tmpdir": scratch,
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    try:
        with xlsxwriter.Workbook(file, options) as book:
            book.set_properties({"created": created} if created else {})
            bold = book.add_format({"bold": True})
            _write_rows(book, book.add_worksheet(sheet_name(report.position)), rows, columns, bold)
            _write_texts(
                book.add_worksheet("Definition"),
                ("Definition", ""),
                definition_lines(report),
                bold,
            )
            _write_texts(book.add_worksheet("Columns"), DICTIONARY, dictionary_lines(columns), bold)
    except xlsxwriter.exceptions.FileCreateError as error:  # the disk is full
        raise UnwritableError from error


def _write_rows(book: Any, page: Any, rows: Iterable[AnyRow], columns: Sequence[Column], bold: Any) -> None:
    writers, read_values = _cell_writers(book, page, columns), values_reader(columns)
    page.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        page.set_column(place, place, _WIDTHS.get(column.header, max(12, len(column.header) + 2)))
        page.write_string(0, place, column.header, bold)
    line = 0
    for line, row in enumerate(rows, start=1):
        for place, value in enumerate(read_values(row)):
            if value is not None and value != "":
                writers[place](line, place, value)
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
    """The function that writes each column's values, with the type that the spreadsheet knows."""
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    score = book.add_format({"num_format": "0.0000"})

    def write_day(line: int, column: int, value: date) -> None:
        page.write_number(line, column, _serial_day(value), day)

    def write_instant(line: int, column: int, value: datetime) -> None:
        page.write_number(line, column, _serial_instant(value), instant)

    def write_day_or_instant(line: int, column: int, value: date | datetime) -> None:
        if isinstance(value, datetime):
            write_instant(line, column, value)
        else:
            write_day(line, column, value)

    def write_score(line: int, column: int, value: Decimal) -> None:
        page.write_number(line, column, float(value), score)

    def write_status(line: int, column: int, value: Status) -> None:
        page.write_string(line, column, value.key)

    writers = {
        str: page.write_string,
        int: page.write_number,
        Decimal: write_score,
        date: write_day,
        datetime: write_instant,
        DayOrInstant: write_day_or_instant,
        Status: write_status,
    }
    return [writers[column.kind] for column in columns]


@lru_cache(maxsize=4096)
def _serial_day(day: date) -> int:
    """A day as the number that a spreadsheet uses; cached, because most rows have the same few days.

    >>> _serial_day(date(2026, 4, 30))
    46142
    """
    return (day - _SERIAL_ZERO.date()).days


@lru_cache(maxsize=4096)
def _serial_instant(instant: datetime) -> float:
    """An instant as the number that a spreadsheet uses, in London time.

    >>> _serial_instant(datetime.fromisoformat("2026-04-30T11:00:00Z"))
    46142.5
    """
    elapsed = instant.astimezone(LONDON).replace(tzinfo=None) - _SERIAL_ZERO
    return elapsed.days + (elapsed.seconds + elapsed.microseconds / 1_000_000) / 86_400


def json_pieces(report: CompletionReport, rows: Iterable[AnyRow], columns: Sequence[Column]) -> Iterator[str]:
    """The JSON file in pieces: ``definition``, ``totals`` by status, and ``rows``, one a line."""
    yield f'{{\n"definition": {json.dumps(definition_of(report), ensure_ascii=False)},\n'
    yield f'"totals": {json.dumps(totals_by_status(report))},\n"rows": ['
    members = [f"{_json_text(column.header).replace('%', '%%')}: %s" for column in columns]
    write_row, lead = f"{{{', '.join(members)}}}".__mod__, "\n"
    for texts in _text_batches(rows, columns, _JSON_TEXTS):
        yield lead + ",\n".join(map(write_row, texts))
        lead = ",\n"
    yield "\n]\n}\n"


_json_text = json.JSONEncoder(ensure_ascii=False).encode


def _quote_texts(texts: Iterable[str]) -> list[str]:
    return [f'"{text}"' if text else "null" for text in texts]


_JSON_TEXTS: dict[type, TextMaker] = {  # days and instants are text in JSON too
    str: _text_maker(_json_text, "null"),
    int: _text_maker(_json_text, "null"),
    Decimal: _text_maker(lambda score: _json_text(float(score)), "null"),
    date: _text_maker(lambda day: f'"{day.isoformat()}"', "null"),
    datetime: lambda values: _quote_texts(_instant_texts(values)),
    DayOrInstant: lambda values: _quote_texts(_day_or_instant_texts(values)),
    Status: _text_maker(lambda status: f'"{status.key}"', "null"),
}


def write_json(
    rows: Iterable[AnyRow], path: Path, report: CompletionReport, columns: Sequence[Column]
) -> None:
    """Write the JSON file to ``path``."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json_pieces(report, rows, columns))


DICTIONARY = ("column", "meaning", "source", "type", "empty")
_TYPES = {
    str: "text",
    Status: "text",
    int: "whole number",
    Decimal: "number with four decimals",
    date: "date, ISO 8601",
    datetime: "date and time, ISO 8601: UTC with Z; UK time in a spreadsheet",
    DayOrInstant: "date, or date and time, ISO 8601: UTC with Z; UK time in a spreadsheet",
}


TABLE_SCHEMA = "https://datapackage.org/profiles/2.0/tableschema.json"
_SCHEMA_TYPES = {
    str: "string",
    Status: "string",
    int: "integer",
    Decimal: "number",
    date: "date",
    datetime: "datetime",
    DayOrInstant: "string",  # no type of the standard has both
}


_SCHEMA_CONSTRAINTS: dict[type, dict[str, Any]] = {
    Status: {"enum": [status.key for status in Status]},
    DayOrInstant: {"pattern": r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z)?"},
}


def dictionary_lines(columns: Iterable[Column]) -> list[tuple[str, ...]]:
    """The data dictionary: a line for each column, with the parts that ``DICTIONARY`` names."""
    return [
        (
            column.header,
            column.meaning,
            column.fact,
            _TYPES[column.kind],
            "can be empty" if column.optional else "never empty",
        )
        for column in columns
    ]


def table_schema(columns: Iterable[Column]) -> dict[str, Any]:
    """The columns of a CSV file as a Frictionless Table Schema."""
    return {
        "$schema": TABLE_SCHEMA,
        "fields": [
            {
                "name": column.header,
                "type": _SCHEMA_TYPES[column.kind],
                "description": column.meaning,
                "constraints": {
                    "required": not column.optional,
                    **_SCHEMA_CONSTRAINTS.get(column.kind, {}),
                },
            }
            for column in columns
        ],
        "missingValues": [""],
    }


def dictionary_csv(columns: Iterable[Column]) -> str:
    """The data dictionary as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(DICTIONARY)
    writer.writerows(dictionary_lines(columns))
    return buffer.getvalue()
