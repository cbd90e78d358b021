"""Random selection of an attempt's items; pure, given its source of chance."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CandidateItem:
    """An item that may be drawn."""

    id: int
    outcome: str
    choices: tuple[str, ...]  # keys
    duties: tuple[str, ...] = ()  # it is for; none: for all alike


OF_OWN_DUTY, FOR_ALL, OF_OTHER_DUTY = 4, 2, 1  # how likely, against each other, an item is to come first


def weight_item(item: CandidateItem, duties: Collection[str]) -> int:
    """How likely an item is to be drawn for a learner with these duties; never 0, so that all can be met."""
    if not item.duties:
        return FOR_ALL
    return OF_OWN_DUTY if set(item.duties) & set(duties) else OF_OTHER_DUTY


def draw_items(
    candidates: Sequence[CandidateItem],
    outcomes: Sequence[str],
    *,
    count: int,
    at_least: int,
    seen: Iterable[int],
    chance: random.Random,
    duties: Collection[str] = (),
) -> list[CandidateItem]:
    """Draw items at random, at least ``at_least`` for each outcome; shuffle them and their choices.

    Items that the learner has met least often in earlier attempts are drawn first; among those, items for
    one of the learner's duties are likelier to come first than items for all, and these than the others.
    Never more than ``count`` items unless the outcomes need more; all items if the bank has fewer.

    Args:
        candidates: The items of the module version that are not retired.
        outcomes: Keys of the outcomes.
        count: Items an attempt.
        at_least: Items for each outcome, as far as the bank has them.
        seen: Ids of items drawn in earlier attempts, once for each time.
        chance: Source of chance.
        duties: The learner's; none: every item is as likely as another.
    """
    pool = _order_at_random(candidates, duties, chance)
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


def _order_at_random(
    candidates: Sequence[CandidateItem], duties: Collection[str], chance: random.Random
) -> list[CandidateItem]:
    """Order at random so that at each place an item comes with a probability in proportion to its weight.

    Source: Efraimidis and Spirakis, Weighted random sampling with a reservoir (2006): sort by u ** (1 / w).
    """
    pool = list(candidates)
    chance.shuffle(pool)
    if not duties:
        return pool
    keys = {item.id: chance.random() ** (1 / weight_item(item, duties)) for item in pool}
    return sorted(pool, key=lambda item: keys[item.id], reverse=True)
