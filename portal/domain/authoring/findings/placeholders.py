"""Finds placeholder text that an author has not replaced, so that learners never see it. Pure functions."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

from portal.domain.authoring.editing import boilerplate, case_file, details, item_bank, lesson
from portal.domain.authoring.snippets import SNIPPETS
from portal.domain.catalogue.sources.guide_source import GuideSource
from portal.domain.catalogue.sources.items import ItemText
from portal.domain.catalogue.sources.module_source import Package, PageSource
from portal.domain.content_checks.metrics import choices_of

MIN_LINE_WORDS = 4  # shorter lines are not recognised as placeholders
_WORD = re.compile(r"[A-Za-z]{2,}")


@cache
def _template_lines() -> frozenset[str]:
    """Lines of the lesson, job aid and guide templates and of the snippets."""
    folder = boilerplate.template_folder("new", "New", "Owner", date(2026, 1, 1))
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
    """The aim, the outcomes and the question texts of the module template."""
    folder = boilerplate.template_folder("new", "New", "Owner", date(2026, 1, 1))
    module_details = details.read_details(folder["module.toml"])
    texts = {module_details.aim, *(text for _, text in module_details.outcomes)}
    for item in item_bank.read_items(folder):
        texts |= {item.table["prompt"], item.table["explanation"]}
        for choice in item.table["choice"]:
            texts |= {choice["text"], choice["feedback"]}
    return frozenset(texts)


def module_placeholders(package: Package) -> Iterator[tuple[str, str, int | None]]:
    """Each place with placeholder text: the place, the first such text and its line in the place's text."""
    for text in (package.aim, *(outcome.text for outcome in package.outcomes)):
        if text in _template_texts():
            yield "details", text, None
    for page in package.lessons:
        if page.case is not None:
            yield from _first_case_placeholder(f"lesson:{page.key}", page)
            continue
        yield from _first_placeholder(f"lesson:{page.key}", page)
    for key, sheet in package.sheets.items():
        yield from _first_placeholder(key, sheet)
    for item in package.items:
        text = next((text for text in _item_texts(item) if text in _template_texts()), "")
        if text:
            yield f"item:{item.key}", text, None


def guide_placeholders(guide: GuideSource) -> Iterator[tuple[str, str, int | None]]:
    """Placeholder text in a guide, whose only place is its text."""
    if guide.summary == boilerplate.GUIDE_SUMMARY:
        yield "text", guide.summary, None
    yield from _first_placeholder("text", guide)


def _first_placeholder(place: str, page: PageSource | GuideSource) -> Iterator[tuple[str, str, int | None]]:
    rows = enumerate((row.strip() for row in page.body.split("\n")), 1)
    placeholder = next(((row, number) for number, row in rows if row in _template_lines()), None)
    if placeholder:
        yield place, *placeholder


def _first_case_placeholder(place: str, page: PageSource) -> Iterator[tuple[str, str, int | None]]:
    rows = (row.strip() for row in page.body.split("\n"))
    if text := next((row for row in rows if row in case_file.template_texts()), ""):
        yield place, text, None


def _item_texts(item: ItemText) -> Iterator[str]:
    yield from (item.prompt, item.explanation)
    for choice in choices_of(item):
        yield from (choice.text, choice.feedback)
