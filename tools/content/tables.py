"""Tables of the measures of modules and guides, in Markdown for ``docs/modules.md``. Pure functions."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from portal.domain.catalogue.law import act_of_source, list_named_acts
from portal.domain.catalogue.module_source import Package
from portal.domain.catalogue.other_sources import CheckedGuide
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.source_files import SourceText, parse_shared
from portal.domain.content_checks import metrics
from portal.domain.content_checks.checks import lesson_figures, read_figures
from portal.domain.content_checks.legal_statements import LegalStatement, list_statements
from portal.domain.item_kinds import kinds_by_name
from portal.platform.formats.toml_tables import Faults
from portal.platform.wording import date as date_words

BEGIN = "<!-- written by: make metrics-table -->"
END = "<!-- end of what is written -->"

Row = Sequence[object]


def format_tables(folder: CheckedFolder) -> str:
    """Format every table, each under its heading."""
    packages = [checked.package for checked in folder.modules]
    parts = [
        "### All modules",
        _format_table(_MODULE_HEADERS, [_module_row(package) for package in packages]),
        "### Minutes of each path, with one assessment",
        _format_table(("Module, and for whom", "Lessons", "Minutes"), _path_rows(packages)),
    ]
    for package in packages:
        parts += [f"### Items of {package.key}", _format_table(*_item_table(package))]
    if folder.guides:
        headers = ("Guide", "Words", "Minutes", "Figures", "Reading grade")
        parts += ["### Guides", _format_table(headers, [_guide_row(guide) for guide in folder.guides])]
    return "\n\n".join(parts)


def insert_tables(document: str, tables: str) -> str:
    """Replace the text between the document's two marks by the tables.

    Raises:
        ValueError: The document lacks a mark.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"Put the lines {BEGIN} and {END} where the tables belong.")
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


_MODULE_HEADERS = (
    "Module",
    "Lessons",
    "of them cases",
    "Words",
    "Minutes",
    "Figures",
    "Items",
    "Right choice is the longest",
    "Reading grade",
    "Hardest lesson",
)


def _module_row(package: Package) -> Row:
    measures = metrics.measure_module(package)
    bank = measures.bank
    share = round(100 * bank.longest_right / bank.items) if bank.items else 0
    grades = [metrics.reading_grade(lesson.body) for lesson in package.lessons]
    return (
        package.key,
        len(package.lessons),
        sum(lesson.case is not None for lesson in package.lessons),
        f"{measures.words:,}",
        f"{measures.minutes:.1f}",
        len({figure.medium for figure in lesson_figures(package)}),
        sum(not item.retired for item in package.items),
        f"{bank.longest_right} of {bank.items} ({share} %)",
        _grade_text(measures.grade),
        _grade_text(max((grade for grade in grades if grade is not None), default=None)),
    )


def _path_rows(packages: Iterable[Package]) -> Iterator[Row]:
    for package in packages:
        for name, minutes in metrics.measure_module(package).minutes_by_path.items():
            yield f"{package.key}, {name}", len(metrics.list_paths(package)[name]), f"{minutes:.1f}"


def _item_table(package: Package) -> tuple[Row, list[Row]]:
    """The headers and rows of a bank by outcome and kind, without retired items."""
    counts = Counter((item.outcome, item.kind.name) for item in package.items if not item.retired)
    kinds = [name for name in kinds_by_name() if any(kind == name for _, kind in counts)]
    outcomes = [outcome.key for outcome in package.outcomes]
    rows: list[Row] = [(key, *_count_by_kind(counts, [key], kinds)) for key in outcomes]
    return ("Outcome", *kinds, "All"), [*rows, ("All", *_count_by_kind(counts, outcomes, kinds))]


def _count_by_kind(
    counts: Counter[tuple[str, str]], outcomes: Sequence[str], kinds: Sequence[str]
) -> Iterator[int]:
    """The number of these outcomes' items of each kind, then their sum."""
    kind_counts = [sum(counts[outcome, kind] for outcome in outcomes) for kind in kinds]
    yield from kind_counts
    yield sum(kind_counts)


def _guide_row(checked: CheckedGuide) -> Row:
    guide = checked.guide
    measures = metrics.measure_text(guide.body)
    media = {figure.medium for figure in read_figures(guide.body, guide.path, guide.body_line)}
    return (
        guide.key,
        f"{measures.words:,}",
        f"{measures.minutes:.1f}",
        len(media),
        _grade_text(measures.grade),
    )


def _grade_text(grade: float | None) -> str:
    return "none" if grade is None else f"{grade:.1f}"


def _format_table(headers: Row, rows: Iterable[Row]) -> str:
    """Format rows below their headers; all columns but the first are numbers."""
    lines = [headers, ["---", *["---:"] * (len(headers) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in lines)


# Formats the legal review sheet: every statement of law of each module, with room for a solicitor. Pure.

_HEAD = """# Legal review

First every statement that names an Act or a section, by Act, with the day up to which the text
that was read was amended; that is what a force's solicitor ticks before the modules are used,
with a name and a date in the row. Then every other statement of a power, a duty, a number or a
date. The mark belongs to the words: when an author changes them, the row is a new one, and its
boxes are empty again. Names and dates of other rows are kept.

Written by `make legal-review`; a test says when it is stale. In the column of sources are the
numbers of `modules/_sources.toml`; *practice* is settled good practice without a source of law, and
**none** asks the author to name one.
"""
_ROW = re.compile(r"\| `([0-9a-f]{8})` \|.*\| ([^|]*) \| ([^|]*) \|")
_COLUMNS = ("Mark", "Statement", "Where", "Source", "Solicitor", "Date")
_NO_ACT = "Names a section, but no text of an Act is among its sources"


def format_sheet(folder: CheckedFolder, old_sheet: str = "") -> str:
    """Format the sheet of all modules; names and dates of ``old_sheet`` stay with unchanged words."""
    signed = {match[1]: (match[2].strip(), match[3].strip()) for match in _ROW.finditer(old_sheet)}
    sources = parse_shared(folder.shared, Faults()).sources
    rows_by_act: dict[str, list[str]] = {}
    other_rows: dict[str, list[str]] = {}
    for checked in folder.modules:
        title = checked.package.title
        for each in list_statements(checked.package, sources):
            row = _format_row(each, title.partition(":")[0], signed)
            if each.names_law:
                rows_by_act.setdefault(_act_of(each, sources), []).append(row)
            else:
                other_rows.setdefault(title, []).append(row)
    count = sum(map(len, rows_by_act.values()))
    parts = [_HEAD, f"\n## Law, by Act\n\n{count} statements.\n"]
    for act, rows in sorted(rows_by_act.items()):
        parts += [f"\n### {act}\n", *_ages_of(act, sources), "", *_SHEET_HEAD, *rows]
    parts.append("\n## Other powers, duties, numbers and dates\n")
    for title, rows in other_rows.items():
        parts += [f"\n### {title}\n\n{len(rows)} statements.\n", *_SHEET_HEAD, *rows]
    return "\n".join(parts) + "\n"


_SHEET_HEAD = (f"| {' | '.join(_COLUMNS)} |", f"|{' --- |' * len(_COLUMNS)}")


def _act_of(statement: LegalStatement, sources: Mapping[str, SourceText]) -> str:
    """The Act of a statement: of those that it names the first, else of those of its sources."""
    acts = [act for n in statement.sources if n in sources and (act := act_of_source(sources[n]))]
    named = [act for act in acts if any(name.endswith(act) for name in list_named_acts(statement.text))]
    return next(iter(named + acts), _NO_ACT)


def _ages_of(act: str, sources: Mapping[str, SourceText]) -> Iterator[str]:
    """The rows of a table of the texts of an Act that were read, with their dates."""
    yield from ("| Source | Text that was read | As at | Check live |", "| --- | --- | --- | --- |")
    for source in sources.values():
        if act_of_source(source) == act:
            age = date_words(source.text_as_at) if source.text_as_at else "no date"
            yield f"| {source.number} | {source.title} | {age} | {source.check_live} |"


def _format_row(statement: LegalStatement, module: str, signed: dict[str, tuple[str, str]]) -> str:
    name, date = signed.get(statement.mark, ("", ""))
    source = ", ".join("*practice*" if each == "practice" else each for each in statement.sources)
    place = f"{module}, {statement.place}"
    cells = (f"`{statement.mark}`", statement.text, place, source or "**none**", name, date)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
