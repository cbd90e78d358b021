"""What can be counted in a module: words, honest minutes, reading grade, coverage, lengths. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

from portal.domain.catalogue.sources.items import ItemText
from portal.domain.catalogue.sources.module_source import Package, PageSource

WORDS_A_MINUTE = 200
SECONDS_AN_ITEM = 45

_OPEN = re.compile(r":::[ \t]*(\w+)")
_DETAILS = re.compile(r":::[ \t]*details[ \t]+")
_RULE_SIGNS = set("|:- \t")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)")
_SLOT = re.compile(r"\[\[force\.[^\[\]]*\]\]")
_MARKS = re.compile(r"[*_`#>|]|^[ \t]*(?:[-+]|\d+[.)])[ \t]+", re.MULTILINE)
_STATUTE = re.compile(r"\b(?:[A-Z][\w’']*,?[ ](?:(?:and|of|the|in|etc\.)[ ]){0,3}){1,12}Act(?:[ ]\d{4})?")
_WORD = re.compile(r"[^\W_](?:[\w’'\-]|(?<=\d)[.,:](?=\d))*")
_SENTENCE = re.compile(r"[.!?:;][”’\"')\]]*(?:\s+|$)|\n\s*\n|\n(?=[ \t]*(?:[-*+#|]|\d+[.)]))")


@dataclass(frozen=True, slots=True)
class TextMeasures:
    """What a text asks of its reader."""

    words: int  # checks left out
    checks: int
    minutes: float  # 200 words a minute and 45 seconds a check
    grade: float | None  # of ``reading_grade``; None where there are too few words to tell

    @property
    def whole_minutes(self) -> int:
        """Minutes as a page says them, a begun one counted."""
        return max(1, ceil(self.minutes))


def of_text(body: str) -> TextMeasures:
    """The measures of a lesson's text as its author writes it; a text that cannot be read is measured too."""
    prose, checks = _read(body)
    count = len(_WORD.findall(prose))
    return TextMeasures(count, checks, honest_minutes(count, checks), reading_grade(body))


def honest_minutes(words: int, items: int = 0) -> float:
    """Minutes at 200 words a minute and 45 seconds an item.

    >>> honest_minutes(400, 2)
    3.5
    """
    return words / WORDS_A_MINUTE + items * SECONDS_AN_ITEM / 60


def plain(body: str) -> str:
    """A lesson's text as it is read: checks, marks and addresses left out."""
    return _read(body)[0]


def _read(body: str) -> tuple[str, int]:
    """The text without checks and marks of containers, and how many checks it has; line by line."""
    kept: list[str] = []
    checks, inside = 0, False
    for row in body.split("\n"):
        bare = row.strip()
        if inside:
            inside = bare != ":::"
        elif bare.startswith(":::"):
            opened = _OPEN.match(bare)
            inside = opened is not None and opened[1] == "check"
            checks += inside
            kept.append(_DETAILS.sub("", bare) if _DETAILS.match(bare) else "")
        elif not ("|" in bare and set(bare) <= _RULE_SIGNS):
            kept.append(row)
    return _SLOT.sub("", _LINK.sub(r"\1", "\n".join(kept))), checks


def reading_grade(body: str, least_words: int = 50) -> float | None:
    """The Flesch–Kincaid grade: 0.39 × words ÷ sentences + 11.8 × syllables ÷ words − 15.59.

    A line of a list or a heading counts as a sentence, a semicolon or colon ends one, and the name of an
    Act counts as one short word, since no author can shorten it. None under ``least_words`` words.
    """
    text = _STATUTE.sub("Act", plain(body))
    sentences = [part for part in _SENTENCE.split(text) if _WORD.search(part or "")]
    words = _WORD.findall(_MARKS.sub(" ", text))
    if len(words) < least_words:
        return None
    sounds = sum(syllables(word) for word in words)
    return round(0.39 * len(words) / len(sentences) + 11.8 * sounds / len(words) - 15.59, 1)


@lru_cache(maxsize=8192)
def syllables(word: str) -> int:
    """How many syllables a word has, near enough: groups of vowels, a silent e and -ed aside.

    >>> [syllables(word) for word in ("police", "immigration", "asked", "table", "28")]
    [2, 4, 1, 2, 1]
    """
    bare = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", bare))
    silent = re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$|[^aeiouyscxzgh]es$", bare)
    return max(groups - (1 if silent else 0), 1)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How an outcome is served and tested."""

    key: str
    text: str
    lessons: int
    items: int  # retired ones aside


def coverage(package: Package) -> list[Coverage]:
    """Every outcome with the lessons that serve it and the items that test it."""
    lessons = Counter(key for lesson in package.lessons for key in lesson.outcomes)
    items = Counter(item.outcome for item in package.items if not item.retired)
    return [Coverage(o.key, o.text, lessons[o.key], items[o.key]) for o in package.outcomes]


@dataclass(frozen=True, slots=True)
class Lengths:
    """The right choice of an item against the wrong ones, in characters."""

    right: int  # the longest right one
    wrong: int  # the longest wrong one

    @property
    def right_is_longest(self) -> bool:
        """Whether someone who takes the longest choice is right."""
        return self.right > self.wrong

    @property
    def tells(self) -> bool:
        """Whether the right choice stands out: longer than all wrong ones by a third and ten characters."""
        return self.right >= self.wrong + 10 and self.right * 3 >= self.wrong * 4


def lengths(choices: Sequence[Any]) -> Lengths | None:
    """Of choices with ``text`` and ``correct``; None where there is no right or no wrong one."""
    right = [len(choice.text) for choice in choices if choice.correct]
    wrong = [len(choice.text) for choice in choices if not choice.correct]
    return Lengths(max(right), max(wrong)) if right and wrong else None


@dataclass(frozen=True, slots=True)
class BankLengths:
    """In how many of a bank's items the right choice is the longest."""

    longest: int
    items: int  # that have choices, retired ones aside

    @property
    def too_many(self) -> bool:
        """More than a third, in a bank of six or more."""
        return self.items >= 6 and self.longest * 3 > self.items


def bank_lengths(items: Sequence[ItemText]) -> BankLengths:
    """The lengths over all items that are still drawn."""
    found = [lengths(choices_of(item)) for item in items if not item.retired]
    told = [each for each in found if each is not None]
    return BankLengths(sum(each.right_is_longest for each in told), len(told))


def choices_of(item: ItemText) -> Sequence[Any]:
    """The choices of an item of a kind that has some."""
    found: Sequence[Any] = getattr(item.content, "choices", ())
    return found


@dataclass(frozen=True, slots=True)
class ModuleMeasures:
    """A module as a whole."""

    words: int
    minutes: float  # lessons with their checks, and the items of one assessment
    grade: float | None
    coverage: list[Coverage]
    bank: BankLengths


def of_module(package: Package) -> ModuleMeasures:
    """The measures of a module that could be read."""
    lessons = [of_text(lesson.body) for lesson in package.lessons]
    return ModuleMeasures(
        words=sum(lesson.words for lesson in lessons),
        minutes=sum(lesson.minutes for lesson in lessons) + honest_minutes(0, package.assessment.draw),
        grade=reading_grade("\n\n".join(lesson.body for lesson in package.lessons)),
        coverage=coverage(package),
        bank=bank_lengths(package.items),
    )


def ends_in_check(page: PageSource) -> bool:
    """Whether a lesson has a check, as its last part."""
    rows = [row.strip() for row in page.body.rstrip().split("\n")]
    opened = [at for at, row in enumerate(rows) if row.startswith(":::") and row != ":::"]
    if not opened or rows[-1] != ":::" or not _OPEN.match(rows[opened[-1]]):
        return False
    last = _OPEN.match(rows[opened[-1]])
    return last is not None and last[1] == "check" and ":::" not in rows[opened[-1] + 1 : -1]
