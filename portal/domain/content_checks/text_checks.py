"""Checks lessons, job aids and guides, and finds text that is still to be written in any file."""

import re
from collections.abc import Collection, Iterator
from datetime import date

from portal.domain.catalogue.sheet_pdf import count_a4_pages
from portal.domain.catalogue.sources.guide_source import GuideSource
from portal.domain.catalogue.sources.items import ItemText, read_check_item
from portal.domain.catalogue.sources.module_source import SHEET_NAMES, PageSource
from portal.domain.catalogue.sources.validation import RenderedPage
from portal.domain.content_checks import language_checks, metrics
from portal.platform.formats.faults import Fault, Faults
from portal.platform.formats.toml_tables import Source

MIN_WORDS, MAX_WORDS = 350, 600
MIN_MINUTES, MAX_MINUTES = 2.5, 4.0
MIN_CASE_MINUTES, MAX_CASE_MINUTES = 3.0, 12.0
TOLERANCE = 1.0  # minutes between the lesson's own figure and the estimate
MAX_SHEET_WORDS = 400
BRIEFING_HEADINGS = ["The case", "Two questions", "The answer"]

_PLACEHOLDER = re.compile(
    r"…|\.\.\.|\b(?:TODO|FIXME|TBC|TBD|XXX)\b|\blorem ipsum\b|\bto be confirmed\b|\[insert\b", re.IGNORECASE
)


def line_of(content: bytes, key: str) -> int | None:
    """The number of the line ``key = …`` in a file; None if there is none."""
    rows = content.decode("utf-8", "replace").split("\n")
    return next((n for n, row in enumerate(rows, 1) if re.match(rf"\s*{key}\s*=", row)), None)


def check_lesson(page: PageSource, content: bytes, glossary: Collection[str]) -> Iterator[Fault]:
    """Yield the faults of a lesson; ``content`` is its whole file."""
    measures = metrics.measure_text(page.body)
    if not MIN_WORDS <= measures.words <= MAX_WORDS:
        reason = f"The lesson has {measures.words} words. Write {MIN_WORDS} to {MAX_WORDS}."
        yield Fault(page.path, page.body_line, reason)
    if not MIN_MINUTES <= measures.minutes <= MAX_MINUTES:
        reason = f"The lesson takes {measures.minutes:.1f} minutes. Aim for {MIN_MINUTES} to {MAX_MINUTES:g}."
        yield Fault(page.path, page.body_line, reason)
    yield from _check_own_minutes(page, content, measures)
    if not metrics.ends_in_check(page):
        last_line = page.body_line + page.body.rstrip().count("\n")
        yield Fault(
            page.path, last_line, "The lesson does not end in a check. Write ::: check as its last part."
        )
    yield from language_checks.check_plain_language(page.path, page.body, page.body_line)
    yield from language_checks.check_law_references(page.path, page.body, page.body_line)
    yield from language_checks.check_abbreviations(page.path, page.body, page.body_line, glossary)


def check_case(page: PageSource, content: bytes, glossary: Collection[str]) -> Iterator[Fault]:
    """Yield the faults of a lesson that is a case; ``content`` is its whole file.

    Law is named in a case as an officer names it at night, without the day on which it was read; the lessons
    have that. ``glossary`` is not used, for the same reason.
    """
    measures = metrics.measure_page(page)
    if not MIN_CASE_MINUTES <= measures.minutes <= MAX_CASE_MINUTES:
        reason = (
            f"The case takes {measures.minutes:.1f} minutes. Aim for {MIN_CASE_MINUTES:g} to"
            f" {MAX_CASE_MINUTES:g}."
        )
        yield Fault(page.path, None, reason)
    yield from _check_own_minutes(page, content, measures)
    yield from language_checks.check_plain_language(page.path, page.body, page.body_line)


def _check_own_minutes(page: PageSource, content: bytes, measures: metrics.TextMeasures) -> Iterator[Fault]:
    if abs(measures.minutes - page.minutes) > TOLERANCE:
        reason = (
            f"The lesson says {page.minutes} minutes, but it takes about {measures.minutes:.1f}. Write"
            f" minutes = {round(measures.minutes)}."
        )
        yield Fault(page.path, line_of(content, "minutes"), reason)


def check_sheet(sheet: RenderedPage, module: str) -> Iterator[Fault]:
    """Yield the faults of a job aid or a briefing; it must fit on one side of A4 as the portal prints it.

    Args:
        sheet: The rendered page, without the force's settings.
        module: The module's title, printed above it.
    """
    page, name = sheet.page, SHEET_NAMES[sheet.page.key].lower()
    words = metrics.measure_text(page.body).words
    if words > MAX_SHEET_WORDS:
        yield Fault(
            page.path, page.body_line, f"The {name} has {words} words. Write {MAX_SHEET_WORDS} at most."
        )
    count = count_a4_pages(sheet.html, page.title, module)
    if count != 1:
        yield Fault(page.path, page.body_line, f"The {name} fills {count} pages. Shorten it to one.")
    if page.key == "briefing":
        yield from _check_briefing(page)
    yield from language_checks.check_plain_language(page.path, page.body, page.body_line)


def _check_briefing(page: PageSource) -> Iterator[Fault]:
    """Yield what keeps a briefing from being read out at parade: one case, two questions, the answer."""
    headings = re.findall(r"^## (.+?)[ \t]*$", page.body, re.MULTILINE)
    if headings != BRIEFING_HEADINGS:
        names = ", ".join(f"## {name}" for name in BRIEFING_HEADINGS)
        yield Fault(page.path, page.body_line, f"A briefing has these headings in this order: {names}.")
        return
    questions = page.body.partition(f"## {BRIEFING_HEADINGS[1]}")[2].partition("\n## ")[0]
    count = len(re.findall(r"^\d+\. ", questions, re.MULTILINE))
    if count != 2:
        yield Fault(
            page.path,
            page.body_line,
            f"A briefing asks two questions, as a list with numbers. It has {count}.",
        )


def check_guide(guide: GuideSource, content: bytes, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    """Yield the faults of a guide; ``content`` is its whole file. A review date before ``on`` is one."""
    if guide.review_on < on:
        line = line_of(content, "review_on")
        yield Fault(guide.path, line, "The review date has passed. Review the guide and set a new date.")
    yield from language_checks.check_plain_language(guide.path, guide.body, guide.body_line)
    yield from language_checks.check_law_references(guide.path, guide.body, guide.body_line)
    yield from language_checks.check_abbreviations(
        guide.path, guide.body, guide.body_line, glossary, links=True
    )


def check_placeholders(path: str, content: bytes) -> Iterator[Fault]:
    """Yield text that is still to be written; a force setting without a value is not a fault."""
    if not path.endswith((".toml", ".md", ".svg", ".vtt")):
        return
    for number, row in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        if match := _PLACEHOLDER.search(row):
            reason = f"“{match[0]}” looks like something still to be written. Complete it, or remove it."
            yield Fault(path, number, reason)


def read_checks(page: PageSource) -> Iterator[ItemText]:
    """Read the unscored items of a lesson."""
    rows = page.body.split("\n")
    for index, row in enumerate(rows):
        if re.fullmatch(r":::[ \t]*check[ \t]*", row.strip()):
            end = next((n for n in range(index + 1, len(rows)) if rows[n].strip() == ":::"), len(rows))
            text = "\n".join(rows[index + 1 : end])
            root = Source(text, page.path, Faults(), first_line=page.body_line + index + 1).root()
            item = read_check_item(root, page.path) if root is not None else None
            if item is not None:
                yield item
