"""What to do about an item, said plainly from its figures. Pure."""

from portal.domain.authoring.statistics.item_statistics import (
    MIN_ATTEMPTS,
    RARE_CHOICE,
    TOO_EASY,
    ItemStatistics,
)
from portal.domain.authoring.statistics.thirds import UPPER, ItemThirds

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
