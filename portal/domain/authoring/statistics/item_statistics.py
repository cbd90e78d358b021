"""What the answers to an item say about the item: pure arithmetic over marked attempts, about nobody.

Every submitted attempt counts, passed or not; of a person who tried three times, all three. What is not
yet submitted does not count.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from math import fsum, sqrt

MIN_ATTEMPTS = 30  # attempts, before a correlation or advice is worth anything
HARD, EASY = Decimal("0.3"), Decimal("0.95")  # shares below and above which advice is given
WEAK = 0.1  # correlation below which advice is given
RARE = 50  # a wrong choice taken by fewer than one in so many

TOO_HARD = (
    "Few get this right: under 30%. Check that the choice marked as right is, and that a lesson teaches it."
)
TOO_EASY = (
    "Almost everybody gets this right: over 95%. Write wrong choices that people believe, or retire it."
)
TELLS_LITTLE = (
    "People who do well in the rest do no better here. Check that the wording leads to one answer alone."
)
NOT_TAKEN = "Fewer than 2% take one of the wrong choices. Write what somebody might really think instead."

_WHOLE = 10_000  # marks have four places


@dataclass(frozen=True, slots=True)
class OfferedChoice:
    """A choice that an item offers, as the learner reads it."""

    key: str
    html: str
    is_correct: bool


@dataclass(frozen=True, slots=True)
class ChoiceCount:
    """How many chose one choice."""

    option: OfferedChoice
    count: int
    offered_count: int  # how many had it before them
    is_rare: bool  # a wrong choice that hardly anybody takes, where enough have answered


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """One item's figures."""

    answer_count: int  # how often it was marked
    share: Decimal | None  # the mean mark, cut to four places; None before the first answer
    correlation: float | None
    choices: tuple[ChoiceCount, ...]  # in the order of the file; empty where the kind has none
    advice: tuple[str, ...]


@dataclass(slots=True)
class ItemTally:
    """An item's marks, and beside each the scaled score of the other items of the same attempt."""

    marks: "array[float]" = field(default_factory=lambda: array("d"))
    rest_scores: "array[float]" = field(default_factory=lambda: array("d"))
    total: int = 0  # of the marks, in ten-thousandths: exact
    lone_answers: int = 0  # answers in attempts that asked nothing else


def tally_marks(sheets: Iterable[Mapping[str, str]]) -> dict[int, ItemTally]:
    """The marks of submitted attempts, sorted by item.

    Args:
        sheets: Of each attempt, its marks by the id of the item, as the submission keeps them.
    """
    found: dict[int, ItemTally] = {}
    for sheet in sheets:
        marks = {int(item): _ten_thousandths(mark) for item, mark in sheet.items()}
        whole, others = sum(marks.values()), len(marks) - 1
        for item, mark in marks.items():
            tally = found.setdefault(item, ItemTally())
            tally.total += mark
            if others:
                tally.marks.append(mark / _WHOLE)
                tally.rest_scores.append((whole - mark) / (others * _WHOLE))
            else:
                tally.lone_answers += 1
    return found


@cache
def _ten_thousandths(mark: str) -> int:
    return int(Decimal(mark) * _WHOLE)


def compute_statistics(
    tally: ItemTally, options: Sequence[OfferedChoice], taken: Iterable[tuple[Sequence[str], int]]
) -> ItemStatistics:
    """What one item's answers come to.

    Args:
        tally: Its marks.
        options: What it offers; empty where its kind has no choices to count.
        taken: Each set of choices that last answers held, and how many held it.
    """
    answers = len(tally.marks) + tally.lone_answers
    counts = dict.fromkeys((option.key for option in options), 0)
    for keys, count in taken:
        for key in set(keys) & counts.keys():
            counts[key] += count
    choices = tuple(_choice_count(option, counts, answers) for option in options)
    enough = answers >= MIN_ATTEMPTS
    related = item_total_correlation(tally.marks, tally.rest_scores)
    advice = _list_advice(tally.total, answers, related, choices) if enough else ()
    return ItemStatistics(answers, _mean_mark(tally.total, answers), related, choices, advice)


def _choice_count(option: OfferedChoice, counts: Mapping[str, int], answers: int) -> ChoiceCount:
    """A choice's takers among those who met it: not everybody comes to every scene of a scenario."""
    scene, parted, _ = option.key.rpartition("/")
    met = sum(n for key, n in counts.items() if key.rpartition("/")[0] == scene) if parted else answers
    count = counts[option.key]
    return ChoiceCount(
        option, count, met, met >= MIN_ATTEMPTS and not option.is_correct and count * RARE < met
    )


def item_total_correlation(marks: Sequence[float], rests: Sequence[float]) -> float | None:
    """The corrected item–total correlation: does who does well in the rest do well in this item?

    Pearson's coefficient, over the attempts that asked the item, between the item's mark in the attempt
    and the scaled score of the *other* items of the same attempt (their marks added up and divided by
    their number). The item itself is left out, or it would agree with itself. Attempts draw different
    items, so it is the scaled score and not the sum that is compared, and the others differ from attempt
    to attempt. An attempt that asked one item alone has no others and is left out.

    Returns:
        From -1 to 1; None under 30 attempts, or where all marks or all the others' scores are equal.
    """
    if len(marks) < MIN_ATTEMPTS or min(marks) == max(marks) or min(rests) == max(rests):
        return None
    mean, middle = fsum(marks) / len(marks), fsum(rests) / len(rests)
    together = fsum((x - mean) * (y - middle) for x, y in zip(marks, rests, strict=True))
    spread = fsum((x - mean) ** 2 for x in marks) * fsum((y - middle) ** 2 for y in rests)
    return max(-1.0, min(1.0, together / sqrt(spread)))


def _mean_mark(total: int, answers: int) -> Decimal | None:
    return Decimal(total // answers).scaleb(-4) if answers else None


def _list_advice(
    total: int, answers: int, related: float | None, choices: Sequence[ChoiceCount]
) -> tuple[str, ...]:
    most = answers * _WHOLE
    said = (
        (TOO_HARD, total < HARD * most),
        (TOO_EASY, total > EASY * most),
        (TELLS_LITTLE, related is not None and related < WEAK),
        (NOT_TAKEN, any(choice.is_rare for choice in choices)),
    )
    return tuple(sentence for sentence, holds in said if holds)
