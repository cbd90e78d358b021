"""How far the scores of an assessment can be trusted: KR-20 or alpha, and the error of a score. Pure.

Where every attempt has the same items, the reliability is coefficient alpha, which for marks of 0 and 1 is
the Kuder–Richardson formula 20:

    alpha = k / (k - 1) × (1 - sum of the items' variances ÷ variance of the scores)

Attempts here draw different items. Alpha depends on the variances and covariances of items only by their
means, so these are estimated over all attempts: the mean variance of an item v, and the mean covariance c of
two items in one attempt. For an attempt of k items then

    alpha = k c ÷ (v + (k - 1) c)

which is the same number where all attempts have the same items. The standard error of measurement is the
standard deviation of the scores × the square root of (1 - alpha).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

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
