"""What the brief asks of items: scenarios among them, choices that do not tell, stems that ask one thing."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from portal.domain.catalogue.sources.items import ItemText
from portal.domain.catalogue.sources.module_source import Package
from portal.domain.content_checks import metrics
from portal.platform.formats.faults import Fault

CHOICES = range(3, 6)
EXPLAINED = range(2, 4)  # sentences
WITH_A_CASE = frozenset({"scenario", "report"})  # kinds that tell one in their content
DECISIONS = range(4, 7)

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


def bank(package: Package) -> Iterator[Fault]:
    """Where the items of a module fall short; retired ones aside."""
    held = [item for item in package.items if not item.retired]
    for item in held:
        yield from wording(item)
        yield from _explained(item)
    yield from _cases(package, held)
    yield from _longest(package, held)
    yield from _positions(package, held)
    yield from _scenarios(package, held)


def checks(package: Package, found: list[ItemText]) -> Iterator[Fault]:
    """Where the checks of a module's lessons fall short; their choices are not shuffled."""
    for item in found:
        yield from wording(item)
    first = Counter(
        next((n for n, choice in enumerate(metrics.choices_of(item), 1) if choice.correct), 0)
        for item in found
    )
    for position, count in sorted(first.items()):
        if position and len(found) > 2 and count * 2 > len(found):
            reason = f"In {count} of {len(found)} checks choice {position} is right. Move some."
            yield Fault(package.module_file, None, reason)


def wording(item: ItemText) -> Iterator[Fault]:
    """Where the words of one item fall short, be it a check or scored."""
    if item.prompt.count("?") > 1:
        yield _of(item, "asks more than one thing. Ask one.")
    if found := _negative(item.prompt):
        yield _of(item, f"has a negative stem: “{found}”. Ask for what is right, so that nobody misreads it.")
    choices = metrics.choices_of(item)
    if choices and len(choices) not in CHOICES:
        yield _of(item, f"has {len(choices)} choices. Write {CHOICES[0]} to {CHOICES[-1]}.")
    for choice in choices:
        if caught := _CATCH_ALL.search(choice.text):
            yield Fault(
                item.path,
                choice.line,
                f"“{caught[0].strip()}” tells without knowledge. Write a choice that stands alone.",
            )
    lengths = metrics.lengths(choices)
    if lengths is not None and lengths.tells:
        yield _of(
            item,
            f"gives its right choice away: it has {lengths.right} characters, the wrong ones at most"
            f" {lengths.wrong}. Make them alike.",
        )
    yield from _feedback(item)


def _of(item: ItemText, said: str) -> Fault:
    return Fault(item.path, item.line, f"The item “{item.key}” {said}")


def _negative(prompt: str) -> str:
    """The negation by which a stem asks for the wrong one; empty where it does not.

    A question with “which” may hold none at all; in any other, what a clause says is no part of what is asked
    (“What happens to reports that are not sent?”), and “why” asks for a reason.
    """
    asked = [part for part in _SENTENCE.split(_QUOTED.sub("", prompt)) if part.strip()][-1:]
    text = asked[0].strip() if asked else ""
    opening = text.partition(" ")[0].lower()
    if opening == "why":
        return ""
    if opening not in {"which", "select", "choose"}:
        text = opening + _CLAUSE.split(text[len(opening) :])[0]
    found = _NEGATIVE.search(text)
    return found[0] if found and not (opening == "what" and found[0].lower() == "wrong") else ""


def _feedback(item: ItemText) -> Iterator[Fault]:
    first: dict[str, Any] = {}
    for choice in metrics.choices_of(item):
        if choice.feedback in first:
            reason = "Two choices of this item have the same feedback. Tell each why it is right or wrong."
            yield Fault(item.path, choice.line, reason)
        first[choice.feedback] = choice


def _explained(item: ItemText) -> Iterator[Fault]:
    count = len([part for part in re.split(r"(?<=[.!?])[”’\"')*]*\s+", item.explanation.strip()) if part])
    if count not in EXPLAINED:
        yield _of(item, f"is explained in {count} sentences. Write two or three that teach.")


def _cases(package: Package, held: list[ItemText]) -> Iterator[Fault]:
    cases = sum(bool(item.stimulus.strip()) or item.kind.name in WITH_A_CASE for item in held)
    if cases * 3 < len(held):
        reason = (
            f"{cases} of {len(held)} items begin with a case. Give a third of them one, under “stimulus”."
        )
        yield Fault(package.module_file, None, reason)


def _longest(package: Package, held: list[ItemText]) -> Iterator[Fault]:
    found = metrics.bank_lengths(held)
    if found.longest * 3 > found.items:
        reason = (
            f"The right choice is the longest in {found.longest} of {found.items} items. Bring that to a"
            " third or less."
        )
        yield Fault(package.module_file, None, reason)


def _positions(package: Package, held: list[ItemText]) -> Iterator[Fault]:
    """Each position may differ from its even share by a third of it, or by two items where that is more.

    An author places choices at will, so no chance has to be allowed for, as a test of significance would;
    the margin is for shares that do not divide, and for small banks.
    """
    right: Counter[int] = Counter()
    share: dict[int, float] = {}
    for item in held:
        choices = metrics.choices_of(item)
        correct = [n for n, choice in enumerate(choices, 1) if choice.correct]
        right.update(correct)
        for n in range(1, len(choices) + 1):
            share[n] = share.get(n, 0.0) + len(correct) / len(choices)
    for n, even in sorted(share.items()):
        if abs(right[n] - even) > max(2, even / 3):
            reason = (
                f"Right choices stand at position {n} {right[n]} times, where {even:.0f} would be even. Move"
                " some."
            )
            yield Fault(package.module_file, None, reason)


def _scenarios(package: Package, held: list[ItemText]) -> Iterator[Fault]:
    scenarios = [item for item in held if item.kind.name == "scenario"]
    if not scenarios:
        reason = "There is no branching scenario. Write an item of kind “scenario”."
        yield Fault(package.module_file, None, reason)
    for item in scenarios:
        scenes = {scene.key: scene for scene in item.content.scenes}
        longest = _decisions(scenes, item.content.start)
        if longest not in DECISIONS:
            yield _of(
                item,
                f"has {longest} decisions on its longest way. Write {DECISIONS[0]} to {DECISIONS[-1]}.",
            )
        for scene in scenes.values():
            if not scene.choices and not scene.debrief:
                reason = f"The end “{scene.key}” has no debrief. Say what a good officer weighs."
                yield Fault(item.path, scene.table.line, reason)


def _decisions(scenes: dict[str, Any], at: str) -> int:
    """How many decisions the longest way from a scene has; the format allows no circle."""
    known: dict[str, int] = {}

    def longest(key: str) -> int:
        if key not in known:
            known[key] = max((1 + longest(choice.to) for choice in scenes[key].choices), default=0)
        return known[key]

    return longest(at)
