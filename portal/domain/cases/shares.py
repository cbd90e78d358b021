"""Shares of people who decided alike, told so that nobody can be singled out. Pure."""

from collections import Counter
from collections.abc import Sequence

GROUP = 10  # people


def count_shares(ways: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the share of people who took each step, in words such as “about 3 in 10”.

    A step is ``place/choice``. Of each place, only whole groups of ten people who came to it are counted, the
    first to come first: so ten decisions change together, and two looks at the shares never differ by one
    person's. Nor is it said that everybody or nobody decided so. A place to which fewer than ten people came
    has no shares.

    Args:
        ways: The steps of each person, in the order in which they finished.
    """
    counts: dict[str, Counter[str]] = {}
    for place, steps in _steps_by_place(ways).items():
        whole_groups = len(steps) - len(steps) % GROUP
        if whole_groups:
            counts[place] = Counter(steps[:whole_groups])
    return {
        step: _share_words(count, counter.total())
        for counter in counts.values()
        for step, count in counter.items()
    }


def _steps_by_place(ways: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    steps: dict[str, list[str]] = {}
    for way in ways:
        for step in way:
            steps.setdefault(step.partition("/")[0], []).append(step)
    return steps


def _share_words(count: int, total: int) -> str:
    tenths = (20 * count + total) // (2 * total)  # rounded, halves up
    if tenths <= 1:
        return "1 in 10 or fewer"
    return "9 in 10 or more" if tenths >= GROUP - 1 else f"about {tenths} in 10"
