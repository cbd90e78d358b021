"""Plays attempts drawn as in the assessment, and counts passes. Pure; the same seed plays the same draws."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.assessment.models import reaches_mastery
from portal.domain.authoring.content_audit.bank import AuditItem, Bank

DRAWS = 1_000
Answerer = Callable[
    [AuditItem, Sequence[str]], Sequence[str]
]  # an item and the order shown; choices as stored


@dataclass(frozen=True)
class PlayResult:
    """What a way of answering reaches in one module."""

    passes: int
    draws: int
    mean: float  # scaled score, 0 to 1

    @property
    def pass_share(self) -> float:
        """The share of attempts that pass."""
        return self.passes / self.draws


def play(bank: Bank, answer: Answerer, *, draws: int = DRAWS, seed: int = 1) -> PlayResult:
    """Answer as many attempts as ``draws`` and count those that reach mastery."""
    chance = random.Random(seed)  # noqa: S311 - a simulation that must repeat
    mastery = Decimal(str(bank.mastery))
    passes, total = 0, Decimal(0)
    for _ in range(draws):
        attempt = bank.draw_attempt(chance)
        marks = sum(
            (item.kind.mark_answer(item.content, answer(item, order)) for item, order in attempt), Decimal(0)
        )
        passes += reaches_mastery(marks, len(attempt), mastery)
        total += marks / len(attempt)
    return PlayResult(passes, draws, float(total / draws))


def share_right(items: Sequence[AuditItem], answer: Answerer) -> float:
    """The mean mark over every item of a bank, each shown in the author's order."""
    marks = [
        item.kind.mark_answer(item.content, answer(item, item.kind.shufflable_keys(item.content)))
        for item in items
    ]
    return float(sum(marks) / len(marks)) if marks else 0.0
