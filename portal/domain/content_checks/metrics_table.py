"""Tables of the measures of modules and guides, in Markdown for ``docs/modules.md``. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.guide_source import CheckedGuide
from portal.domain.catalogue.sources.module_source import Package
from portal.domain.content_checks import metrics
from portal.domain.content_checks.figure_checks import lesson_figures, read_figures
from portal.domain.item_kinds import kinds_by_name

BEGIN = "<!-- written by: flask modules table -->"
END = "<!-- end of what is written -->"

Row = Sequence[object]


def format_tables(folder: CheckedFolder) -> str:
    """Format every table, each under its heading."""
    packages = [checked.package for checked in folder.modules]
    parts = [
        "### All modules",
        _format_table(_MODULE_HEADERS, [_module_row(package) for package in packages]),
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
