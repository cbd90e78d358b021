"""Random selection of an attempt's items; pure, given its source of chance."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CandidateItem:
    """An item that may be drawn."""

    id: int
    outcome: str
    choices: tuple[str, ...]  # keys


def draw_items(
    candidates: Sequence[CandidateItem],
    outcomes: Sequence[str],
    *,
    count: int,
    at_least: int,
    seen: Iterable[int],
    chance: random.Random,
) -> list[CandidateItem]:
    """Draw items at random, at least ``at_least`` for each outcome; shuffle them and their choices.

    Items that the learner has met least often in earlier attempts are drawn first. Never more than ``count``
    items unless the outcomes need more; all items if the bank has fewer.

    Args:
        candidates: The items of the module version that are not retired.
        outcomes: Keys of the outcomes.
        count: Items an attempt.
        at_least: Items for each outcome, as far as the bank has them.
        seen: Ids of items drawn in earlier attempts, once for each time.
        chance: Source of chance.
    """
    pool = list(candidates)
    chance.shuffle(pool)
    times_seen = Counter(seen)
    pool.sort(key=lambda candidate: times_seen[candidate.id])  # stable: random among those seen equally often
    picked: list[CandidateItem] = []
    for outcome in outcomes:
        picked += [candidate for candidate in pool if candidate.outcome == outcome][:at_least]
    rest = [candidate for candidate in pool if candidate not in picked]
    picked += rest[: max(0, count - len(picked))]
    chance.shuffle(picked)
    return [
        CandidateItem(item.id, item.outcome, tuple(chance.sample(item.choices, len(item.choices))))
        for item in picked
    ]
