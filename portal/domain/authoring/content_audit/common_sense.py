"""The key of a sensible reader who has not seen the lessons: a sheet to answer, and the answers kept.

The sheet has the questions of a bank in an order without meaning, with choices shuffled, and nothing that
says which is right. A filled-in sheet becomes ``common-sense.toml`` beside the bank. An answer belongs to the
words that were read: when an author changes them, it no longer counts, and the audit says so.
"""

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.domain.authoring.content_audit.bank import AuditItem, Bank
from portal.domain.catalogue.sources.folder_reader import COMMON_SENSE
from portal.domain.item_kinds.base import plain_text
from portal.domain.item_kinds.match_answers import format_pairs
from portal.platform.errors import BadInputError
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import Source

LETTERS = "abcdefgh"
CASE_KINDS = frozenset({"scenario", "report"})  # too long for a letter; the audit counts them as right

HEADER = """\
# What a sensible reader answered who had not seen the lessons of this module; never shown to learners.
# Written by “flask modules sense-key” from a filled-in sheet; “make content-audit” plays it.
"""
SHEET_HEAD = """\
# Questions to answer by common sense

For a reader who has not seen the lessons. Write after “Answer:” the letter of the choice that you think
best. Where two or more are asked for, write so many letters. Steps: all letters, in order. Pairs: a letter
for each number, in the order of the numbers. Leave nothing empty; where you do not know, guess.
"""
_ANSWER = re.compile(r"^## ([0-9a-f]{10})\n.*?^Answer:[ \t]*([a-h ]*)$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class SenseAnswer:
    """One answer of the reader."""

    item: str  # its key
    words: str  # the mark of the words that were read
    choices: tuple[str, ...]  # as a response holds them
    blind: bool  # False: written by somebody who knew the lessons, as what such a reader would choose


class SenseKey:
    """The reader's answers to one bank."""

    def __init__(self, answers: Iterable[SenseAnswer]) -> None:
        self._by_words = {(answer.item, answer.words): answer for answer in answers}

    def find(self, item: AuditItem) -> SenseAnswer | None:
        """The answer to these words; None if there is none."""
        return self._by_words.get((item.key, item.mark))

    def choose(self, item: AuditItem, _order: Sequence[str] = ()) -> Sequence[str]:
        """Answer as the reader did; without an answer, right: nobody fails for what was not asked."""
        answer = self.find(item)
        return answer.choices if answer else item.kind.best_choices(item.content)

    def is_blind(self, item: AuditItem) -> bool:
        """Whether these words were answered by somebody who had not seen the lessons."""
        answer = self.find(item)
        return answer is not None and answer.blind

    def guesser(self, seed: int) -> Callable[[AuditItem, Sequence[str]], Sequence[str]]:
        """Answer as the blind reader did, and guess where the answer is not blind."""
        chance = random.Random(seed)  # noqa: S311 - a simulation that must repeat

        def choose(item: AuditItem, order: Sequence[str]) -> Sequence[str]:
            is_guess = self.find(item) is not None and not self.is_blind(item)
            return item.kind.random_choices(item.content, chance) if is_guess else self.choose(item, order)

        return choose

    def is_right(self, item: AuditItem) -> bool:
        """Whether the reader earns the full mark."""
        return item.kind.mark_answer(item.content, self.choose(item)) == 1


def read_key(module: str, files: Mapping[str, bytes]) -> SenseKey:
    """Read the key beside a bank; empty if there is none.

    Raises:
        BadInputError: The file cannot be read.
    """
    if COMMON_SENSE not in files:
        return SenseKey(())
    faults = Faults()
    root = Source(files[COMMON_SENSE].decode(), f"{module}/{COMMON_SENSE}", faults).root()
    answers = []
    for table in root.tables("answer") if root else ():
        choices = tuple(table.texts("choices"))
        answers.append(SenseAnswer(table.text("item"), table.text("words"), choices, table.flag("blind")))
        table.close()
    faults.refuse()
    return SenseKey(answers)


def format_key(answers: Iterable[SenseAnswer]) -> str:
    """Format answers as the file beside the bank."""
    rows = [
        f'\n[[answer]]\nitem = "{answer.item}"\nwords = "{answer.words}"\n'
        f"choices = {json.dumps(answer.choices)}\n"
        f"blind = {str(answer.blind).lower()}\n"
        for answer in sorted(answers, key=lambda answer: answer.item)
    ]
    return HEADER + "".join(rows)


def format_sheet(banks: Sequence[Bank], *, only_open: Mapping[str, SenseKey] | None = None) -> str:
    """Format the sheet to answer.

    Args:
        banks: Their questions, all mixed.
        only_open: The keys by module; questions that have a blind answer are left out.
    """
    items = [
        item
        for bank in banks
        for item in bank.items
        if item.kind.name not in CASE_KINDS and not (only_open and only_open[bank.module].is_blind(item))
    ]
    return SHEET_HEAD + "".join(_question(item) for item in sorted(items, key=lambda item: item.mark))


def read_sheet(sheet: str, banks: Sequence[Bank], *, blind: bool) -> dict[str, list[SenseAnswer]]:
    """Read a filled-in sheet: the answers by module.

    Raises:
        BadInputError: An answer has letters that its question does not have, or too many or too few.
    """
    letters = {mark: typed.replace(" ", "") for mark, typed in _ANSWER.findall(sheet)}
    answers: dict[str, list[SenseAnswer]] = {}
    problems = []
    for bank in banks:
        for item in bank.items:
            typed = letters.get(item.mark, "")
            choices = _choices_of(item, typed) if typed else []
            if typed and not _is_whole(item, choices):
                problems.append(f"{item.mark}: “{typed}” is no answer to “{item.prompt}”")
            elif typed:
                answer = SenseAnswer(item.key, item.mark, tuple(choices), blind)
                answers.setdefault(bank.module, []).append(answer)
    if problems:
        raise BadInputError(problems)
    return answers


def merge_answers(kept: SenseKey, new: Iterable[SenseAnswer], bank: Bank) -> list[SenseAnswer]:
    """The answers to the words of today: new ones first, then those kept."""
    by_item = {answer.item: answer for item in bank.items if (answer := kept.find(item))}
    return list((by_item | {answer.item: answer for answer in new}).values())


def _shuffled_keys(item: AuditItem) -> list[str]:
    """The choices in the order of the sheet, which depends on the words alone."""
    keys = sorted(item.texts, key=lambda key: item.texts[key])
    random.Random(item.mark).shuffle(keys)  # noqa: S311 - nothing to guess
    return keys


def _question(item: AuditItem) -> str:
    lines = [f"\n## {item.mark}", "", *([item.case] if item.case else []), f"**{item.prompt}**", ""]
    lines += [f"{n}. {plain_text(pair['left_html'])}" for n, pair in enumerate(_pairs(item), 1)]
    lines += [f"- {letter}: {item.texts[key]}" for letter, key in _lettered(item)]
    return "\n".join([*lines, "", "Answer:", ""])


def _lettered(item: AuditItem) -> Iterator[tuple[str, str]]:
    return zip(LETTERS, _shuffled_keys(item), strict=False)


def _is_whole(item: AuditItem, choices: Sequence[str]) -> bool:
    is_one = len(choices) == 1 or item.kind.name != "single"
    return is_one and item.kind.is_complete(item.content, choices)


def _pairs(item: AuditItem) -> Sequence[Mapping[str, str]]:
    """The pairs of a match by their left sides: the file may have them in a telling order."""
    return sorted(item.content.get("pairs", ()), key=lambda pair: str(pair["left_html"]))


def _choices_of(item: AuditItem, typed: str) -> list[str]:
    """The letters as a response holds them; letters that are not on the sheet are left out."""
    by_letter = dict(_lettered(item))
    keys = [by_letter[letter] for letter in typed if letter in by_letter]
    if item.kind.name == "order":
        return format_pairs({key: str(place) for place, key in enumerate(keys, 1)})
    if item.kind.name == "match":
        return format_pairs(dict(zip([pair["key"] for pair in _pairs(item)], keys, strict=False)))
    return keys
