"""Which questions a recall asks. Pure, given its source of chance."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

QUESTIONS = 3


@dataclass(frozen=True, slots=True)
class RecallCandidate:
    """An item of the bank that may be asked."""

    key: str
    outcome: str


def draw_questions(
    bank: Sequence[RecallCandidate], earlier: Sequence[dict[str, bool]], chance: random.Random
) -> list[RecallCandidate]:
    """Draw up to three items: of outcomes that went wrong last time first, then those asked longest ago.

    One item of an outcome before a second. What was asked last time is asked again only where the bank has
    too few others.

    Args:
        bank: The items that may be asked.
        earlier: For each earlier recall, the earliest first: whether each item, by its key, was right.
        chance: Decides between items that are alike.
    """
    last = earlier[-1] if earlier else {}
    asked_in = {key: number for number, recall in enumerate(earlier, 1) for key in recall}
    pool = list(bank)
    chance.shuffle(pool)
    pool.sort(key=lambda item: asked_in.get(item.key, 0))  # stable: chance decides among equals
    weak = {item.outcome for item in bank if last.get(item.key) is False}
    by_need = sorted(pool, key=lambda item: item.outcome not in weak)
    fresh = [item for item in by_need if item.key not in last]
    first_of_outcome = list({item.outcome: item for item in reversed(fresh)}.values())[::-1]
    ordered = [*first_of_outcome, *fresh, *by_need]
    return list(dict.fromkeys(ordered))[:QUESTIONS]
