"""Item statistics from marked attempts: difficulty, discrimination and choices. Pure functions; no people.

Every submitted attempt counts, whether passed or failed, including repeated attempts of one person. Attempts
that are not submitted do not count.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from math import fsum, sqrt
from statistics import median
from typing import Any

from portal.domain.content_checks.metrics import WORDS_PER_MINUTE
from portal.domain.item_kinds.base import Content, plain_text

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


# How far the scores of an assessment can be trusted: KR-20 or alpha, and the error of a score. Pure.
#
# Where every attempt has the same items, the reliability is coefficient alpha, which for marks of 0 and 1
# is the Kuder–Richardson formula 20:
#
# alpha = k / (k - 1) × (1 - sum of the items' variances ÷ variance of the scores)
#
# Attempts here draw different items. Alpha depends on the variances and covariances of items only by
# their means, so these are estimated over all attempts: the mean variance of an item v, and the mean
# covariance c of two items in one attempt. For an attempt of k items then
#
# alpha = k c ÷ (v + (k - 1) c)
#
# which is the same number where all attempts have the same items. The standard error of measurement is
# the standard deviation of the scores × the square root of (1 - alpha).

Sheet = Mapping[int, float]  # the marks of an attempt, 0 to 1, by item


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability of the scores of one module."""

    attempts: int
    items: float  # the mean number in an attempt
    alpha: float  # at most 1; below 0 where items contradict each other
    deviation: float  # standard deviation of the scores, in marks
    error: float  # standard error of measurement, in marks


def estimate_reliability(sheets: Sequence[Sheet]) -> Reliability | None:
    """Estimate the reliability; None without two items in an attempt, or if all scores are equal."""
    means = _mean_marks(sheets)
    pairs = sum(len(sheet) * (len(sheet) - 1) for sheet in sheets)
    marks = sum(len(sheet) for sheet in sheets)
    if not pairs:
        return None
    squares, products = [], []
    for sheet in sheets:
        deviations = [mark - means[item] for item, mark in sheet.items()]
        own = fsum(each**2 for each in deviations)
        squares.append(own)
        products.append(fsum(deviations) ** 2 - own)  # twice the product of each pair
    variance, covariance = fsum(squares) / marks, fsum(products) / pairs
    items = marks / len(sheets)
    score_variance = items * variance + items * (items - 1) * covariance
    if score_variance <= 0:
        return None
    alpha = items * covariance / (variance + (items - 1) * covariance)
    deviation = sqrt(score_variance)
    return Reliability(len(sheets), items, alpha, deviation, deviation * sqrt(max(0.0, 1 - alpha)))


def _mean_marks(sheets: Sequence[Sheet]) -> dict[int, float]:
    marks = defaultdict[int, list[float]](list)
    for sheet in sheets:
        for item, mark in sheet.items():
            marks[item].append(mark)
    return {item: fsum(each) / len(each) for item, each in marks.items()}


# Comparison of the third of attempts with the highest scores and the third with the lowest. Pure.

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


# The time that answers take, and passes in a fraction of the time that reading takes. Pure.

BREAK = timedelta(minutes=10)  # who was away for longer did not think about one question
QUICK = 1 / 3  # of the time that it takes to read the questions
LEAST_PASSES = 10  # below which nothing is said of quick ones, so that nobody is meant


@dataclass(frozen=True, slots=True)
class QuickPasses:
    """How many passes were quicker than reading their questions allows."""

    quick: int
    passes: int


def seconds_by_item(
    attempts: Iterable[tuple[datetime, Sequence[tuple[int, datetime]]]],
) -> dict[int, float]:
    """The median seconds until the first answer to each item, without breaks.

    Args:
        attempts: When each began, and its saved answers in order: the item, and when it was saved.
    """
    seconds = defaultdict[int, list[float]](list)
    for started_at, saves in attempts:
        before, seen = started_at, set[int]()
        for item, saved_at in saves:
            if item not in seen and timedelta(0) <= saved_at - before <= BREAK:
                seconds[item].append((saved_at - before).total_seconds())
            seen.add(item)
            before = saved_at
    return {item: median(each) for item, each in seconds.items()}


def count_quick_passes(passes: Iterable[tuple[timedelta, float]]) -> QuickPasses | None:
    """Count the quick ones; None if there are too few passes.

    Args:
        passes: How long each attempt took, and the seconds that reading its questions takes.
    """
    rows = list(passes)
    if len(rows) < LEAST_PASSES:
        return None
    quick = sum(taken.total_seconds() < QUICK * reading for taken, reading in rows)
    return QuickPasses(quick, len(rows))


def reading_seconds(prompt_html: str, stimulus_html: str | None, content: Content) -> float:
    """The seconds that reading a question takes, at the pace by which lessons are measured."""
    words = sum(len(plain_text(html).split()) for html in (prompt_html, stimulus_html or ""))
    return 60 * (words + _count_words(content)) / WORDS_PER_MINUTE


def _count_words(content: Content) -> int:
    """The words of choices, steps, pairs and options; of a scenario, those of its first scene."""
    rows: list[Any] = [content]
    for name in ("choices", "steps", "pairs", "options", "parts"):
        rows += content.get(name, ())
    for scene in content.get("scenes", ())[:1]:
        rows += [scene, *scene["choices"]]
    names = ("html", "left_html", "incident_html")
    return sum(len(plain_text(row[name]).split()) for row in rows for name in names if row.get(name))


# What to do about an item, said plainly from its figures. Pure.

CHECK_KEY, RETIRE, KEEP = "Check the key", "Retire", "Keep"
REWRITE, REWRITE_CHOICE = "Rewrite", "Rewrite a choice"
VERDICTS = (KEEP, REWRITE_CHOICE, REWRITE, RETIRE, CHECK_KEY)  # the most urgent last


def judge_item(figures: ItemStatistics, thirds: ItemThirds) -> str:
    """Say what to do: check the key, retire, rewrite or keep; empty on too few answers.

    The key comes first: where those who do best on the other questions do worst here, or take a wrong choice
    more often than the right one, the question may be marked wrongly.
    """
    if figures.answer_count < MIN_ATTEMPTS:
        return ""
    if _key_is_doubtful(figures, thirds):
        return CHECK_KEY
    if TOO_EASY in figures.advice:
        return RETIRE
    if figures.advice == (RARE_CHOICE,):
        return REWRITE_CHOICE
    return REWRITE if figures.advice else KEEP


def _key_is_doubtful(figures: ItemStatistics, thirds: ItemThirds) -> bool:
    negative = [value for value in (figures.correlation, thirds.discrimination) if value is not None]
    if negative and max(negative) < 0:
        return True
    right = {taken.option.key for taken in figures.choices if taken.option.is_correct}
    curves = [curve for curve in thirds.curves if "/" not in curve.key]
    best_wrong = max((curve.shares[UPPER] for curve in curves if curve.key not in right), default=0.0)
    worst_right = min((curve.shares[UPPER] for curve in curves if curve.key in right), default=1.0)
    return bool(curves) and best_wrong > worst_right
