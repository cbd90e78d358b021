"""The modules and guides in figures, as Markdown tables for ``docs/modules.md``. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.guide_source import CheckedGuide
from portal.domain.catalogue.sources.module_source import Package
from portal.domain.content_checks import metrics
from portal.domain.content_checks.figure_checks import of_lessons, shown
from portal.domain.item_kinds import kinds_by_name

BEGIN = "<!-- written by: flask modules table -->"
END = "<!-- end of what is written -->"

Row = Sequence[object]


def tables(reading: CheckedFolder) -> str:
    """Every table, each under its heading."""
    packages = [checked.package for checked in reading.modules]
    parts = ["### All modules", _table(_HEADS, [_module(package) for package in packages])]
    for package in packages:
        parts += [f"### Items of {package.key}", _table(*_items(package))]
    if reading.guides:
        heads = ("Guide", "Words", "Minutes", "Figures", "Reading grade")
        parts += ["### Guides", _table(heads, [_guide(guide) for guide in reading.guides])]
    return "\n\n".join(parts)


def between(text: str, written: str) -> str:
    """A document with the tables in place of what stood between its two marks.

    Raises:
        ValueError: The document lacks a mark.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"Put the lines {BEGIN} and {END} where the tables are to stand.")
    return f"{head}{begin}\n\n{written}\n\n{end}{tail}"


_HEADS = (
    "Module",
    "Lessons",
    "Words",
    "Minutes",
    "Figures",
    "Items",
    "Right choice is the longest",
    "Reading grade",
    "Hardest lesson",
)


def _module(package: Package) -> Row:
    whole = metrics.of_module(package)
    share = round(100 * whole.bank.longest / whole.bank.items) if whole.bank.items else 0
    grades = [metrics.reading_grade(lesson.body) for lesson in package.lessons]
    return (
        package.key,
        len(package.lessons),
        f"{whole.words:,}",
        f"{whole.minutes:.1f}",
        len({each.medium for each in of_lessons(package)}),
        sum(not item.retired for item in package.items),
        f"{whole.bank.longest} of {whole.bank.items} ({share} %)",
        _grade(whole.grade),
        _grade(max((grade for grade in grades if grade is not None), default=None)),
    )


def _items(package: Package) -> tuple[Row, list[Row]]:
    """A bank by outcome and kind, retired items aside."""
    held = Counter((item.outcome, item.kind.name) for item in package.items if not item.retired)
    used = [name for name in kinds_by_name() if any(kind == name for _, kind in held)]
    outcomes = [outcome.key for outcome in package.outcomes]
    rows: list[Row] = [(key, *_counts(held, [key], used)) for key in outcomes]
    return ("Outcome", *used, "All"), [*rows, ("All", *_counts(held, outcomes, used))]


def _counts(held: Counter[tuple[str, str]], outcomes: Sequence[str], used: Sequence[str]) -> Iterator[int]:
    counts = [sum(held[outcome, kind] for outcome in outcomes) for kind in used]
    yield from counts
    yield sum(counts)


def _guide(checked: CheckedGuide) -> Row:
    guide = checked.guide
    found = metrics.of_text(guide.body)
    drawn = {each.medium for each in shown(guide.body, guide.path, guide.body_line)}
    return guide.key, f"{found.words:,}", f"{found.minutes:.1f}", len(drawn), _grade(found.grade)


def _grade(grade: float | None) -> str:
    return "none" if grade is None else f"{grade:.1f}"


def _table(heads: Row, rows: Iterable[Row]) -> str:
    """Rows under their heads; all columns but the first are numbers."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in lines)
