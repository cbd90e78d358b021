"""What the brief asks of a lesson, a job aid and a guide, and what no file may still hold."""

import re
from collections.abc import Collection, Iterator
from datetime import date

from portal.domain.catalogue.job_aid_pdf import count_a4_pages
from portal.domain.catalogue.sources.guide_source import GuideSource
from portal.domain.catalogue.sources.items import ItemText, read_check_item
from portal.domain.catalogue.sources.module_source import PageSource
from portal.domain.catalogue.sources.validation import RenderedPage
from portal.domain.content_checks import language_checks, metrics
from portal.platform.formats.faults import Fault, Faults
from portal.platform.formats.toml_tables import Source

LEAST_WORDS, MOST_WORDS = 350, 600
LEAST_MINUTES, MOST_MINUTES = 2.5, 4.0
TOLERANCE = 1.0  # minutes between what a lesson says and what is counted
MOST_AID_WORDS = 400

_LEFT_OPEN = re.compile(
    r"…|\.\.\.|\b(?:TODO|FIXME|TBC|TBD|XXX)\b|\blorem ipsum\b|\bto be confirmed\b|\[insert\b", re.IGNORECASE
)


def line_of(content: bytes, key: str) -> int | None:
    """The line of a file on which ``key = …`` stands."""
    rows = content.decode("utf-8", "replace").split("\n")
    return next((n for n, row in enumerate(rows, 1) if re.match(rf"\s*{key}\s*=", row)), None)


def lesson(page: PageSource, content: bytes, glossary: Collection[str]) -> Iterator[Fault]:
    """Where a lesson falls short; ``content`` is its whole file."""
    found = metrics.of_text(page.body)
    if not LEAST_WORDS <= found.words <= MOST_WORDS:
        reason = f"The lesson has {found.words} words. Write {LEAST_WORDS} to {MOST_WORDS}."
        yield Fault(page.path, page.body_line, reason)
    if not LEAST_MINUTES <= found.minutes <= MOST_MINUTES:
        reason = f"The lesson takes {found.minutes:.1f} minutes. Aim at {LEAST_MINUTES} to {MOST_MINUTES:g}."
        yield Fault(page.path, page.body_line, reason)
    if abs(found.minutes - page.minutes) > TOLERANCE:
        reason = (
            f"The lesson says {page.minutes} minutes, and {found.minutes:.1f} are counted. Write"
            f" minutes = {round(found.minutes)}."
        )
        yield Fault(page.path, line_of(content, "minutes"), reason)
    if not metrics.ends_in_check(page):
        last = page.body_line + page.body.rstrip().count("\n")
        yield Fault(page.path, last, "The lesson does not end in a check. Write ::: check as its last part.")
    yield from language_checks.plain(page.path, page.body, page.body_line)
    yield from language_checks.law(page.path, page.body, page.body_line)
    yield from language_checks.abbreviations(page.path, page.body, page.body_line, glossary)


def job_aid(aid: RenderedPage, module: str) -> Iterator[Fault]:
    """Where a job aid falls short: it fits one side of A4 as the portal prints it, with nothing filled in."""
    page = aid.page
    words = metrics.of_text(page.body).words
    if words > MOST_AID_WORDS:
        reason = f"The job aid has {words} words. Write {MOST_AID_WORDS} at most."
        yield Fault(page.path, page.body_line, reason)
    yield from _one_sheet(aid, module)
    yield from language_checks.plain(page.path, page.body, page.body_line)


def _one_sheet(aid: RenderedPage, module: str) -> Iterator[Fault]:
    count = count_a4_pages(aid.html, aid.page.title, module)
    if count != 1:
        yield Fault(aid.page.path, aid.page.body_line, f"The job aid fills {count} pages. Shorten it to one.")


def guide(text: GuideSource, content: bytes, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    """Where a guide falls short; ``content`` is its whole file."""
    if text.review_on < on:
        line = line_of(content, "review_on")
        yield Fault(text.path, line, "The day of review has passed. Review the guide and set a new day.")
    yield from language_checks.plain(text.path, text.body, text.body_line)
    yield from language_checks.law(text.path, text.body, text.body_line)
    yield from language_checks.abbreviations(text.path, text.body, text.body_line, glossary, links=True)


def placeholders(path: str, content: bytes) -> Iterator[Fault]:
    """What is still to be written; a setting of the force that is not filled in is none."""
    if not path.endswith((".toml", ".md", ".svg", ".vtt")):
        return
    for number, row in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        if found := _LEFT_OPEN.search(row):
            reason = f"“{found[0]}” looks like something still to be written. Write it out, or take it away."
            yield Fault(path, number, reason)


def checks(page: PageSource) -> Iterator[ItemText]:
    """The unscored items of a lesson."""
    rows = page.body.split("\n")
    for at, row in enumerate(rows):
        if re.fullmatch(r":::[ \t]*check[ \t]*", row.strip()):
            end = next((n for n in range(at + 1, len(rows)) if rows[n].strip() == ":::"), len(rows))
            first = page.body_line + at + 1
            root = Source("\n".join(rows[at + 1 : end]), page.path, Faults(), first_line=first).root()
            item = read_check_item(root, page.path) if root is not None else None
            if item is not None:
                yield item
