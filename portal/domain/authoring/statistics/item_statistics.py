"""Item statistics from marked attempts: difficulty, discrimination and choices. Pure functions; no people.

Every submitted attempt counts, whether passed or failed, including repeated attempts of one person. Attempts
that are not submitted do not count.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from math import fsum, sqrt

MIN_ATTEMPTS = 30  # needed for a correlation or advice to be meaningful
HARD, EASY = Decimal("0.3"), Decimal("0.95")  # mean marks below and above which advice is given
WEAK = 0.1  # correlation below which advice is given
RARE = 50  # a wrong choice is rare if fewer than one in so many take it

TOO_HARD = (
    "Few get this right: under 30%. Check that the choice marked as right is, and that a lesson teaches it."
)
TOO_EASY = "Almost everyone gets this right: over 95%. Write wrong choices that people believe, or retire it."
LOW_AGREEMENT = (
    "People who do well on the other questions do no better here. Check that only one answer fits."
)
RARE_CHOICE = "Fewer than 2% take one of the wrong choices. Write what people might really think instead."

_WHOLE = 10_000  # marks have four places


@dataclass(frozen=True, slots=True)
class OfferedChoice:
    """A choice of an item, as learners read it."""

    key: str
    html: str
    is_correct: bool


@dataclass(frozen=True, slots=True)
class ChoiceCount:
    """How often a choice was taken."""

    option: OfferedChoice
    count: int
    offered_count: int  # number of answers in which it was offered
    is_rare: bool  # a wrong choice that hardly anybody takes, given enough answers


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """The statistics of one item."""

    answer_count: int  # number of marked answers
    share: Decimal | None  # mean mark, cut to four places; None without answers
    correlation: float | None
    choices: tuple[ChoiceCount, ...]  # in file order; empty for kinds without choices
    advice: tuple[str, ...]


@dataclass(slots=True)
class ItemTally:
    """An item's marks, each with the scaled score of the other items in the same attempt."""

    marks: "array[float]" = field(default_factory=lambda: array("d"))
    rest_scores: "array[float]" = field(default_factory=lambda: array("d"))
    total: int = 0  # sum of the marks in ten-thousandths, which is exact
    lone_answers: int = 0  # answers in attempts with no other item


def tally_marks(sheets: Iterable[Mapping[str, str]]) -> dict[int, ItemTally]:
    """Group the marks of submitted attempts by item.

    Args:
        sheets: For each attempt, its marks by item id, as stored in the submission.
    """
    tallies: dict[int, ItemTally] = {}
    for sheet in sheets:
        marks = {int(item): _ten_thousandths(mark) for item, mark in sheet.items()}
        mark_sum, others = sum(marks.values()), len(marks) - 1
        for item, mark in marks.items():
            tally = tallies.setdefault(item, ItemTally())
            tally.total += mark
            if others:
                tally.marks.append(mark / _WHOLE)
                tally.rest_scores.append((mark_sum - mark) / (others * _WHOLE))
            else:
                tally.lone_answers += 1
    return tallies


@cache
def _ten_thousandths(mark: str) -> int:
    return int(Decimal(mark) * _WHOLE)


def compute_statistics(
    tally: ItemTally, options: Sequence[OfferedChoice], choice_counts: Iterable[tuple[Sequence[str], int]]
) -> ItemStatistics:
    """The statistics of one item.

    Args:
        tally: Its marks.
        options: Its choices; empty for kinds without choices.
        choice_counts: Each set of choices in last answers, with the number of such answers.
    """
    answers = len(tally.marks) + tally.lone_answers
    counts = dict.fromkeys((option.key for option in options), 0)
    for keys, count in choice_counts:
        for key in set(keys) & counts.keys():
            counts[key] += count
    choices = tuple(_choice_count(option, counts, answers) for option in options)
    is_enough = answers >= MIN_ATTEMPTS
    correlation = item_total_correlation(tally.marks, tally.rest_scores)
    advice = _list_advice(tally.total, answers, correlation, choices) if is_enough else ()
    return ItemStatistics(answers, _mean_mark(tally.total, answers), correlation, choices, advice)


def _choice_count(option: OfferedChoice, counts: Mapping[str, int], answers: int) -> ChoiceCount:
    """Count a choice among the answers that offered it: not every scene of a scenario is reached."""
    scene, separator, _ = option.key.rpartition("/")
    offered_count = (
        sum(n for key, n in counts.items() if key.rpartition("/")[0] == scene) if separator else answers
    )
    count = counts[option.key]
    return ChoiceCount(
        option,
        count,
        offered_count,
        offered_count >= MIN_ATTEMPTS and not option.is_correct and count * RARE < offered_count,
    )


def item_total_correlation(marks: Sequence[float], rests: Sequence[float]) -> float | None:
    """The corrected item–total correlation: whether people who do well on the rest do well on this item.

    Pearson's coefficient, over the attempts with the item, between the item's mark and the scaled score of
    the *other* items in the same attempt (the mean of their marks). The item itself is excluded, because it
    would correlate with itself. Attempts draw different items, so scaled scores are compared instead of sums.
    Attempts with no other item are excluded.

    Returns:
        From -1 to 1; None below 30 attempts, or where all marks or all scores of the others are equal.
    """
    if len(marks) < MIN_ATTEMPTS or min(marks) == max(marks) or min(rests) == max(rests):
        return None
    mean_mark, mean_rest = fsum(marks) / len(marks), fsum(rests) / len(rests)
    covariance = fsum((x - mean_mark) * (y - mean_rest) for x, y in zip(marks, rests, strict=True))
    variances = fsum((x - mean_mark) ** 2 for x in marks) * fsum((y - mean_rest) ** 2 for y in rests)
    return max(-1.0, min(1.0, covariance / sqrt(variances)))


def _mean_mark(total: int, answers: int) -> Decimal | None:
    return Decimal(total // answers).scaleb(-4) if answers else None


def _list_advice(
    total: int, answers: int, correlation: float | None, choices: Sequence[ChoiceCount]
) -> tuple[str, ...]:
    full_marks = answers * _WHOLE
    rules = (
        (TOO_HARD, total < HARD * full_marks),
        (TOO_EASY, total > EASY * full_marks),
        (LOW_AGREEMENT, correlation is not None and correlation < WEAK),
        (RARE_CHOICE, any(choice.is_rare for choice in choices)),
    )
    return tuple(sentence for sentence, applies in rules if applies)
