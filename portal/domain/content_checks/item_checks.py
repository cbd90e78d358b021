"""Checks items: prompts that ask one thing, choices that do not give the answer away, scenarios."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from portal.domain.catalogue.sources.items import ItemText
from portal.domain.catalogue.sources.module_source import Package
from portal.domain.content_checks import metrics
from portal.platform.formats.faults import Fault

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
