"""Words of the template that were not written over, so that none of them reaches a learner. Pure."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

from portal.domain.authoring import boilerplate
from portal.domain.authoring.editing import details, item_bank, lesson, new_module
from portal.domain.authoring.snippets import SNIPPETS
from portal.domain.catalogue.sources.guide_source import GuideSource
from portal.domain.catalogue.sources.items import ItemText
from portal.domain.catalogue.sources.module_source import Package, PageSource
from portal.domain.content_checks.metrics import choices_of

MIN_LINE_WORDS = 4  # of a line that is taken for the template’s
_WORD = re.compile(r"[A-Za-z]{2,}")


@cache
def _template_lines() -> frozenset[str]:
    """Lines that a lesson or a box begins with."""
    folder = new_module.template_folder("new", "New", "Owner", date(2026, 1, 1))
    texts = [lesson.read_lesson(content).body for path, content in folder.items() if path.endswith(".md")]
    texts += [
        boilerplate.LESSON_TEXT,
        boilerplate.JOB_AID_TEXT,
        boilerplate.GUIDE_TEXT,
        *(box.template for box in SNIPPETS),
    ]
    rows = {row.strip() for text in texts for row in text.split("\n")}
    return frozenset(
        row for row in rows if len(_WORD.findall(row)) >= MIN_LINE_WORDS and row[:1] not in "#:["
    )


@cache
def _template_texts() -> frozenset[str]:
    """The aim, the outcomes and what the template's questions say."""
    folder = new_module.template_folder("new", "New", "Owner", date(2026, 1, 1))
    said = details.read_details(folder["module.toml"])
    found = {said.aim, *(text for _, text in said.outcomes)}
    for place in item_bank.read_items(folder):
        found |= {place.table["prompt"], place.table["explanation"]}
        for choice in place.table["choice"]:
            found |= {choice["text"], choice["feedback"]}
    return frozenset(found)


def module_placeholders(package: Package) -> Iterator[tuple[str, str, int | None]]:
    """Each place that still holds the template's words, with the first of them and their line in its text."""
    for text in (package.aim, *(outcome.text for outcome in package.outcomes)):
        if text in _template_texts():
            yield "details", text, None
    for each in package.lessons:
        yield from _first_placeholder(f"lesson:{each.key}", each)
    if package.job_aid:
        yield from _first_placeholder("job-aid", package.job_aid)
    for item in package.items:
        text = next((text for text in _item_texts(item) if text in _template_texts()), "")
        if text:
            yield f"item:{item.key}", text, None


def guide_placeholders(guide: GuideSource) -> Iterator[tuple[str, str, int | None]]:
    """The same of a guide, whose only place is its text."""
    if guide.summary == boilerplate.GUIDE_SUMMARY:
        yield "text", guide.summary, None
    yield from _first_placeholder("text", guide)


def _first_placeholder(place: str, page: PageSource | GuideSource) -> Iterator[tuple[str, str, int | None]]:
    rows = enumerate((row.strip() for row in page.body.split("\n")), 1)
    found = next(((row, number) for number, row in rows if row in _template_lines()), None)
    if found:
        yield place, *found


def _item_texts(item: ItemText) -> Iterator[str]:
    yield from (item.prompt, item.explanation)
    for choice in choices_of(item):
        yield from (choice.text, choice.feedback)
