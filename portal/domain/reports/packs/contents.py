"""Writes the files of a pack, then the pack. The same report gives the same bytes."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter

from portal.domain.reports.completion import writers
from portal.domain.reports.completion.definition import definition_lines
from portal.domain.reports.completion.export_columns import CompletionRow
from portal.domain.reports.packs import pack_pdf, texts
from portal.domain.reports.packs.archive import PackFile, write_archive, write_small_table
from portal.domain.reports.packs.foi_figures import make_report_tables
from portal.domain.reports.packs.foi_tables import FoiTables
from portal.domain.reports.packs.kinds import FOI, README
from portal.domain.reports.queries import CompletionReport

ReportDone = Callable[[int], None]  # is told how many rows are written

SUMMARY = PackFile("summary.pdf", "the answer, how it is worked out, and the figures; for people")
DEFINITIONS = PackFile("definitions.csv", "what each word and figure means")
DICTIONARY = PackFile("data-dictionary.csv", "what each column means")
ROWS = (
    PackFile("completions.csv", "one row for each person and requirement"),
    PackFile("completions.xlsx", "the same rows as a spreadsheet, with its definition and columns"),
    PackFile("completions.json", "the same rows for programs, with totals by status"),
)
FOI_BOOK = PackFile("tables.xlsx", "all tables as one spreadsheet")
FOI_JSON = PackFile("tables.json", "all tables for programs")
EVERYONE = {
    True: "Everybody in the force to whom the directive applied.",
    False: "Everybody to whom the directive applied and whom the maker of the pack may see.",
}
_STEP = 500


class MadePack(NamedTuple):
    """A pack that is written."""

    sha256: str
    rows: int  # of people and requirements; 0 in an FOI pack


def write_pack(
    report: CompletionReport,
    name: str,
    folder: Path,
    target: Path,
    *,
    force: str,
    small: int,
    done: ReportDone,
) -> MadePack:
    """Write a pack.

    Args:
        report: Its position is settled.
        name: Which pack, of ``kinds.NAMES``.
        folder: An empty folder for its files.
        target: The ZIP.
        force: Name of the force.
        small: The small number of an FOI pack.
        done: Is told how many rows are written.
    """
    about: dict[str, Any] = {
        "pack": name.removesuffix("-pack.zip"),
        "force": force,
        "directive": report.directive.reference,
        "title": report.directive.title,
        "version": report.directive.version_number,
        **report.position.pinned,
    }
    if name == FOI:
        files = _write_foi_files(report, folder, force, small)
        return MadePack(write_archive(folder, files, {**about, "small_number": small}, target), 0)
    about |= {
        "filters": report.filters.in_words,
        "people": report.shown.assigned,
        "rows": report.shown.rows,
    }
    files = _write_inspection_files(report, folder, force, done)
    return MadePack(write_archive(folder, files, about, target), report.shown.rows)


def _write_inspection_files(
    report: CompletionReport, folder: Path, force: str, done: ReportDone
) -> list[PackFile]:
    rows, sheet, records = ROWS
    fits = report.shown.rows <= writers.SHEET_ROWS
    writers.write_csv(_report_rows(report, done), folder / rows.name, report.columns)
    if fits:
        with (folder / sheet.name).open("wb") as file:
            writers.write_xlsx(
                report.rows(),
                file,
                report,
                report.columns,
                scratch=str(folder),
                created=report.position.as_known_on,
            )
    writers.write_json(report.rows(), folder / records.name, report, report.columns)
    definitions = [*definition_lines(report), *texts.status_definitions()]
    (folder / SUMMARY.name).write_bytes(
        pack_pdf.inspection_summary(report, texts.status_definitions(), force=force)
    )
    write_small_table(folder / DEFINITIONS.name, ("term", "meaning"), definitions)
    write_small_table(folder / DICTIONARY.name, writers.DICTIONARY, writers.dictionary_lines(report.columns))
    files = [SUMMARY, *(ROWS if fits else (rows, records)), DEFINITIONS, DICTIONARY]
    whom = "; ".join(report.filters.in_words)
    paragraphs = [
        f"Only people who match the filters: {whom}." if whom else EVERYONE[report.viewer_scope.everyone],
        "This pack is about named people. Keep it as you keep personnel files, and send it only to those "
        "who may see them. For the public there is an FOI pack, which counts people and names nobody.",
        "Names, staff numbers and their erasures are as they are today; all else is as known at the time "
        "above.",
        *([] if fits else ["There is no spreadsheet: it would have more rows than one can open."]),
    ]
    return _with_readme(report, folder, "Inspection pack", paragraphs, files)


def _report_rows(report: CompletionReport, done: ReportDone) -> Iterator[CompletionRow]:
    for count, row in enumerate(report.rows()):
        if count % _STEP == 0:
            done(count)
        yield row


def _with_readme(
    report: CompletionReport, folder: Path, kind: str, paragraphs: list[str], files: list[PackFile]
) -> list[PackFile]:
    text = texts.readme_text(kind, report, paragraphs, files)
    (folder / README).write_text(text, encoding="utf-8", newline="\n")
    return [PackFile(README, "this text"), *files]


def _write_foi_files(report: CompletionReport, folder: Path, force: str, small: int) -> list[PackFile]:
    tables = make_report_tables(report, small)
    definitions = texts.foi_definitions(report, tables, small)
    (folder / SUMMARY.name).write_bytes(pack_pdf.foi_summary(report, tables, definitions, force=force))
    files = [SUMMARY]
    for table in tables.tables:
        write_small_table(
            folder / f"{table.key}.csv", [column.header for column in table.columns], table.rows
        )
        files.append(PackFile(f"{table.key}.csv", table.title[:1].lower() + table.title[1:]))
    _write_foi_book(folder / FOI_BOOK.name, report, tables, definitions)
    (folder / FOI_JSON.name).write_text(_foi_json(report, tables, small), encoding="utf-8", newline="\n")
    write_small_table(folder / DEFINITIONS.name, ("term", "meaning"), definitions)
    write_small_table(folder / DICTIONARY.name, ("table", "column", "meaning"), _foi_dictionary(tables))
    files += [FOI_BOOK, FOI_JSON, DEFINITIONS, DICTIONARY]
    paragraphs = [
        f"{texts.foi_headline(report, tables, small)}.",
        "How to read the numbers:",
        *(f"- {sentence}" for sentence in texts.rounding_sentences(tables, small)),
    ]
    return _with_readme(report, folder, "FOI pack", paragraphs, files)


def _foi_dictionary(tables: FoiTables) -> list[tuple[str, ...]]:
    return [(table.key, column.header, column.meaning) for table in tables.tables for column in table.columns]


def _foi_json(report: CompletionReport, tables: FoiTables, small: int) -> str:
    document = {
        "directive": report.directive.reference,
        **report.position.pinned,
        "small_number": small,
        "tables": {
            table.key: [
                dict(zip((column.header for column in table.columns), row, strict=True)) for row in table.rows
            ]
            for table in tables.tables
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _write_foi_book(
    path: Path, report: CompletionReport, tables: FoiTables, definitions: texts.Definitions
) -> None:
    """A workbook with a sheet for each table, the definitions and the columns."""
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": report.position.as_known_on})
        bold = book.add_format({"bold": True})
        sheets: list[tuple[str, Sequence[str], Iterable[Sequence[str | int]]]] = [
            (table.key.capitalize(), [column.label for column in table.columns], table.rows)
            for table in tables.tables
        ]
        sheets += [
            ("Definitions", ("Term", "Meaning"), definitions),
            ("Columns", ("Table", "Column", "Meaning"), _foi_dictionary(tables)),
        ]
        for name, heads, rows in sheets:
            page = book.add_worksheet(name)
            page.set_column(0, len(heads) - 1, 28)
            page.freeze_panes(1, 0)
            page.write_row(0, 0, heads, bold)
            for line, row in enumerate(rows, start=1):
                page.write_row(line, 0, row)
