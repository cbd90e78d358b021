"""Checks modules and guides against the brief: each breach with its file and line. Pure functions."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from math import floor
from typing import Any

from portal.domain.catalogue.media import narrow_path
from portal.domain.catalogue.module_check import CheckedModule, RenderedPage, count_a4_pages
from portal.domain.catalogue.module_source import SHEET_NAMES, Package, PageSource
from portal.domain.catalogue.other_sources import CheckedGuide, GuideSource
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.source_files import GUIDES_FOLDER, ItemText, parse_shared, read_check_item
from portal.domain.content_checks import metrics
from portal.domain.content_checks.drawings import PaintedText, PaintingError
from portal.domain.content_checks.isolated_painter import paint_drawings
from portal.platform.formats.toml_tables import Fault, Faults, Source

# Checks figures: enough of them, a phone version of each, and legible words.

MIN_FIGURES = 4
MIN_CONTRAST = 4.5
PHONE_WIDTH = 288  # CSS pixels of a drawing on a screen 320 wide
MIN_LETTER_SIZE = 11  # CSS pixels there

_FIGURE = re.compile(r":::[ \t]*figure[ \t]+(\S+)[ \t]*")


@dataclass(frozen=True)
class ShownFigure:
    """A figure in a text, with its file and line."""

    medium: str  # media/name
    path: str
    line: int

    @property
    def is_drawing(self) -> bool:
        """Whether it is a drawing, not a photograph or a film."""
        return self.medium.lower().endswith(".svg")


def read_figures(body: str, path: str, first_line: int) -> list[ShownFigure]:
    """Every figure of a text that begins at ``first_line`` of the file at ``path``."""
    rows = enumerate(body.split("\n"), first_line)
    return [
        ShownFigure(match[1], path, number)
        for number, row in rows
        if (match := _FIGURE.fullmatch(row.strip()))
    ]


def lesson_figures(package: Package) -> list[ShownFigure]:
    """Every figure of a module's lessons."""
    return [
        figure for page in package.lessons for figure in read_figures(page.body, page.path, page.body_line)
    ]


def _lesson_pictures(package: Package) -> list[ShownFigure]:
    """The drawing of each lesson that is a picture with places."""
    return [
        ShownFigure(lesson.case.content.picture, lesson.path, lesson.case.content.table.line_of("picture"))
        for lesson in package.lessons
        if lesson.case is not None and lesson.case.kind.name == "picture"
    ]


def check_module_figures(package: Package) -> Iterator[Fault]:
    """Yield the faults of a module's figures."""
    figures = lesson_figures(package)
    drawings = {figure.medium for figure in figures if figure.is_drawing}
    if len(drawings) < MIN_FIGURES:
        reason = f"The lessons show {len(drawings)} drawn figures. Draw {MIN_FIGURES} or more that explain."
        yield Fault(package.module_file, None, reason)
    yield from check_drawings([*figures, *_lesson_pictures(package)], package.key, package.files)


def check_drawings(figures: list[ShownFigure], folder: str, files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Yield the faults of the drawings among these figures, and of their phone versions."""
    drawings = {figure.medium: figure for figure in figures if figure.is_drawing}
    candidates = [path for medium in drawings for path in (medium, narrow_path(medium))]
    paths = [path for path in candidates if path in files or path in drawings]
    painted = dict(zip(paths, paint_drawings([files.get(path, b"") for path in paths]), strict=True))
    for medium, figure in drawings.items():
        narrow = narrow_path(medium)
        yield from _check_words(f"{folder}/{medium}", painted[medium], on_phone=False)
        if narrow in files:
            yield from _check_words(f"{folder}/{narrow}", painted[narrow], on_phone=True)
        else:
            reason = f"There is no {narrow}. Draw the figure once more, 320 wide, for phones."
            yield Fault(figure.path, figure.line, reason)


def _check_words(path: str, painted: list[PaintedText] | PaintingError, *, on_phone: bool) -> Iterator[Fault]:
    """Yield the words of one drawing that are too faint, or too small on a phone."""
    if isinstance(painted, PaintingError):
        yield Fault(path, painted.line, str(painted))
        return
    for text in painted:
        if text.contrast < MIN_CONTRAST:
            contrast = floor(text.contrast * 100) / 100  # so that 4.499 is not shown as 4.50
            reason = (
                f"“{text.words}” has a contrast of {contrast:.2f} to 1 against {text.background}. Choose"
                f" colours that give {MIN_CONTRAST} or more."
            )
            yield Fault(path, text.line, reason)
        if on_phone and (size := text.size * PHONE_WIDTH) < MIN_LETTER_SIZE:
            reason = (
                f"“{text.words}” is {size:.1f} pixels high on a phone. Make it {MIN_LETTER_SIZE} or more."
            )
            yield Fault(path, text.line, reason)


# Checks items: prompts that ask one thing, choices that do not give the answer away, scenarios.

CHOICE_COUNTS = range(3, 6)
EXPLANATION_SENTENCES = range(2, 4)
CASE_KINDS = frozenset({"scenario", "report"})  # kinds whose content describes a case
DECISION_COUNTS = range(4, 7)
BIT_COUNTS, FIELD_COUNTS = range(3, 7), range(5, 13)

_CATCH_ALL = re.compile(
    r"\bof the above\b|^\W*(?:all|none|any|both|neither|either)(?: of (?:these|them|those))?\W*$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
_SENTENCE = re.compile(r"[.!?:]+[”’\"')*]*\s+")
_NEGATIVE = re.compile(
    r"\b(?:not|cannot|never|except|least|incorrect|untrue|false|wrong|unlikely)\b|n[’']t\b", re.IGNORECASE
)
_CLAUSE = re.compile(
    r"\b(?:that|who|whom|whose|which|whether|if|because|when|where|since|why)\b", re.IGNORECASE
)


def check_bank(package: Package) -> Iterator[Fault]:
    """Yield the faults of a module's items, without retired ones."""
    items = [item for item in package.items if not item.retired]
    for item in items:
        yield from _check_wording(item)
        yield from _check_explanation(item)
    yield from _check_case_share(package, items)
    yield from _check_longest_choices(package, items)
    yield from _check_positions(package, items)
    scenarios = [item for item in items if item.kind.name == "scenario"]
    if not scenarios:
        reason = "There is no branching scenario. Write an item of kind “scenario”."
        yield Fault(package.module_file, None, reason)
    yield from _check_scenarios(scenarios)


def check_cases(package: Package) -> Iterator[Fault]:
    """Yield the faults of the cases that lessons are."""
    cases = [lesson.case for lesson in package.lessons if lesson.case is not None]
    for case in cases:
        yield from _check_wording(case)
        yield from _check_explanation(case)
        if case.kind.name == "call":
            yield from _check_call(case)
    yield from _check_scenarios([case for case in cases if case.kind.name == "scenario"])


def check_unscored_items(package: Package, items: list[ItemText]) -> Iterator[Fault]:
    """Yield the faults of the unscored checks in a module's lessons, whose choices are not shuffled."""
    for item in items:
        yield from _check_wording(item)
    right_positions = Counter(
        next((n for n, choice in enumerate(metrics.choices_of(item), 1) if choice.correct), 0)
        for item in items
    )
    for position, count in sorted(right_positions.items()):
        if position and len(items) > 2 and count * 2 > len(items):
            reason = f"In {count} of {len(items)} checks choice {position} is right. Move some."
            yield Fault(package.module_file, None, reason)


def _check_wording(item: ItemText) -> Iterator[Fault]:
    """Yield the faults in the words of one item, scored or unscored."""
    if item.prompt.count("?") > 1:
        yield _item_fault(item, "asks more than one thing. Ask one.")
    if negation := _find_negation(item.prompt):
        reason = f"has a negative stem: “{negation}”. Ask for what is right, so that nobody misreads it."
        yield _item_fault(item, reason)
    choices = metrics.choices_of(item)
    if choices and len(choices) not in CHOICE_COUNTS:
        reason = f"has {len(choices)} choices. Write {CHOICE_COUNTS[0]} to {CHOICE_COUNTS[-1]}."
        yield _item_fault(item, reason)
    for choice in choices:
        if match := _CATCH_ALL.search(choice.text):
            reason = (
                f"“{match[0].strip()}” can be judged without knowledge of the subject. Write a choice that"
                " makes sense on its own."
            )
            yield Fault(item.path, choice.line, reason)
    lengths = metrics.choice_lengths(choices)
    if lengths is not None and lengths.gives_answer_away:
        yield _item_fault(
            item,
            f"gives its right choice away: it has {lengths.right} characters, the wrong ones at most"
            f" {lengths.wrong}. Make them alike.",
        )
    yield from _check_feedback(item)


def _item_fault(item: ItemText, reason: str) -> Fault:
    return Fault(item.path, item.line, f"The item “{item.key}” {reason}")


def _find_negation(prompt: str) -> str:
    """The word by which a prompt asks for the wrong choice; empty if it does not.

    A prompt that begins with “which” may contain no negation at all. In others, a subordinate clause may
    (“What happens to reports that are not sent?”), and “why” asks for a reason.
    """
    sentences = [part for part in _SENTENCE.split(_QUOTED.sub("", prompt)) if part.strip()]
    question = sentences[-1].strip() if sentences else ""
    first_word = question.partition(" ")[0].lower()
    if first_word == "why":
        return ""
    if first_word not in {"which", "select", "choose"}:
        question = first_word + _CLAUSE.split(question[len(first_word) :])[0]
    match = _NEGATIVE.search(question)
    return match[0] if match and not (first_word == "what" and match[0].lower() == "wrong") else ""


def _check_feedback(item: ItemText) -> Iterator[Fault]:
    feedbacks: set[str] = set()
    for choice in metrics.choices_of(item):
        if choice.feedback in feedbacks:
            reason = "Two choices of this item have the same feedback. Say of each why it is right or wrong."
            yield Fault(item.path, choice.line, reason)
        feedbacks.add(choice.feedback)


def _check_explanation(item: ItemText) -> Iterator[Fault]:
    count = len([part for part in re.split(r"(?<=[.!?])[”’\"')*]*\s+", item.explanation.strip()) if part])
    if count not in EXPLANATION_SENTENCES:
        yield _item_fault(item, f"is explained in {count} sentences. Write two or three that teach.")


def _check_case_share(package: Package, items: list[ItemText]) -> Iterator[Fault]:
    cases = sum(bool(item.stimulus.strip()) or item.kind.name in CASE_KINDS for item in items)
    if cases * 3 < len(items):
        reason = (
            f"{cases} of {len(items)} items begin with a case. Give a third of them one, under “stimulus”."
        )
        yield Fault(package.module_file, None, reason)


def _check_longest_choices(package: Package, items: list[ItemText]) -> Iterator[Fault]:
    bank = metrics.bank_lengths(items)
    if bank.longest_right * 3 > bank.items:
        reason = (
            f"The right choice is the longest in {bank.longest_right} of {bank.items} items. Bring that to a"
            " third or less."
        )
        yield Fault(package.module_file, None, reason)


def _check_positions(package: Package, items: list[ItemText]) -> Iterator[Fault]:
    """Yield each position that has the right choice too often or too rarely.

    A position may differ from its even share by a third of it, or by two items where that is more. The margin
    is for shares that do not divide and for small banks; chance needs none, because authors choose positions.
    """
    right_counts: Counter[int] = Counter()
    even_shares: dict[int, float] = {}
    for item in items:
        choices = metrics.choices_of(item)
        right_positions = [n for n, choice in enumerate(choices, 1) if choice.correct]
        right_counts.update(right_positions)
        for n in range(1, len(choices) + 1):
            even_shares[n] = even_shares.get(n, 0.0) + len(right_positions) / len(choices)
    for n, share in sorted(even_shares.items()):
        if abs(right_counts[n] - share) > max(2, share / 3):
            reason = (
                f"Choice {n} is right {right_counts[n]} times; an even share would be {share:.0f}. Move some."
            )
            yield Fault(package.module_file, None, reason)


def _check_scenarios(scenarios: list[ItemText]) -> Iterator[Fault]:
    for item in scenarios:
        scenes = {scene.key: scene for scene in item.content.scenes}
        count = _count_decisions(scenes, item.content.start)
        if count not in DECISION_COUNTS:
            most = DECISION_COUNTS[-1]
            reason = f"has {count} decisions on its longest path. Write {DECISION_COUNTS[0]} to {most}."
            yield _item_fault(item, reason)
        for scene in scenes.values():
            if not scene.choices and not scene.debrief:
                reason = f"The end “{scene.key}” has no debrief. Say what a good officer considers."
                yield Fault(item.path, scene.table.line, reason)


def _check_call(case: ItemText) -> Iterator[Fault]:
    """Yield the faults of a call: too short or long, a right choice that its length gives away."""
    for what, rows, counts in (
        ("questions to ask", case.content.bits, BIT_COUNTS),
        ("things to pass on", case.content.fields, FIELD_COUNTS),
    ):
        if len(rows) not in counts:
            reason = f"has {len(rows)} {what}. Write {counts[0]} to {counts[-1]}."
            yield _item_fault(case, reason)
        for row in rows:
            lengths = metrics.choice_lengths(row.choices)
            if lengths is not None and lengths.gives_answer_away:
                reason = (
                    f"In “{row.key}” the right choice has {lengths.right} characters, the wrong ones at most"
                    f" {lengths.wrong}. Make them alike, so that its length does not give it away."
                )
                yield Fault(case.path, row.line, reason)
    if not any(field.needs for field in case.content.fields):
        yield _item_fault(case, "passes on everything, whatever was asked. Let one field need a question.")


def _count_decisions(scenes: dict[str, Any], start: str) -> int:
    """Count the decisions on the longest path from a scene; the format allows no cycles."""
    counts: dict[str, int] = {}

    def count_from(key: str) -> int:
        if key not in counts:
            counts[key] = max((1 + count_from(choice.to) for choice in scenes[key].choices), default=0)
        return counts[key]

    return count_from(start)


# Checks the language of lessons, job aids and guides: plain words, dated law, spelled-out abbreviations.

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
    """Check that law is quoted with its Act, and that its age is left to the sources."""
    text = metrics.prose_of(body)
    match = _LAW.search(text)
    if match and not _ACT.search(text):
        line = _line_of_words(body, match[0], first_line)
        yield Fault(path, line, f"“{match[0]}” is quoted without its Act. Name the Act and its year.")
    if match := _AS_AT.search(text):
        reason = f"“{match[0]}”: take it out. The date of each Act in _sources.toml is shown below the page."
        yield Fault(path, _line_of_words(body, match[0], first_line), reason)


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


# Checks lessons, job aids and guides, and finds text that is still to be written in any file.

MIN_WORDS, MAX_WORDS = 350, 600
MIN_LESSON_MINUTES, MAX_LESSON_MINUTES = 2.5, 4.0
MIN_CASE_MINUTES, MAX_CASE_MINUTES = 3.0, 12.0
TEXT_TOLERANCE = 1.0  # minutes between the lesson's own figure and the estimate
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
    if not MIN_LESSON_MINUTES <= measures.minutes <= MAX_LESSON_MINUTES:
        aim = f"{MIN_LESSON_MINUTES} to {MAX_LESSON_MINUTES:g}"
        reason = f"The lesson takes {measures.minutes:.1f} minutes. Aim for {aim}."
        yield Fault(page.path, page.body_line, reason)
    yield from _check_own_minutes(page, content, measures)
    if not metrics.ends_in_check(page):
        last_line = page.body_line + page.body.rstrip().count("\n")
        yield Fault(
            page.path, last_line, "The lesson does not end in a check. Write ::: check as its last part."
        )
    yield from check_plain_language(page.path, page.body, page.body_line)
    yield from check_law_references(page.path, page.body, page.body_line)
    yield from check_abbreviations(page.path, page.body, page.body_line, glossary)


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
    yield from check_plain_language(page.path, page.body, page.body_line)


def _check_own_minutes(page: PageSource, content: bytes, measures: metrics.TextMeasures) -> Iterator[Fault]:
    if abs(measures.minutes - page.minutes) > TEXT_TOLERANCE:
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
    yield from check_plain_language(page.path, page.body, page.body_line)


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
    yield from check_plain_language(guide.path, guide.body, guide.body_line)
    yield from check_law_references(guide.path, guide.body, guide.body_line)
    yield from check_abbreviations(guide.path, guide.body, guide.body_line, glossary, links=True)


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


# Checks a module as a whole: number of lessons, minutes, coverage of outcomes, rules of the assessment.

LESSON_COUNTS = range(4, 9)  # without cases
MIN_CASES = 2
MIN_MINUTES, MAX_MINUTES = 20, 35  # of the longest path, with its case and one assessment
TOLERANCE = 2  # minutes between the module's own figure and the estimate
MIN_ITEMS, MIN_ITEMS_PER_OUTCOME = 28, 4
DRAW, AT_LEAST_PER_OUTCOME, MASTERY = 12, 1, Decimal("0.8")


def check_module(package: Package, on: date) -> Iterator[Fault]:
    """Yield the faults of the module as a whole; a review date before ``on`` is one."""
    yield from _check_lesson_count(package)
    yield from _check_minutes(package)
    yield from _check_items(package)
    yield from _check_assessment(package)
    if "job-aid" not in package.sheets:
        yield Fault(
            package.module_file, None, "There is no job aid. Write job-aid.md: one page to use in the field."
        )
    if package.review_on < on:
        reason = "The review date has passed. Review the module and set a new date."
        yield _detail_fault(package, "review_on", reason)


def _detail_fault(package: Package, key: str, reason: str) -> Fault:
    return Fault(package.module_file, line_of(package.files["module.toml"], key), reason)


def _check_lesson_count(package: Package) -> Iterator[Fault]:
    cases = sum(lesson.case is not None for lesson in package.lessons)
    count = len(package.lessons) - cases
    if count not in LESSON_COUNTS:
        reason = f"There are {count} lessons. Write {LESSON_COUNTS[0]} to {LESSON_COUNTS[-1]}."
        yield _detail_fault(package, "lessons", reason)
    if cases < MIN_CASES:
        reason = f"There are {cases} cases to work through. Write {MIN_CASES} or more: lessons/name.toml."
        yield _detail_fault(package, "lessons", reason)


def _check_minutes(package: Package) -> Iterator[Fault]:
    measures = metrics.measure_module(package)
    estimate = measures.minutes
    if not MIN_MINUTES <= estimate <= MAX_MINUTES:
        reason = (
            f"The longest path and one assessment take {estimate:.1f} minutes. Aim for {MIN_MINUTES} to"
            f" {MAX_MINUTES}."
        )
        yield _detail_fault(package, "minutes", reason)
    if abs(estimate - package.minutes) > TOLERANCE:
        reason = (
            f"The module says {package.minutes} minutes, but it takes about {estimate:.1f}. Write"
            f" minutes = {round(estimate)}."
        )
        yield _detail_fault(package, "minutes", reason)


def _check_items(package: Package) -> Iterator[Fault]:
    lines = {outcome.key: outcome.line for outcome in package.outcomes}
    for outcome in metrics.outcome_coverage(package):
        if outcome.items < MIN_ITEMS_PER_OUTCOME:
            reason = (
                f"The outcome “{outcome.key}” is tested by {outcome.items} items. Write"
                f" {MIN_ITEMS_PER_OUTCOME} or more."
            )
            yield Fault(package.module_file, lines[outcome.key], reason)
    count = sum(not item.retired for item in package.items)
    if count < MIN_ITEMS:
        yield Fault(package.module_file, None, f"The bank has {count} items. Write {MIN_ITEMS} or more.")


def _check_assessment(package: Package) -> Iterator[Fault]:
    rules = package.assessment
    if rules.draw != DRAW:
        yield Fault(
            package.module_file, rules.line, f"An attempt draws {rules.draw} items. Write draw = {DRAW}."
        )
    if rules.at_least_per_outcome < AT_LEAST_PER_OUTCOME:
        reason = f"An attempt may leave out an outcome. Write at_least_per_outcome = {AT_LEAST_PER_OUTCOME}."
        yield Fault(package.module_file, rules.line, reason)
    if package.mastery_score != MASTERY:
        reason = f"The pass mark is {package.mastery_score}. Write mastery_score = {MASTERY}."
        yield _detail_fault(package, "mastery_score", reason)


GLOSSARY = "_glossary.toml"


def check_brief(folder: CheckedFolder, on: date) -> list[Fault]:
    """List the breaches of the brief in modules, guides and shared files, by file and line.

    Only for a folder whose format has no faults.

    Args:
        folder: The folder as its format check read it.
        on: A review date before this day is a breach.
    """
    return _sort_faults(_check_folder(folder, on, _glossary_keys(folder.shared.get(GLOSSARY, b""))))


def check_guides(folder: CheckedFolder) -> list[Fault]:
    """List the breaches in guides alone, without shared files and review dates; for authoring pages."""
    glossary = _glossary_keys(folder.shared.get(GLOSSARY, b""))
    return _sort_faults(fault for guide in folder.guides for fault in _check_guide(guide, date.min, glossary))


@lru_cache(maxsize=4)
def _glossary_keys(glossary: bytes) -> frozenset[str]:
    return frozenset(parse_shared({GLOSSARY: glossary}, Faults()).terms)


def _sort_faults(faults: Iterator[Fault]) -> list[Fault]:
    collected = Faults()
    for fault in faults:
        collected.add(fault.path, fault.line, fault.reason)
    return collected.listed()


def _check_folder(folder: CheckedFolder, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    for checked in folder.modules:
        yield from _check_module(checked, on, glossary)
    for guide in folder.guides:
        yield from _check_guide(guide, on, glossary)
    for name, content in folder.shared.items():
        yield from check_placeholders(name, content)


def _check_module(checked: CheckedModule, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    package = checked.package
    yield from check_module(package, on)
    for lesson in package.lessons:
        content = package.files[lesson.path.removeprefix(f"{package.key}/")]
        check = check_lesson if lesson.case is None else check_case
        yield from check(lesson, content, glossary)
    for sheet in checked.sheets.values():
        yield from check_sheet(sheet, package.title)
    yield from check_bank(package)
    yield from check_cases(package)
    unscored_items = [item for page in package.lessons for item in read_checks(page)]
    yield from check_unscored_items(package, unscored_items)
    yield from check_module_figures(package)
    for path, content in package.files.items():
        yield from check_placeholders(f"{package.key}/{path}", content)


def _check_guide(checked: CheckedGuide, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    guide = checked.guide
    yield from check_guide(guide, checked.files[f"{guide.key}.md"], on, glossary)
    figures = read_figures(guide.body, guide.path, guide.body_line)
    yield from check_drawings(figures, GUIDES_FOLDER, checked.files)
    for path, content in checked.files.items():
        yield from check_placeholders(f"{GUIDES_FOLDER}/{path}", content)
