"""Comparison of the third of attempts with the highest scores and the third with the lowest. Pure."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

LOWER, MIDDLE, UPPER = range(3)
LEAST_IN_THIRD = 5  # answers in each outer third, below which nothing is said


@dataclass(frozen=True, slots=True)
class ChoiceCurve:
    """How often a choice was taken in the lower, middle and upper third, each a share of 0 to 1."""

    key: str
    shares: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class ItemThirds:
    """What one item shows of the thirds."""

    discrimination: float | None  # mean mark of the upper third less that of the lower; -1 to 1
    curves: tuple[ChoiceCurve, ...] = ()

    def curve_of(self, key: str) -> ChoiceCurve | None:
        """The curve of one choice."""
        return next((curve for curve in self.curves if curve.key == key), None)


def split_into_thirds(scores: Sequence[float]) -> list[int]:
    """The third of each score; equal scores are in the same third.

    A score is placed by the share of scores below it, and half of those equal to it.

    >>> split_into_thirds([3, 1, 2])
    [2, 0, 1]
    """
    ordered = sorted(scores)
    places = [(bisect_left(ordered, score) + bisect_right(ordered, score)) / 2 for score in scores]
    return [_third(place / len(ordered)) for place in places]


def _third(place: float) -> int:
    return LOWER if place < 1 / 3 else UPPER if place > 2 / 3 else MIDDLE


def compare_thirds(marks: Iterable[tuple[int, float]]) -> float | None:
    """The mean mark of the upper third less that of the lower; None if a third has too few answers.

    Args:
        marks: The third and the mark of each answer.
    """
    by_third: tuple[list[float], ...] = ([], [], [])
    for third, mark in marks:
        by_third[third].append(mark)
    if min(len(by_third[LOWER]), len(by_third[UPPER])) < LEAST_IN_THIRD:
        return None
    return _mean(by_third[UPPER]) - _mean(by_third[LOWER])


def _mean(marks: Sequence[float]) -> float:
    return fsum(marks) / len(marks)


def choice_curves(
    keys: Sequence[str], answers: Iterable[tuple[int, Sequence[str]]]
) -> tuple[ChoiceCurve, ...]:
    """The curve of each choice; empty if a third has too few answers.

    Of a scenario, a choice is a share of the answers that came to its scene.

    Args:
        keys: The choices, such as “a”, or “scene/a”.
        answers: The third of each answer, and the choices taken.
    """
    taken: Counter[tuple[int, str]] = Counter()
    offered: Counter[tuple[int, str]] = Counter()
    thirds: Counter[int] = Counter()
    for third, choices in answers:
        thirds[third] += 1
        taken.update((third, key) for key in choices)
        offered.update((third, place) for place in {key.rpartition("/")[0] for key in choices})
    if min(thirds[LOWER], thirds[UPPER]) < LEAST_IN_THIRD:
        return ()
    return tuple(
        ChoiceCurve(
            key,
            (
                _share(taken, offered, LOWER, key),
                _share(taken, offered, MIDDLE, key),
                _share(taken, offered, UPPER, key),
            ),
        )
        for key in keys
    )


def _share(taken: Counter[tuple[int, str]], offered: Counter[tuple[int, str]], third: int, key: str) -> float:
    count = offered[third, key.rpartition("/")[0]]
    return taken[third, key] / count if count else 0.0
