"""What the brief asks of the words of a lesson, a job aid or a guide: plain, dated, spelled out."""

import re
from collections.abc import Collection, Iterator

from portal.domain.content_checks import metrics
from portal.platform.formats.faults import Fault

HIGHEST_GRADE = 9.0
# What every officer and every reader says as letters, so that spelling it out would be in the way.
SAID_AS_LETTERS = frozenset("UK EU HM ID PC DC CCTV SIM GPS".split())

_DATE = re.compile(
    r"\b(?:\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}(?:st|nd|rd|th)(?: of)? [A-Z][a-z]{2,8})\b"
)
_ADDRESS = re.compile(r"\]\([^()\s]*\)")
_HEADING = re.compile(r"(#{1,6})[ \t]+\S")
_PLATE = re.compile(r"\b[A-Z]{2}\d{2} ?[A-Z]{3}\b")
_LETTERS = re.compile(r"\b([A-Z]{2,})s?\b(?!/)")
_LAW = re.compile(r"\b(?:sections?|ss?\.) ?\d+[A-Z]?\b")
_ACT = re.compile(r"\bAct \d{4}\b|\b\d{4} Act\b|\bPACE\b")
_AS_AT = re.compile(r"\bas at \d{1,2} [A-Z][a-z]+ \d{4}\b", re.IGNORECASE)


def plain(path: str, body: str, first: int) -> Iterator[Fault]:
    """Reading grade, dates and headings of a text whose first line is number ``first`` of its file."""
    grade = metrics.reading_grade(body)
    if grade is not None and grade > HIGHEST_GRADE:
        reason = (
            f"The text reads at grade {grade:g}. Shorten sentences and words to {HIGHEST_GRADE:g} or lower."
        )
        yield Fault(path, first, reason)
    rows = body.split("\n")
    for number, row in enumerate(rows, first):
        if found := _DATE.search(_ADDRESS.sub("]", row)):
            reason = f"“{found[0]}” is not how dates are written here. Write them as “30 April 2026”."
            yield Fault(path, number, reason)
    yield from _empty_sections(path, rows, first)
    yield from _skipped_levels(path, rows, first)


def law(path: str, body: str, first: int) -> Iterator[Fault]:
    """Law that is quoted without its Act, or without the day on which it was read."""
    text = metrics.plain(body)
    found = _LAW.search(text)
    if found is None:
        return
    line = _line(body, found[0], first)
    if not _ACT.search(text):
        yield Fault(path, line, f"“{found[0]}” is quoted without its Act. Name the Act and its year.")
    if not _AS_AT.search(text):
        reason = (
            f"“{found[0]}” is quoted without a date. Write “as at” and the day on which the law was read."
        )
        yield Fault(path, line, reason)


def abbreviations(
    path: str, body: str, first: int, glossary: Collection[str], *, links: bool = False
) -> Iterator[Fault]:
    """Abbreviations that the text does not spell out once, or that the glossary lacks.

    Args:
        path: Of the file.
        body: The text.
        first: The number of its first line.
        glossary: Keys of its terms.
        links: Whether a link to the glossary will do, as in the narrow tables of a guide.
    """
    text = _PLATE.sub("", metrics.plain(body))
    for letters in dict.fromkeys(_LETTERS.findall(text)):
        if letters in SAID_AS_LETTERS:
            continue
        line = _line(body, letters, first)
        linked = links and f"(term:{letters})" in body
        if not linked and not re.search(rf"\({letters}s?\b|\b{letters}s? \(", text):
            reason = f"“{letters}” is not spelled out. Write its words once, with ({letters}) behind them."
            yield Fault(path, line, reason)
        if letters not in glossary:
            reason = f"“{letters}” is not in _glossary.toml. Add the term, or write its words."
            yield Fault(path, line, reason)


def _line(body: str, words: str, first: int) -> int:
    return first + body.count("\n", 0, max(body.find(words), 0))


def _empty_sections(path: str, rows: list[str], first: int) -> Iterator[Fault]:
    """Headings with nothing beneath them but the end or a heading of their own level or above."""
    filled = [(number, row) for number, row in enumerate(rows, first) if row.strip()]
    for (number, row), (_, after) in zip(filled, [*filled[1:], (0, "# ")], strict=True):
        heading, following = _HEADING.match(row), re.match(r"(#{1,6})[ \t]", after)
        if heading and following and len(following[1]) <= len(heading[1]):
            reason = "There is nothing beneath this heading. Write something, or take it out."
            yield Fault(path, number, reason)


def _skipped_levels(path: str, rows: list[str], first: int) -> Iterator[Fault]:
    """Headings more than one level below the one before them, which a screen reader cannot place.

    Above the first stands the page's own title: as “#”, unless the text itself begins its headings with that.
    """
    above = 0 if any(row.startswith("# ") for row in rows) else 1
    for number, row in enumerate(rows, first):
        if heading := _HEADING.match(row):
            level = len(heading[1])
            if level > above + 1:
                yield Fault(path, number, f"This heading skips a level. Write {'#' * (above + 1)} before it.")
            above = level
