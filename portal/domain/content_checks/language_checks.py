"""Checks the language of lessons, job aids and guides: plain words, dated law, spelled-out abbreviations."""

import re
from collections.abc import Collection, Iterator

from portal.domain.content_checks import metrics
from portal.platform.formats.faults import Fault

MAX_GRADE = 9.0
# Abbreviations that every reader knows, so that spelling them out would only get in the way.
KNOWN_ABBREVIATIONS = frozenset("UK EU HM ID PC DC CCTV SIM GPS".split())

_DATE = re.compile(
    r"\b(?:\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}(?:st|nd|rd|th)(?: of)? [A-Z][a-z]{2,8})\b"
)
_LINK_ADDRESS = re.compile(r"\]\([^()\s]*\)")
_HEADING = re.compile(r"(#{1,6})[ \t]+\S")
_PLATE = re.compile(r"\b[A-Z]{2}\d{2} ?[A-Z]{3}\b")
_ABBREVIATION = re.compile(r"\b([A-Z]{2,})s?\b(?!/)")
_LAW = re.compile(r"\b(?:sections?|ss?\.) ?\d+[A-Z]?\b")
_ACT = re.compile(r"\bAct \d{4}\b|\b\d{4} Act\b|\bPACE\b")
_AS_AT = re.compile(r"\bas at \d{1,2} [A-Z][a-z]+ \d{4}\b", re.IGNORECASE)


def check_plain_language(path: str, body: str, first_line: int) -> Iterator[Fault]:
    """Check reading grade, dates and headings of a text that begins at ``first_line`` of its file."""
    grade = metrics.reading_grade(body)
    if grade is not None and grade > MAX_GRADE:
        reason = f"The text reads at grade {grade:g}. Shorten sentences and words to {MAX_GRADE:g} or lower."
        yield Fault(path, first_line, reason)
    rows = body.split("\n")
    for number, row in enumerate(rows, first_line):
        if match := _DATE.search(_LINK_ADDRESS.sub("]", row)):
            reason = f"“{match[0]}” is not how dates are written here. Write them as “30 April 2026”."
            yield Fault(path, number, reason)
    yield from _check_empty_sections(path, rows, first_line)
    yield from _check_heading_levels(path, rows, first_line)


def check_law_references(path: str, body: str, first_line: int) -> Iterator[Fault]:
    """Check that law is quoted with its Act, and with the day on which it was read."""
    text = metrics.prose_of(body)
    match = _LAW.search(text)
    if match is None:
        return
    line = _line_of_words(body, match[0], first_line)
    if not _ACT.search(text):
        yield Fault(path, line, f"“{match[0]}” is quoted without its Act. Name the Act and its year.")
    if not _AS_AT.search(text):
        reason = (
            f"“{match[0]}” is quoted without a date. Write “as at” and the day on which the law was read."
        )
        yield Fault(path, line, reason)


def check_abbreviations(
    path: str, body: str, first_line: int, glossary: Collection[str], *, links: bool = False
) -> Iterator[Fault]:
    """Check that the text spells out each abbreviation once, and that the glossary has it.

    Args:
        path: The path of the file.
        body: The text.
        first_line: The line of the file on which it begins.
        glossary: The keys of the glossary's terms.
        links: Whether a link to the glossary is enough, as in the narrow tables of a guide.
    """
    text = _PLATE.sub("", metrics.prose_of(body))
    for letters in dict.fromkeys(_ABBREVIATION.findall(text)):
        if letters in KNOWN_ABBREVIATIONS:
            continue
        line = _line_of_words(body, letters, first_line)
        is_linked = links and f"(term:{letters})" in body
        if not is_linked and not re.search(rf"\({letters}s?\b|\b{letters}s? \(", text):
            reason = f"“{letters}” is not spelled out. Write it in full once, followed by ({letters})."
            yield Fault(path, line, reason)
        if letters not in glossary:
            reason = f"“{letters}” is not in _glossary.toml. Add the term, or write its words."
            yield Fault(path, line, reason)


def _line_of_words(body: str, words: str, first_line: int) -> int:
    return first_line + body.count("\n", 0, max(body.find(words), 0))


def _check_empty_sections(path: str, rows: list[str], first_line: int) -> Iterator[Fault]:
    """Yield headings that are followed by the end, or by a heading of the same level or above."""
    written_rows = [(number, row) for number, row in enumerate(rows, first_line) if row.strip()]
    for (number, row), (_, next_row) in zip(written_rows, [*written_rows[1:], (0, "# ")], strict=True):
        heading, next_heading = _HEADING.match(row), re.match(r"(#{1,6})[ \t]", next_row)
        if heading and next_heading and len(next_heading[1]) <= len(heading[1]):
            reason = "There is nothing below this heading. Write something, or remove it."
            yield Fault(path, number, reason)


def _check_heading_levels(path: str, rows: list[str], first_line: int) -> Iterator[Fault]:
    """Yield headings more than one level below the previous one, which confuses screen readers.

    The page's own title counts as a heading “#” before the first, unless the text has headings of that level.
    """
    previous_level = 0 if any(row.startswith("# ") for row in rows) else 1
    for number, row in enumerate(rows, first_line):
        if heading := _HEADING.match(row):
            level = len(heading[1])
            if level > previous_level + 1:
                marks = "#" * (previous_level + 1)
                yield Fault(path, number, f"This heading skips a level. Write {marks} before it.")
            previous_level = level
