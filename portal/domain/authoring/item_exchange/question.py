"""A question of another system's file, and what becomes of it in the portal.

Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.domain.authoring.editing.toml_writer import format_members
from portal.domain.authoring.findings.messages import author_message
from portal.domain.authoring.item_exchange.markup import Markup, join_inline, join_markups
from portal.domain.catalogue.sources.items import read_scored_item
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import KEY, LONGEST_KEY, Source

MOST_QUESTIONS = 200  # of one file
LONGEST_TEXT = 20_000  # characters of one question
LONGEST_NAME = 120
PLACEHOLDER = "x"  # stands in for what an author may add later, while the rest is checked
DEFAULT_SOURCE = "practice"

NO_EXPLANATION = "It has no explanation. Write one before you send the draft for review."
NO_FEEDBACK = "Not every choice has feedback. Write it before you send the draft for review."
WHOLE_MARK = "The file gives marks for parts of the answer. Here only the whole right answer gets the mark."
MINUS = "The file takes marks off for wrong answers. Here a wrong answer gets none."
SHUFFLED = "The file keeps its answers in their order. Here each attempt shuffles them."
PARTLY = "It gives part of the mark for a second answer. Here a question has one right answer, or all count."
EITHER = "Several answers are right, and one of them is enough. Here a question has one right answer, or all."


@dataclass(slots=True)
class RawChoice:
    """An answer to choose, with its share of the mark in per cent."""

    text: Markup
    share: float
    feedback: Markup = field(default_factory=Markup)
    key: str = ""


@dataclass(slots=True)
class RawQuestion:
    """A question as its file has it; ``kind`` is empty where the portal has none like it."""

    name: str = ""
    key: str = ""
    kind: str = ""
    text: Markup = field(default_factory=Markup)
    explanation: Markup = field(default_factory=Markup)
    choices: list[RawChoice] = field(default_factory=list)
    steps: list[tuple[str, Markup]] = field(default_factory=list)  # key and text, in the right order
    pairs: list[tuple[str, Markup, Markup]] = field(default_factory=list)  # key, left and right
    extra: list[Markup] = field(default_factory=list)  # right sides that belong to no pair
    outcome: str = ""
    source: list[str] = field(default_factory=list)
    retired: bool = False
    reasons: list[str] = field(default_factory=list)  # why it cannot come
    warnings: list[str] = field(default_factory=list)

    def refuse(self, reason: str) -> None:
        """Note a reason why it cannot come."""
        self.reasons.append(reason)

    def warn(self, *warnings: str) -> None:
        """Note what becomes of it, or is left to do."""
        self.warnings += warnings


@dataclass(frozen=True, slots=True)
class ForeignQuestion:
    """A question of a file: the item that it becomes, or the reasons why it cannot come."""

    number: int  # in its file, from 1
    name: str
    kind: str  # of the portal; empty: it cannot come
    table: dict[str, Any]  # as the bank holds it, without outcome; empty: it cannot come
    outcome: str  # that the file names; empty: none
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    repeats: str = ""  # the key of the bank's question with the same words; empty: none


def build_question(raw: RawQuestion, number: int) -> ForeignQuestion:
    """Turn a question as read into an item, or say why it cannot come."""
    table: dict[str, Any] = {}
    if not raw.reasons:
        table = _build_table(raw, number)
    for markup in _markups_of(raw):
        raw.reasons += markup.refusals
        raw.warnings += markup.losses
    if not raw.reasons:
        raw.reasons += find_faults(table)
    reasons = tuple(dict.fromkeys(raw.reasons))
    name = " ".join((raw.name or raw.text.join_blocks()).split())[:LONGEST_NAME] or f"Question {number}"
    return ForeignQuestion(
        number=number,
        name=name,
        kind="" if reasons else str(table["kind"]),
        table={} if reasons else table,
        outcome=raw.outcome,
        reasons=reasons,
        warnings=() if reasons else tuple(dict.fromkeys(raw.warnings)),
    )


def propose_key(*texts: str) -> str:
    """A key for the bank: the first text that is one, else one made from the words.

    >>> propose_key("", "Wer hilft, und wann? (2)"), propose_key("define-exit")
    ('wer-hilft-und-wann-2', 'define-exit')
    """
    for text in texts:
        if KEY.fullmatch(text) and len(text) <= LONGEST_KEY:
            return text
    words = re.findall(r"[a-z0-9]+", next(filter(None, texts), "").lower())
    key = ""
    for word in words:
        if len(key) + len(word) > 40:
            break
        key = f"{key}-{word}" if key else word
    return key or "question"


def _build_table(raw: RawQuestion, number: int) -> dict[str, Any]:
    stimulus, prompt = raw.text.split_prompt()
    if not prompt:
        raw.refuse("It has no text that asks something.")
    if len(raw.text.join_blocks()) > LONGEST_TEXT:
        raw.refuse(f"Its text has more than {LONGEST_TEXT:,} characters.")
    explanation = join_inline(raw.explanation)
    if not explanation:
        raw.warn(NO_EXPLANATION)
    body = _BODIES[raw.kind](raw)
    common = {
        "key": propose_key(raw.key, raw.name, join_inline(raw.text) or f"question-{number}"),
        "kind": raw.kind,
        "source": raw.source[0] if len(raw.source) == 1 else raw.source or DEFAULT_SOURCE,
        "stimulus": stimulus,
        "prompt": prompt,
        "explanation": explanation,
        "retired": raw.retired or None,
    }
    return {name: value for name, value in common.items() if value} | body


def _choice_body(raw: RawQuestion) -> dict[str, Any]:
    _check_marks(raw)
    if any(not join_inline(choice.feedback) for choice in raw.choices):
        raw.warn(NO_FEEDBACK)
    rows = []
    for key, choice in zip(_free_keys([choice.key for choice in raw.choices]), raw.choices, strict=True):
        row: dict[str, Any] = {"key": key, "text": join_inline(choice.text)}
        if feedback := join_inline(choice.feedback):
            row["feedback"] = feedback
        if choice.share > 0:
            row["correct"] = True
        rows.append(row)
    if len({row["text"] for row in rows}) < len(rows):
        raw.refuse("Two of its answers have the same text.")
    return {"choice": rows}


def _check_marks(raw: RawQuestion) -> None:
    """Decide between one right answer and several; marks that the portal cannot give are named."""
    right = [choice.share for choice in raw.choices if choice.share > 0]
    if any(choice.share < 0 for choice in raw.choices):
        raw.warn(MINUS)
    if not right:
        raw.refuse("None of its answers is right.")
    elif raw.kind == "single":
        if len(right) > 1 or right != [100]:
            raw.refuse(EITHER if right.count(100) > 1 else PARTLY)
    elif len(right) == 1:
        raw.kind = "single"
        raw.warn("It lets people choose several answers, and one is right. Here they choose one.")
    elif max(right) == 100 > min(right):
        raw.refuse(PARTLY)
    elif min(right) < 100:
        raw.warn(WHOLE_MARK)


def _order_body(raw: RawQuestion) -> dict[str, Any]:
    keys = _free_keys([key for key, _ in raw.steps])
    return {
        "step": [{"key": k, "text": join_inline(text)} for k, (_, text) in zip(keys, raw.steps, strict=True)]
    }


def _match_body(raw: RawQuestion) -> dict[str, Any]:
    keys = _free_keys([key for key, _, _ in raw.pairs], digits=True)
    pairs = [
        {"key": key, "left": join_inline(left), "right": join_inline(right)}
        for key, (_, left, right) in zip(keys, raw.pairs, strict=True)
    ]
    rights = {pair["right"] for pair in pairs}
    extra = [text for markup in raw.extra if (text := join_inline(markup)) not in rights]
    return ({"extra_right": list(dict.fromkeys(extra))} if extra else {}) | {"pair": pairs}


_BODIES = {"single": _choice_body, "multiple": _choice_body, "order": _order_body, "match": _match_body}


def _free_keys(proposed: Sequence[str], *, digits: bool = False) -> list[str]:
    """The proposed keys, if each is one and none is used twice; else letters or numbers."""
    if len(set(proposed)) == len(proposed) and all(
        KEY.fullmatch(key) and len(key) <= LONGEST_KEY for key in proposed
    ):
        return list(proposed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    if digits or len(proposed) > len(letters):
        return [str(number) for number in range(1, len(proposed) + 1)]
    return list(letters[: len(proposed)])


def find_faults(table: dict[str, Any]) -> Iterable[str]:
    """What the reader of banks would refuse in the item, apart from what an author can add later."""
    complete = {"outcome": PLACEHOLDER, "explanation": PLACEHOLDER} | table
    faults = Faults()
    try:
        if "choice" in table:
            complete["choice"] = [{"feedback": PLACEHOLDER} | row for row in table["choice"]]
        text = format_members({"item": [complete]})
    except (TypeError, ValueError, RecursionError):
        return ["It cannot be written to a bank."]
    root = Source(text, "", faults).root()
    if root is not None:
        for row in root.tables("item", "[[item]]"):
            read_scored_item(row, "")
    return [author_message(fault.reason, {}) for fault in faults.listed()]


def _markups_of(raw: RawQuestion) -> list[Markup]:
    texts = [raw.text, raw.explanation, *raw.extra]
    texts += [markup for choice in raw.choices for markup in (choice.text, choice.feedback)]
    texts += [markup for _, markup in raw.steps]
    texts += [markup for _, left, right in raw.pairs for markup in (left, right)]
    return texts


def merge_texts(markups: Iterable[Markup]) -> Markup:
    """Several texts one after the other, without those that are repeated."""
    merged: list[Markup] = []
    for markup in markups:
        if markup.blocks and markup.blocks not in [other.blocks for other in merged]:
            merged.append(markup)
    return join_markups(merged)
