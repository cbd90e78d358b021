"""When a module is recalled again. Pure: days in, a day out, whatever the time zone of the machine.

The state of a memory is computed anew from the recalls each time; none of it is stored.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from fsrs import Card, Rating, Scheduler

LEAST_DAYS = 7  # from a pass to its first recall, and from one recall to the next
MOST_DAYS = 84  # twelve weeks


@dataclass(frozen=True, slots=True)
class Recall:
    """One recall of a module: its London day, and how many of its questions were answered right."""

    day: date
    right: int
    asked: int


class IntervalRule(Protocol):
    """What decides how long a module is left alone."""

    def days_to_next(self, passed_on: date, recalls: Sequence[Recall]) -> int:
        """Days from the last of these recalls to the next, by this rule alone.

        Args:
            passed_on: The day on which the module was passed.
            recalls: One or more, the earliest first.
        """


class FsrsRule:
    """The rule of py-fsrs, with its own parameters and without chance: a pass and each recall are reviews."""

    def __init__(self) -> None:
        self._scheduler = Scheduler(
            learning_steps=(), relearning_steps=(), maximum_interval=MOST_DAYS, enable_fuzzing=False
        )

    def days_to_next(self, passed_on: date, recalls: Sequence[Recall]) -> int:
        """As ``IntervalRule`` says."""
        card, _ = self._scheduler.review_card(Card(card_id=1), Rating.Good, _instant_of(passed_on))
        for recall in recalls:
            card, _ = self._scheduler.review_card(card, _rate(recall), _instant_of(recall.day))
        return (card.due - _instant_of(recalls[-1].day)).days


def next_recall_on(passed_on: date, recalls: Sequence[Recall], rule: IntervalRule) -> date:
    """The London day from which a module may be recalled again.

    A week after the pass at the earliest; then as the rule says, but never less than a week and never more
    than twelve weeks after the last recall.

    Args:
        passed_on: The day of the latest pass.
        recalls: The recalls since that pass, in any order.
        rule: What decides between a week and twelve.
    """
    if not recalls:
        return passed_on + timedelta(days=LEAST_DAYS)
    in_order = sorted(recalls, key=lambda recall: recall.day)
    days = min(MOST_DAYS, max(LEAST_DAYS, rule.days_to_next(passed_on, in_order)))
    return in_order[-1].day + timedelta(days=days)


def _rate(recall: Recall) -> Rating:
    """All right is good, one wrong is hard, more is forgotten."""
    wrong = recall.asked - recall.right
    return Rating.Good if wrong <= 0 else Rating.Hard if wrong == 1 else Rating.Again


def _instant_of(day: date) -> datetime:
    """Noon UTC of a day, so that the scheduler counts whole days in every night that changes the clocks."""
    return datetime.combine(day, time(12), UTC)


# Which questions a recall asks. Pure, given its source of chance.

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
