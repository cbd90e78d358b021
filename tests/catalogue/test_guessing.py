"""Guessing does not pass: three ways to guess, a thousand draws of each module."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal.assessment.draw import Candidate, draw
from portal.catalogue import services
from portal.catalogue.checking import Checked

MODULES = Path(__file__).resolve().parents[2] / "modules"
DRAWS = 1_000
Choices = list[dict[str, Any]]
Guess = Callable[[Choices, int, random.Random], set[str]]


def longest(choices: Choices, count: int, chance: random.Random) -> set[str]:
    return {c["key"] for c in sorted(choices, key=lambda c: -len(c["html"]))[:count]}


def first(choices: Choices, count: int, chance: random.Random) -> set[str]:
    return {c["key"] for c in choices[:count]}


def at_random(choices: Choices, count: int, chance: random.Random) -> set[str]:
    return {c["key"] for c in chance.sample(choices, count)}


@pytest.fixture(scope="module")
def modules() -> dict[str, Checked]:
    return {m.package.key: m for m in services.read(MODULES).modules}


@pytest.mark.parametrize("guess", [longest, first, at_random])
@pytest.mark.parametrize("key", ["recognise", "protect", "respond", "report"])
def test_guessing_stays_far_below_mastery(modules, key, guess: Guess):
    module = modules[key]
    rules, chance = module.package.assessment, random.Random(2026)
    bank = dict(enumerate(module.items))
    right = {n: sorted(c["key"] for c in i.content["choices"] if c["correct"]) for n, i in bank.items()}
    candidates = [
        Candidate(n, i.item.outcome, tuple(right[n])) for n, i in bank.items() if not i.item.retired
    ]
    outcomes = [outcome.key for outcome in module.package.outcomes]
    scores = []
    for _ in range(DRAWS):
        drawn = draw(
            candidates,
            outcomes,
            count=rules.draw,
            at_least=rules.at_least_per_outcome,
            seen=(),
            chance=chance,
        )
        marks = [
            # The guesser even knows how many choices are correct, and meets them as they were written.
            guess(bank[d.id].content["choices"], len(right[d.id]), chance) == set(right[d.id])
            for d in drawn
        ]
        assert len(marks) >= rules.draw
        scores.append(sum(marks) / len(marks))

    mastery = float(module.package.mastery_score)
    assert sum(scores) / DRAWS < mastery - 0.3
    assert sum(score >= mastery for score in scores) <= DRAWS // 200


def test_the_right_choice_is_seldom_the_longest_and_stands_anywhere(modules):
    for module in modules.values():
        items = [i.content["choices"] for i in module.items if i.item.kind.name == "single"]
        longest_right = sum(max(c, key=lambda x: len(x["html"]))["correct"] for c in items)
        first_right = sum(c[0]["correct"] for c in items)

        assert longest_right <= len(items) / 3 + 1, module.package.key
        assert first_right <= len(items) / 2, module.package.key
