"""Writes the files of a pack, then the pack. The same report gives the same bytes."""

import csv
import hashlib
import json
import shutil
import textwrap
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from portal.domain.reports import completion_files, report_pdf, sentences
from portal.domain.reports.completion_files import definition_lines, file_name
from portal.domain.reports.completion_rows import CompletionRow
from portal.domain.reports.foi import GROUPS, FoiTables, PackTable, make_report_tables
from portal.domain.reports.parameters import Position, PositionError
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.report_pdf import definition_markup, status_table, units_table
from portal.domain.reports.statistics import GroupLine, Share, UnitLine, share_of_group
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.documents.typesetting import text_content, typeset_pdf
from portal.platform.errors import RuleError
from portal.platform.tables.columns import disarm_formula

# The two packs: who may have which, for what position, and the position as a pack writes it.

INSPECTION, FOI = "inspection-pack.zip", "foi-pack.zip"
NAMES = (INSPECTION, FOI)
MANIFEST, SUMS, README = "manifest.json", "SHA256SUMS", "README.txt"
WHOLE_FORCE = (
    "An FOI pack counts the whole force, so that two packs of different parts cannot be subtracted. "
    "Ask somebody with a role on the whole force to make it."
)
NO_FILTERS = "An FOI pack counts the whole force. Clear the filters first."
TOO_FEW = "So few people had to do this that any figure could identify one of them. No FOI pack is made."
NOT_KNOWN = (
    "A pack is evidence, so as known on must be the date of the report or later. "
    "Records entered after that time are not used."
)


@dataclass(frozen=True, slots=True)
class SettledPosition(Position):
    """A position that reads the same whenever it is written: it has no "today" and no "now"."""

    @property
    def forecast(self) -> bool:
        """Never: packs of a forecast are refused when they are requested."""
        return False


def settle_position(position: Position) -> SettledPosition:
    """The position for the texts of a pack, which may be made again on a later day."""
    last_day = max(position.as_at, clock.london_day(position.as_known_on))
    return SettledPosition(position.as_at, position.as_known_on, last_day + timedelta(days=1), latest=False)


def refuse_pack(report: CompletionReport, name: str, small: int) -> None:
    """Refuse a pack that this viewer cannot have, or that says too much.

    Args:
        report: The report that the pack is to hold.
        name: One of ``NAMES``.
        small: The small number.

    Raises:
        PositionError: The report is a forecast.
    """
    if report.position.forecast:
        raise PositionError("as_known_on", NOT_KNOWN)
    if name != FOI:
        return
    if report.filters:
        raise RuleError(NO_FILTERS)
    if not report.viewer_scope.everyone:
        raise RuleError(WHOLE_FORCE)
    if report.figures.assigned < 2 * small:
        raise RuleError(TOO_FEW)


def pack_name(report: CompletionReport, name: str) -> str:
    """The name under which a pack is downloaded: directive, kind, day and filters."""
    kind, _, form = name.rpartition(".")
    return file_name(report, form, kind)


def audit_detail(name: str, rows: int, sha256: str) -> dict[str, Any]:
    """What the audit trail keeps of a pack, beside what it keeps of every file."""
    return {"shape": name.rpartition(".")[0], "rows": rows, "sha256": sha256}


# A pack as one ZIP: the same files give the same bytes, with a manifest of their hashes.

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the only date of an entry: a ZIP has no time zones
_READABLE = 0o100644 << 16  # an ordinary file that everyone may read
_UNIX = 3
_PIECE = 1 << 20


class PackFile(NamedTuple):
    """One file of a pack, which is in the scratch folder under its own name."""

    name: str
    contents: str  # what it contains, in words


def write_archive(folder: Path, files: Sequence[PackFile], about: dict[str, Any], target: Path) -> str:
    """Write the files with ``manifest.json`` and ``SHA256SUMS``, the hashes as ``sha256sum`` reads them.

    Args:
        folder: Where the files are.
        files: The files, in the order of the archive.
        about: What the manifest says of the pack, before its list of files.
        target: The archive.

    Returns:
        The SHA-256 of the archive.
    """
    entries = [
        {
            "name": file.name,
            "contents": file.contents,
            "bytes": (folder / file.name).stat().st_size,
            "sha256": hash_file(folder / file.name),
        }
        for file in files
    ]
    manifest = json.dumps({**about, "files": entries}, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(f"{manifest}\n", encoding="utf-8", newline="\n")
    names = [*(file.name for file in files), MANIFEST]
    sums = "".join(f"{hash_file(folder / name)}  {name}\n" for name in names)
    (folder / SUMS).write_text(sums, encoding="utf-8", newline="\n")
    with zipfile.ZipFile(target, "w") as archive:
        for name in (*names, SUMS):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, _UNIX
            entry.external_attr = _READABLE
            with (folder / name).open("rb") as source, archive.open(entry, "w") as packed:
                shutil.copyfileobj(source, packed, _PIECE)
    return hash_file(target)


def write_small_table(path: Path, heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    """Write a CSV file of a few rows, in which no text can run as a formula."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(heads)
        writer.writerows(
            [disarm_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
        )


def hash_file(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in _read_pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def _read_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


# What a pack says of itself in words: its read-me file, its definitions, and how it is checked.

ROUNDED_NUMBERS = "Rounded numbers"  # the term of definitions that say how numbers are rounded
_WIDTH = 90  # characters of a line of the read-me file
Definitions = list[tuple[str, str]]

STATUS_MEANINGS = {
    Status.OVERDUE: "Not completed, and the due date has passed.",
    Status.EXPIRED: "Completed once, but it no longer counts, and the due date has passed.",
    Status.NOT_STARTED: "Not started, and not yet due.",
    Status.IN_PROGRESS: "Started, not completed, and not yet due.",
    Status.EXPIRING: "Completed; it still counts, but stops counting soon.",
    Status.SATISFIED: "Completed, and it counts.",
    Status.DEFERRED: "Need not complete it for now: a later due date was decided. Not counted.",
    Status.EXEMPT: "Need not complete it. Not counted.",
}


def status_definitions() -> Definitions:
    """What each status means."""
    return [(f"Status {status.label}", meaning) for status, meaning in STATUS_MEANINGS.items()]


def time_definitions(position: Position) -> Definitions:
    """What both times of a pack mean."""
    times = position.pinned
    return [
        ("As at", f"{times['as_at']}. Positions are counted at the end of this day, UK time."),
        ("As known on", f"{times['as_known_on']}. No record entered later is used."),
    ]


def foi_definitions(report: CompletionReport, tables: FoiTables, small: int) -> Definitions:
    """The definitions of an FOI pack; every number of people in them is rounded as in its tables."""
    directive = report.directive
    rule = f"{sentences.due_rule(directive)}. {sentences.validity_sentence(directive)}"
    groups = [
        (f"Group {group.label}", f"{' or '.join(status.label.lower() for status in group.statuses)}.")
        for group in GROUPS
    ]
    return [
        ("Directive", f"{directive.reference}: {directive.title}"),
        ("Recommendation", directive.source),
        ("Rule", f"Version {directive.version_number}: {rule}"),
        ("Answer", foi_headline(report, tables, small)),
        *time_definitions(report.position),
        ("Complete", "A person is complete when every requirement is."),
        ("Counted", "Everybody to whom the directive applied and who was neither exempt nor deferred."),
        (
            "Percentage",
            "Of those counted, or of everyone, as it says; worked out from rounded numbers, so about right.",
        ),
        *groups,
        *status_definitions(),
        *((ROUNDED_NUMBERS, sentence) for sentence in rounding_sentences(tables, small)),
    ]


def foi_headline(report: CompletionReport, tables: FoiTables, small: int) -> str:
    """The answer, by rounded numbers alone."""
    day, multiple = say.date(report.position.as_at), f"rounded to a multiple of {small}"
    people = say.plural(tables.people, "person", "people")
    if not tables.counted:
        return f"On {day}, {report.directive.reference} applied to about {people}, {multiple}"
    percent = say.percent_cut(tables.complete, tables.counted)
    counted = say.plural(tables.counted, "person", "people")
    return f"On {day}, about {percent} were complete: {say.number(tables.complete)} of {counted}, {multiple}"


def rounding_sentences(tables: FoiTables, small: int) -> list[str]:
    """How the numbers of an FOI pack are rounded, and why, for whoever reads them."""
    merged = [table.title.removeprefix("People by ") for table in tables.tables if table.merged]
    return [
        f"Every number of people is rounded to a multiple of {small}, up or down, so that nobody can tell "
        f"that a number is from 1 to {small - 1}. It is seldom {small} or more from the truth.",
        f"0 stands for 0 to {small - 1}. A number is more often rounded to the nearer multiple, not always.",
        "Numbers add up: each total is the sum of its rounded parts, and is the same in every table. The "
        "method is called controlled rounding.",
        "The same number of the same people is rounded alike in each pack, wherever the sums allow it.",
        *(
            [
                f"Groups of fewer than {2 * small} people are not named: they are in the rows that begin "
                f"with “Other”. This is so in the tables by {_list_words(merged)}."
            ]
            if merged
            else []
        ),
        *tables.left_out,
        "Percentages are worked out from rounded numbers, and cut to whole per cents.",
        "Reasons for exemptions and deferrals are not given. No name, staff number or date about one "
        "person is in this pack.",
        f"This pack counts the whole force. A difference between two packs is a multiple of {small} too: it "
        "does not show that so many people changed. Not prevented: who has two packs of this directive, and "
        "knows that exactly one person of one unit changed between them, can sometimes tell how.",
    ]


def _list_words(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def readme_text(kind: str, report: CompletionReport, paragraphs: Iterable[str], files: list[PackFile]) -> str:
    """The read-me file of a directive's pack: what the pack is, of which times, and how to check it."""
    directive = report.directive
    subject = f"{directive.reference}: {directive.title}"
    return describe_pack(f"{kind}, {directive.reference}", subject, report.position, paragraphs, files)


def describe_pack(
    heading: str, subject: str, position: Position, paragraphs: Iterable[str], files: Sequence[PackFile]
) -> str:
    """The read-me file of any pack: what it is, of which times, what is in it, and how to check it.

    Args:
        heading: What it is.
        subject: What it is about.
        position: Its two times.
        paragraphs: What is to be said of it.
        files: What is in it, this file aside.
    """
    known = position.pinned["as_known_on"]
    lines = [
        heading,
        "=" * len(heading),
        "",
        *textwrap.wrap(subject, _WIDTH),
        f"{sentences.both_times(position)}.",
        f"Records entered after {known} are not used.",
        "",
        *(line for paragraph in paragraphs for line in (*textwrap.wrap(paragraph, _WIDTH), "")),
        "What is in it",
        "-------------",
        *(f"{file.name}: {file.contents}" for file in files),
        f"{MANIFEST}: this list with sizes and hashes, for programs.",
        f"{SUMS}: the SHA-256 hash of each file.",
        "",
        "How to check that nothing was changed",
        "-------------------------------------",
        "Unpack the ZIP, open a terminal in its folder, and type:",
        f"  Linux:    sha256sum -c {SUMS}",
        f"  macOS:    shasum -a 256 -c {SUMS}",
        "  Windows:  Get-FileHash *    (PowerShell; compare with the file by eye)",
        'Each file is "OK" if it is as it was when the pack was made. Whoever gave you the pack can tell you',
        "the SHA-256 of the ZIP itself: the portal's audit trail keeps it. The portal makes the same pack",
        "again from the same two times.",
    ]
    return "\n".join(lines) + "\n"


# The summaries of packs as tagged PDF; the same pack gives the same bytes.


def inspection_summary(report: CompletionReport, definitions: Definitions, *, force: str) -> bytes:
    """The summary of an inspection pack: the answer, its definition, and every table of the report's page."""
    markup = [*definition_markup(report), *status_table(report), *units_table(report)]
    if not report.lists_some:
        markup += _group_table("By requirement", "Requirement", _requirement_lines(report))
        markup += _group_table("By rank or grade", "Rank or grade", report.ranks)
        markup += _group_table("By designated role", "Role", report.roles)
    markup += definition_table(definitions)
    return _typeset(report, sentences.headline(report), markup, force)


def foi_summary(
    report: CompletionReport, tables: FoiTables, definitions: Definitions, *, force: str
) -> bytes:
    """The summary of an FOI pack: how its numbers are rounded, its tables, and its definitions."""
    rounded = [text for name, text in definitions if name == ROUNDED_NUMBERS]
    markup = [f"{text_content(f'{sentences.both_times(report.position)}.')}\n", "#list("]
    markup += [f"[{text_content(text)}]," for text in rounded]
    markup += [")", *(line for table in tables.tables for line in _pack_table(table))]
    markup += definition_table([line for line in definitions if line[0] != ROUNDED_NUMBERS])
    return _typeset(report, dict(definitions)["Answer"], markup, force)


def _typeset(report: CompletionReport, title: str, markup: Sequence[str], force: str) -> bytes:
    directive, position = report.directive, report.position
    return typeset_pdf(
        "\n".join(markup),
        title=title,
        above=f"{force} · {directive.reference} · {directive.title}",
        foot=f"{directive.reference}. {sentences.both_times(position)}.",
        author=force,
        at=position.as_known_on,
        across=True,
    )


def _requirement_lines(report: CompletionReport) -> list[GroupLine]:
    """How many of the counted people have completed each requirement."""
    counts = report.group.requirements
    lines = []
    for requirement in report.directive.requirements:
        share: Share = share_of_group(counts.get(requirement.position, {}))
        lines.append(GroupLine(requirement.title, share.done, share.total))
    return lines


def _group_table(heading: str, head: str, lines: Sequence[GroupLine | UnitLine]) -> list[str]:
    if not lines:
        return []
    return [f"== {text_content(heading)}", *report_pdf.unit_table(lines, head=head)]


def _pack_table(table: PackTable) -> list[str]:
    """The table, with numbers to the right."""
    right = [any(isinstance(row[place], int) for row in table.rows) for place in range(len(table.columns))]
    heads = ", ".join(f"[{text_content(column.label)}]" for column in table.columns)
    rows = [
        "".join(f"{_cell(value, right=side)}, " for value, side in zip(row, right, strict=True))
        for row in table.rows
    ]
    return [
        f"== {text_content(table.title)}",
        f"#table(columns: {len(table.columns)}, table.header({heads}),",
        *rows,
        ")",
    ]


def _cell(value: str | int, *, right: bool) -> str:
    content = f"[{text_content(say.number(value) if isinstance(value, int) else value)}]"
    return f"table.cell(align: right){content}" if right else content


def definition_table(definitions: Definitions) -> list[str]:
    """The definitions under a heading."""
    rows = [f"[{text_content(name)}], [{text_content(text)}]," for name, text in definitions]
    head = f"table.header([{text_content('Term')}], [{text_content('Meaning')}]),"
    return [f"== {text_content('Definitions')}", "#table(columns: (1fr, 3fr),", head, *rows, ")"]


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
    fits = report.shown.rows <= completion_files.SHEET_ROWS
    completion_files.write_csv(_report_rows(report, done), folder / rows.name, report.columns)
    if fits:
        with (folder / sheet.name).open("wb") as file:
            completion_files.write_xlsx(
                report.rows(),
                file,
                report,
                report.columns,
                scratch=str(folder),
                created=report.position.as_known_on,
            )
    completion_files.write_json(report.rows(), folder / records.name, report, report.columns)
    definitions = [*definition_lines(report), *status_definitions()]
    (folder / SUMMARY.name).write_bytes(inspection_summary(report, status_definitions(), force=force))
    write_small_table(folder / DEFINITIONS.name, ("term", "meaning"), definitions)
    write_small_table(
        folder / DICTIONARY.name,
        completion_files.DICTIONARY,
        completion_files.dictionary_lines(report.columns),
    )
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
    text = readme_text(kind, report, paragraphs, files)
    (folder / README).write_text(text, encoding="utf-8", newline="\n")
    return [PackFile(README, "this text"), *files]


def _write_foi_files(report: CompletionReport, folder: Path, force: str, small: int) -> list[PackFile]:
    tables = make_report_tables(report, small)
    definitions = foi_definitions(report, tables, small)
    (folder / SUMMARY.name).write_bytes(foi_summary(report, tables, definitions, force=force))
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
        f"{foi_headline(report, tables, small)}.",
        "How to read the numbers:",
        *(f"- {sentence}" for sentence in rounding_sentences(tables, small)),
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
    path: Path, report: CompletionReport, tables: FoiTables, definitions: Definitions
) -> None:
    """A workbook with a sheet for each table, the definitions and the columns."""
    import xlsxwriter  # 2 MiB, for the process that writes files

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
