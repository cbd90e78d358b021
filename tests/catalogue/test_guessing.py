"""Guessing does not pass: four ways to guess, a thousand draws of each module."""

import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.assessment.draw import Candidate, draw
from portal.catalogue import services
from portal.catalogue.checking import Checked, RenderedItem
from portal.kinds import kinds

MODULES = Path(__file__).resolve().parents[2] / "modules"
DRAWS = 1_000
Content = dict[str, Any]
Pick = Callable[[list[Content], random.Random], Content]


def longest(choices: list[Content], chance: random.Random) -> Content:
    return max(choices, key=lambda choice: len(choice["html"]))


def first(choices: list[Content], chance: random.Random) -> Content:
    return choices[0]


def at_random(choices: list[Content], chance: random.Random) -> Content:
    return chance.choice(choices)


def every_box(choices: list[Content], chance: random.Random) -> Content:
    return choices[-1]


def guessed(kind: str, content: Content, pick: Pick, chance: random.Random) -> list[str]:
    """What a guesser sends who reads nothing, but knows of each item how many choices are right."""
    if kind == "multiple":
        left = list(content["choices"])
        count = len(left) if pick is every_box else len(kinds()[kind].best(content))
        return [left.pop(left.index(pick(left, chance)))["key"] for _ in range(count)]
    if kind == "single":
        return [pick(content["choices"], chance)["key"]]
    if kind == "report":
        parts = [part for part in content["parts"] if part["kind"] == "choice"]
        return [f"{part['key']}/{pick(part['choices'], chance)['key']}" for part in parts]
    if kind == "scenario":
        return walked(content, pick, chance)
    return kinds()[kind].guess(content, chance)


def walked(content: Content, pick: Pick, chance: random.Random) -> list[str]:
    scenes, at, way = {scene["key"]: scene for scene in content["scenes"]}, content["start"], []
    while scenes[at]["choices"]:
        choice = pick(scenes[at]["choices"], chance)
        way.append(f"{at}/{choice['key']}")
        at = choice["to"]
    return way


@pytest.fixture(scope="module")
def modules() -> dict[str, Checked]:
    return {m.package.key: m for m in services.read(MODULES).modules}


@pytest.mark.parametrize("pick", [longest, first, every_box, at_random])
@pytest.mark.parametrize("key", ["recognise", "protect", "respond", "report"])
def test_guessing_stays_far_below_mastery(modules, key, pick: Pick):
    module = modules[key]
    rules, chance = module.package.assessment, random.Random(2026)
    bank = dict(enumerate(module.items))
    candidates = [Candidate(n, i.item.outcome, ()) for n, i in bank.items() if not i.item.retired]
    outcomes = [outcome.key for outcome in module.package.outcomes]
    mastery, scores = module.package.mastery_score, []
    for _ in range(DRAWS):
        drawn = draw(
            candidates,
            outcomes,
            count=rules.draw,
            at_least=rules.at_least_per_outcome,
            seen=(),
            chance=chance,
        )
        marks = [_mark(bank[d.id], pick, chance) for d in drawn]
        assert len(marks) >= rules.draw
        scores.append(sum(marks, Decimal(0)) / len(marks))

    assert sum(scores, Decimal(0)) / DRAWS < mastery - Decimal("0.3")
    assert sum(score >= mastery for score in scores) <= DRAWS // 200


def _mark(item: RenderedItem, pick: Pick, chance: random.Random) -> Decimal:
    kind = item.item.kind
    return kind.mark(item.content, guessed(kind.name, item.content, pick, chance))


def test_the_right_choice_is_seldom_the_longest_and_stands_anywhere(modules):
    for module in modules.values():
        items = [i.content["choices"] for i in module.items if i.item.kind.name == "single"]
        longest_right = sum(max(c, key=lambda x: len(x["html"]))["correct"] for c in items)
        first_right = sum(c[0]["correct"] for c in items)

        assert longest_right <= len(items) / 3 + 1, module.package.key
        assert first_right <= len(items) / 2, module.package.key
