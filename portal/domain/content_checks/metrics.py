"""Measures modules: words, minutes, reading grade, coverage of outcomes, lengths of choices. Pure."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

from portal.domain.catalogue.module_source import Package, PageSource
from portal.domain.catalogue.source_files import ItemText
from portal.domain.people.staff_numbers import duty_words

WORDS_PER_MINUTE = 200
SECONDS_PER_ITEM = 45
MINUTES_PER_TEXT = 2  # that a learner writes in a case
PLACES_PER_ITEM = 4  # places of a picture that take as long to judge as one item
SECONDS_PER_FIELD = 20  # of what is passed on in a call, from notes that are in sight

_CONTAINER = re.compile(r":::[ \t]*(\w+)")
_DETAILS = re.compile(r":::[ \t]*(?:details[ \t]+|for\b[^:]*:?[ \t]*)")  # before a summary in words
_TABLE_RULE_SIGNS = set("|:- \t")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)")
_SLOT = re.compile(r"\[\[force\.[^\[\]]*\]\]")
_MARKS = re.compile(r"[*_`#>|]|^[ \t]*(?:[-+]|\d+[.)])[ \t]+", re.MULTILINE)
_ACT = re.compile(r"\b(?:[A-Z][\w’']*,?[ ](?:(?:and|of|the|in|etc\.)[ ]){0,3}){1,12}Act(?:[ ]\d{4})?")
_WORD = re.compile(r"[^\W_](?:[\w’'\-]|(?<=\d)[.,:](?=\d))*")
_SENTENCE = re.compile(r"[.!?:;][”’\"')\]]*(?:\s+|$)|\n\s*\n|\n(?=[ \t]*(?:[-*+#|]|\d+[.)]))")


@dataclass(frozen=True, slots=True)
class TextMeasures:
    """The length and difficulty of a text."""

    words: int  # without checks; of a case, those on a good way through it and in its debrief
    checks: int  # of a case its decisions
    minutes: float  # 200 words a minute and 45 seconds a check
    grade: float | None  # as of ``reading_grade``

    @property
    def whole_minutes(self) -> int:
        """The minutes rounded up, at least 1."""
        return max(1, ceil(self.minutes))


def measure_text(body: str) -> TextMeasures:
    """Measure a lesson's text as its author writes it, even if it cannot be parsed."""
    prose, checks = _split_prose(body)
    count = len(_WORD.findall(prose))
    return TextMeasures(count, checks, estimate_minutes(count, checks), reading_grade(body))


def measure_page(page: PageSource) -> TextMeasures:
    """Measure a lesson that can be parsed: a text, or a case."""
    if page.case is None:
        return measure_text(page.body)
    texts, decisions, written = _case_texts(page.case)
    words = sum(len(_WORD.findall(prose_of(text))) for text in texts)
    minutes = estimate_minutes(words, decisions) + written * MINUTES_PER_TEXT
    if page.case.kind.name == "call":
        minutes += len(page.case.content.fields) * SECONDS_PER_FIELD / 60
    return TextMeasures(words, decisions, minutes, reading_grade(page.body))


def _case_texts(case: ItemText) -> tuple[list[str], int, int]:
    """The texts that somebody reads on a good way, their decisions, and how many texts they write."""
    content = case.content
    texts = [case.prompt, case.explanation]
    if case.kind.name == "picture":
        texts += [content.situation, content.debrief]
        texts += [text for place in content.places for text in (place.label, place.text, place.feedback)]
        return texts, ceil(len(content.places) / PLACES_PER_ITEM), 0
    if case.kind.name == "report":
        texts += [content.incident, *(part.label for part in content.parts)]
        texts += [text for part in content.parts for text in (part.model, *part.checklist)]
        texts += [text for part in content.parts for choice in part.choices for text in _both(choice)]
        written = sum(part.kind == "text" for part in content.parts)
        return texts, len(content.parts) - written, written
    if case.kind.name == "call":
        return texts + _call_texts(content), len(content.bits), 0
    scenes = {scene.key: scene for scene in content.scenes}
    scene, decisions = scenes.get(content.start), 0
    while scene is not None and scene.choices and decisions < len(scenes):
        texts += [scene.text, *(text for choice in scene.choices for text in _both(choice))]
        scene, decisions = scenes.get(max(scene.choices, key=lambda choice: choice.weight).to), decisions + 1
    return [*texts, scene.text, scene.debrief] if scene is not None else texts, decisions, 0


def _call_texts(content: Any) -> list[str]:
    """The texts of a call: every question with its feedback, the answers to good ones, and the fields."""
    texts = [
        content.incident,
        *(bit.text for bit in content.bits),
        *(field.label for field in content.fields),
    ]
    questions = [choice for bit in content.bits for choice in bit.choices]
    texts += [text for choice in questions for text in _both(choice)]
    texts += [choice.answer for choice in questions if choice.correct]
    choices = [choice for field in content.fields for choice in field.choices]
    texts += [choice.text for choice in choices] + [choice.feedback for choice in choices if choice.correct]
    return texts + [field.feedback for field in content.fields]


def _both(choice: Any) -> tuple[str, str]:
    return choice.text, choice.feedback


def estimate_minutes(words: int, items: int = 0) -> float:
    """Estimate minutes at 200 words a minute and 45 seconds an item.

    >>> estimate_minutes(400, 2)
    3.5
    """
    return words / WORDS_PER_MINUTE + items * SECONDS_PER_ITEM / 60


def prose_of(body: str) -> str:
    """A lesson's text without checks, container marks and link addresses."""
    return _split_prose(body)[0]


def _split_prose(body: str) -> tuple[str, int]:
    """The prose of a text, and the number of its checks."""
    prose_rows: list[str] = []
    checks, in_check = 0, False
    for row in body.split("\n"):
        bare = row.strip()
        if in_check:
            in_check = bare != ":::"
        elif bare.startswith(":::"):
            container = _CONTAINER.match(bare)
            in_check = container is not None and container[1] == "check"
            checks += in_check
            prose_rows.append(_DETAILS.sub("", bare) if _DETAILS.match(bare) else "")
        elif not ("|" in bare and set(bare) <= _TABLE_RULE_SIGNS):
            prose_rows.append(row)
    return _SLOT.sub("", _LINK.sub(r"\1", "\n".join(prose_rows))), checks


def reading_grade(body: str, least_words: int = 50) -> float | None:
    """The Flesch–Kincaid grade: 0.39 × words ÷ sentences + 11.8 × syllables ÷ words − 15.59.

    A list item or heading counts as a sentence, a semicolon or colon ends one, and the name of an Act counts
    as one short word, because no author can shorten it. None if there are fewer than ``least_words`` words.
    """
    text = _ACT.sub("Act", prose_of(body))
    sentences = [part for part in _SENTENCE.split(text) if _WORD.search(part or "")]
    words = _WORD.findall(_MARKS.sub(" ", text))
    if len(words) < least_words:
        return None
    syllables = sum(count_syllables(word) for word in words)
    return round(0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59, 1)


@lru_cache(maxsize=8192)
def count_syllables(word: str) -> int:
    """Count the syllables of a word, roughly: groups of vowels, without a silent e or -ed.

    >>> [count_syllables(word) for word in ("police", "immigration", "asked", "table", "28")]
    [2, 4, 1, 2, 1]
    """
    bare = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", bare))
    silent = re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$|[^aeiouyscxzgh]es$", bare)
    return max(groups - (1 if silent else 0), 1)


@dataclass(frozen=True, slots=True)
class OutcomeCoverage:
    """The numbers of lessons and items for one outcome."""

    key: str
    text: str
    lessons: int
    items: int  # without retired ones


def outcome_coverage(package: Package) -> list[OutcomeCoverage]:
    """Count the lessons that cover each outcome and the items that test it."""
    lessons = Counter(key for lesson in package.lessons for key in lesson.outcomes)
    items = Counter(item.outcome for item in package.items if not item.retired)
    return [OutcomeCoverage(o.key, o.text, lessons[o.key], items[o.key]) for o in package.outcomes]


@dataclass(frozen=True, slots=True)
class ChoiceLengths:
    """The lengths of an item's right and wrong choices, in characters."""

    right: int  # the longest right one
    wrong: int  # the longest wrong one

    @property
    def right_is_longest(self) -> bool:
        """Whether someone who guesses the longest choice is right."""
        return self.right > self.wrong

    @property
    def gives_answer_away(self) -> bool:
        """Whether the right choice is longer than every wrong one by a third and ten characters."""
        return self.right >= self.wrong + 10 and self.right * 3 >= self.wrong * 4


def choice_lengths(choices: Sequence[Any]) -> ChoiceLengths | None:
    """Measure choices with ``text`` and ``correct``; None if none is right or none is wrong."""
    right = [len(choice.text) for choice in choices if choice.correct]
    wrong = [len(choice.text) for choice in choices if not choice.correct]
    return ChoiceLengths(max(right), max(wrong)) if right and wrong else None


@dataclass(frozen=True, slots=True)
class BankLengths:
    """The number of items in a bank whose right choice is the longest."""

    longest_right: int
    items: int  # with choices, without retired ones

    @property
    def rewards_guessing(self) -> bool:
        """Whether they are more than a third, in a bank of six or more."""
        return self.items >= 6 and self.longest_right * 3 > self.items


def bank_lengths(items: Sequence[ItemText]) -> BankLengths:
    """Measure the choices of all items that are not retired."""
    measured = [choice_lengths(choices_of(item)) for item in items if not item.retired]
    lengths = [each for each in measured if each is not None]
    return BankLengths(sum(each.right_is_longest for each in lengths), len(lengths))


def choices_of(item: ItemText) -> Sequence[Any]:
    """The choices of an item; empty for kinds without choices."""
    choices: Sequence[Any] = getattr(item.content, "choices", ())
    return choices


@dataclass(frozen=True, slots=True)
class ModuleMeasures:
    """The measures of a whole module."""

    words: int
    minutes: float  # of the longest path: lessons with their checks, cases, and the items of one assessment
    minutes_by_path: Mapping[str, float]  # the same of each path, by the words for whose it is
    case_minutes: float  # of the longest path, those of the cases
    grade: float | None
    coverage: list[OutcomeCoverage]
    bank: BankLengths


def list_paths(package: Package) -> dict[str, list[PageSource]]:
    """The lessons of each path through a module, by the words for whose it is."""
    if not package.duty_paths:
        return {"everybody": package.lessons_for(())}
    return {
        duty_words(path.duties) or "everybody else": package.lessons_for(path.duties)
        for path in package.duty_paths
    }


def measure_module(package: Package) -> ModuleMeasures:
    """Measure a module."""
    measures = {lesson.key: measure_page(lesson) for lesson in package.lessons}
    paths = list_paths(package)
    minutes_by_path = {
        name: sum(measures[lesson.key].minutes for lesson in lessons)
        + estimate_minutes(0, package.assessment.draw)
        for name, lessons in paths.items()
    }
    longest = max(minutes_by_path, key=minutes_by_path.__getitem__)
    return ModuleMeasures(
        words=sum(measure.words for measure in measures.values()),
        minutes=minutes_by_path[longest],
        minutes_by_path=minutes_by_path,
        case_minutes=sum(
            measures[lesson.key].minutes for lesson in paths[longest] if lesson.case is not None
        ),
        grade=reading_grade("\n\n".join(lesson.body for lesson in package.lessons)),
        coverage=outcome_coverage(package),
        bank=bank_lengths(package.items),
    )


def ends_in_check(page: PageSource) -> bool:
    """Whether a check is the last part of a lesson."""
    rows = [row.strip() for row in page.body.rstrip().split("\n")]
    openings = [index for index, row in enumerate(rows) if row.startswith(":::") and row != ":::"]
    if not openings or rows[-1] != ":::":
        return False
    last = _CONTAINER.match(rows[openings[-1]])
    return last is not None and last[1] == "check" and ":::" not in rows[openings[-1] + 1 : -1]
