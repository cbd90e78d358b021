"""Lists a module's statements of law, power, duty, number or date, each with place and sources. Pure."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.domain.catalogue.law import ACT, PACE, SHORT_ACT, remove_opening
from portal.domain.catalogue.module_source import SHEET_NAMES, Package, PageSource
from portal.domain.catalogue.source_files import PRACTICE, ItemText, SourceText
from portal.domain.content_checks import metrics
from portal.domain.content_checks.checks import read_checks

_REFERENCE = re.compile(
    r"\b(?:[Ss]ections?|ss?\.|[Pp]aragraphs?|paras?|Schedule|Sch\.) ?\d|\bAct \d{4}\b|\b\d{4} Act\b|\bPACE\b"
)
_POWER = re.compile(
    r"\b(?:powers?|dut(?:y|ies)|must|may not|lawful\w*|arrest(?:ed)?|detain\w*|detention|warrants?"
    r"|authoris\w*|authority|consent|inspectors?|superintendents?|constables?|no uniform)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,3}(?:,\d{3})+\b|\bunder \d+\b"
    r"|\b\d+ ?(?:°C|%|per cent|hours?|days?|weeks?|months?|years?|people|victims|deaths)\b"
)
_DAY_OF_READING = re.compile(r"\bas at \d{1,2} [A-Z][a-z]+ \d{4}", re.IGNORECASE)
_FORCE_DETAIL = re.compile(r"\[\[force\.\w+\]\]")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)*_]*\s+(?=[\"“(*_]*[A-Z0-9])")
_LIST_MARK = re.compile(r"[ \t]*(?:[-+*]|\d+[.)])[ \t]+|>[ \t]*")
_MARKUP = re.compile(r"[*`]|(?<!\w)_|_(?!\w)")
_NUMBERED = re.compile(
    r"\b(?:[Ss]ections?|ss?\.|[Pp]aragraphs?|paras?|[Ss]chedule|Sch\.) ?"
    r"((?:\d+[A-Z]*(?:\(\w+\))*(?:, | and | or | to )?)+)"
)


@dataclass(frozen=True, slots=True)
class LegalStatement:
    """One statement that a force's solicitor should read."""

    place: str  # such as “Lesson 2, Who did what?”
    text: str  # without markup
    sources: tuple[str, ...]  # numbers, or “practice”

    @property
    def names_law(self) -> bool:
        """Whether it names an Act, a section or a schedule."""
        return bool(_REFERENCE.search(self.text))

    @property
    def mark(self) -> str:
        """A short name of these words: other words have another."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]


def list_statements(package: Package, sources: Mapping[str, SourceText]) -> list[LegalStatement]:
    """Every such statement of a module once: lessons with their checks, job aid, briefing and live questions.

    A question names its sources. A sentence has those of its lesson, or where the lesson names none, those of
    the questions about its outcomes; where it names an Act or a section, only the sources of these.
    """
    statements: list[LegalStatement] = []
    live_items = [item for item in package.items if not item.retired]
    acts = {year: (name, year) for page in package.lessons for name, year in ACT.findall(page.body)}
    for number, lesson in enumerate(package.lessons, 1):
        numbers = lesson.sources or _list_unique(
            source for item in live_items if item.outcome in lesson.outcomes for source in item.source
        )
        statements += _page_statements(f"Lesson {number}, {lesson.title}", lesson, numbers, sources, acts)
    for key, sheet in package.sheets.items():
        numbers = sheet.sources or _list_unique(source for item in live_items for source in item.source)
        statements += _page_statements(SHEET_NAMES[key], sheet, numbers, sources, acts)
    for item in live_items:
        statements += _item_statements(item)
    return _unique_by_text(statements)


def changed_statements(
    new: Sequence[LegalStatement], old: Sequence[LegalStatement]
) -> tuple[list[LegalStatement], list[LegalStatement]]:
    """The statements whose words are only in ``new``, and those whose words are only in ``old``."""
    new_texts, old_texts = ({each.text for each in statements} for statements in (new, old))
    added = [each for each in new if each.text not in old_texts]
    return added, [each for each in old if each.text not in new_texts]


def _page_statements(
    place: str,
    page: PageSource,
    numbers: Sequence[str],
    sources: Mapping[str, SourceText],
    acts_by_year: Mapping[str, tuple[str, str]],
) -> Iterator[LegalStatement]:
    checks = [(f"{place}, check", _answer_of(check)) for check in read_checks(page)]
    for where, text in [*((place, sentence) for sentence in _sentences_of(page.body)), *checks]:
        if _is_legal(text):
            acts = ACT.findall(text) + ([PACE] if "PACE" in text else [])
            acts += [acts_by_year[year] for year in SHORT_ACT.findall(text) if year in acts_by_year]
            titles = {number: sources[number].title for number in numbers if number in sources}
            narrowed = _narrow_sources(titles, acts, _sections_of(text))
            yield LegalStatement(where, text, tuple(narrowed or numbers))


def _narrow_sources(
    titles: Mapping[str, str], acts: Sequence[tuple[str, str]], sections: set[str]
) -> Sequence[str]:
    """The numbers of the titles that name one of these Acts, if any, and of them one of the sections."""
    if acts:
        names = [f"{remove_opening(name)} {year}" for name, year in acts]
        titles = {n: title for n, title in titles.items() if any(name in title for name in names)}
    exact = [n for n, title in titles.items() if sections & _sections_of(title, spread=True)]
    return exact or (list(titles) if acts else [])


def _item_statements(item: ItemText) -> Iterator[LegalStatement]:
    text = _answer_of(item)
    if item.source != [PRACTICE] or _is_legal(text):
        yield LegalStatement(f"Question {item.key}", text, tuple(item.source))
    for scene in getattr(item.content, "scenes", ()):
        for part in (scene.debrief, *(choice.feedback for choice in scene.choices)):
            if part and _is_legal(part):
                yield LegalStatement(f"Question {item.key}, case", _strip_markup(part), tuple(item.source))


def _answer_of(item: ItemText) -> str:
    """The right choices and the explanation of an item."""
    right = " / ".join(choice.text for choice in metrics.choices_of(item) if choice.correct)
    return _strip_markup(f"{right} | {item.explanation}" if right else item.explanation)


def _is_legal(text: str) -> bool:
    bare = _DAY_OF_READING.sub("", text)
    return any(pattern.search(bare) for pattern in (_REFERENCE, _POWER, _FIGURE))


def _sentences_of(body: str) -> Iterator[str]:
    """The sentences, list items and table rows of a text, without headings and markup."""
    prose = metrics.prose_of(_FORCE_DETAIL.sub("(your force’s detail)", body))
    paragraph: list[str] = []
    for row in [*prose.split("\n"), ""]:
        is_table, list_mark = row.lstrip().startswith("|"), _LIST_MARK.match(row)
        if paragraph and (is_table or list_mark or not row.strip()):
            yield from _split_sentences(" ".join(paragraph))
            paragraph = []
        if is_table:
            yield " | ".join(cell for cell in map(_strip_markup, row.strip().strip("|").split("|")) if cell)
        elif not row.startswith("#") and row.strip():
            paragraph.append(row[list_mark.end() :] if list_mark else row)


def _split_sentences(text: str) -> Iterator[str]:
    yield from (plain for part in _SENTENCE_END.split(text) if (plain := _strip_markup(part)))


def _strip_markup(text: str) -> str:
    return " ".join(_MARKUP.sub("", text).split())


def _sections_of(text: str, *, spread: bool = False) -> set[str]:
    """The numbers of sections, paragraphs and schedules, such as 17 for “section 17(1)(e)”."""
    sections: set[str] = set()
    for match in _NUMBERED.finditer(text):
        bare = re.sub(r"\(\w+\)", "", match[1])
        sections.update(re.findall(r"\d+[A-Z]*", bare))
        if spread:
            for first, last in re.findall(r"(\d+)[A-Z]* to (\d+)", bare):
                sections.update(str(number) for number in range(int(first), int(last) + 1))
    return sections


def _list_unique(values: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _unique_by_text(statements: Sequence[LegalStatement]) -> list[LegalStatement]:
    first: dict[str, LegalStatement] = {}
    for statement in statements:
        first.setdefault(statement.text, statement)
    return list(first.values())
