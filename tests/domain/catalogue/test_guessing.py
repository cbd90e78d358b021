"""Guessing does not pass: four ways to guess, a thousand draws of each module."""

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.domain.assessment.services import CandidateItem, draw_items
from portal.domain.catalogue import services
from portal.domain.catalogue.module_check import CheckedModule, RenderedItem
from portal.domain.item_kinds import kinds_by_name

MODULES = Path(__file__).resolve().parents[3] / "modules"
DRAWS = 1_000
Content = dict[str, Any]
Keys = Sequence[str]
Pick = Callable[[list[Content], random.Random], Content]


def longest(choices: list[Content], chance: random.Random) -> Content:
    return max(choices, key=lambda choice: len(choice["html"]))


def first(choices: list[Content], chance: random.Random) -> Content:
    return choices[0]


def at_random(choices: list[Content], chance: random.Random) -> Content:
    return chance.choice(choices)


def every_box(choices: list[Content], chance: random.Random) -> Content:
    return choices[-1]


def guessed(kind: str, content: Content, order: Keys, pick: Pick, chance: random.Random) -> list[str]:
    """What a guesser sends who reads nothing, but knows of each item how many choices are right.

    Choices are taken as they stand in the file, which is worse for the bank than the order of a draw; steps
    and matches are taken in the order of the draw, because the file has them in the right one.
    """
    if kind == "multiple":
        left = list(content["choices"])
        count = len(left) if pick is every_box else len(kinds_by_name()[kind].best_choices(content))
        return [left.pop(left.index(pick(left, chance)))["key"] for _ in range(count)]
    if kind == "report":
        parts = [part for part in content["parts"] if part["kind"] == "choice"]
        return [f"{part['key']}/{pick(part['choices'], chance)['key']}" for part in parts]
    return GUESSED[kind](content, order, pick, chance)


def chosen(content: Content, order: Keys, pick: Pick, chance: random.Random) -> list[str]:
    return [pick(content["choices"], chance)["key"]]


def placed(content: Content, order: Keys, pick: Pick, chance: random.Random) -> list[str]:
    """The first place to the longest step, or to the first shown, and so on."""
    left = sorted(content["steps"], key=lambda step: order.index(step["key"]))
    picked = [left.pop(left.index(pick(left, chance))) for _ in order]
    return [f"{step['key']}={place}" for place, step in enumerate(picked, 1)]


def matched(content: Content, order: Keys, pick: Pick, chance: random.Random) -> list[str]:
    """Each left side with an option of its own, the longest to the first, or as both are shown."""
    shown = sorted(content["options"], key=lambda option: order.index(option["key"]))
    left, given = list(shown), []
    for pair in content["pairs"]:
        option = left.pop(left.index(pick(left, chance)))
        given.append(f"{pair['key']}={option['key']}")
        left = left or list(shown)
    return given


def walked(content: Content, order: Keys, pick: Pick, chance: random.Random) -> list[str]:
    scenes, at, way = {scene["key"]: scene for scene in content["scenes"]}, content["start"], []
    while scenes[at]["choices"]:
        choice = pick(scenes[at]["choices"], chance)
        way.append(f"{at}/{choice['key']}")
        at = choice["to"]
    return way


GUESSED = {"single": chosen, "order": placed, "match": matched, "scenario": walked}


@pytest.fixture(scope="module")
def modules() -> dict[str, CheckedModule]:
    return {m.package.key: m for m in services.check_folder(MODULES).modules}


@pytest.mark.parametrize("pick", [longest, first, every_box, at_random])
@pytest.mark.parametrize("key", ["recognise", "protect", "respond", "report"])
def test_guessing_stays_far_below_mastery(modules, key, pick: Pick):
    module = modules[key]
    rules, chance = module.package.assessment, random.Random(2026)
    bank = dict(enumerate(module.items))
    candidates = [
        CandidateItem(n, i.item.outcome, tuple(i.item.kind.shufflable_keys(i.content)))
        for n, i in bank.items()
        if not i.item.retired
    ]
    outcomes = [outcome.key for outcome in module.package.outcomes]
    mastery, scores = module.package.mastery_score, []
    for _ in range(DRAWS):
        drawn = draw_items(
            candidates,
            outcomes,
            count=rules.draw,
            at_least=rules.at_least_per_outcome,
            seen=(),
            chance=chance,
        )
        marks = [_mark(bank[d.id], d.choices, pick, chance) for d in drawn]
        assert len(marks) >= rules.draw
        scores.append(sum(marks, Decimal(0)) / len(marks))

    assert sum(scores, Decimal(0)) / DRAWS < mastery - Decimal("0.3")
    assert sum(score >= mastery for score in scores) <= DRAWS // 200


def _mark(item: RenderedItem, order: Keys, pick: Pick, chance: random.Random) -> Decimal:
    kind = item.item.kind
    return kind.mark_answer(item.content, guessed(kind.name, item.content, order, pick, chance))


def test_each_kind_is_guessed_at(modules):
    used = {item.item.kind.name for module in modules.values() for item in module.items}

    assert used == set(kinds_by_name()) == {*GUESSED, "multiple", "report"}


def test_the_right_choice_is_seldom_the_longest_and_stands_anywhere(modules):
    for module in modules.values():
        items = [i.content["choices"] for i in module.items if i.item.kind.name == "single"]
        longest_right = sum(max(c, key=lambda x: len(x["html"]))["correct"] for c in items)
        first_right = sum(c[0]["correct"] for c in items)

        assert longest_right <= len(items) / 3 + 1, module.package.key
        assert first_right <= len(items) / 2, module.package.key
