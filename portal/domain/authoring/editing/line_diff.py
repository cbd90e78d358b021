"""Where two lists of lines differ."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

MAX_LINE_PAIRS = (
    4_000_000  # of lines to compare; beyond it all between the first and last difference is one change
)


class LineChange(NamedTuple):
    """Lines of the old list, and the lines of the new one that stand in their place."""

    start: int
    end: int
    new_start: int
    new_end: int


def diff_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[LineChange]:
    """Every place in which they differ, in order.

    >>> list(diff_lines(["a", "b", "c"], ["a", "x", "y", "c"]))
    [Change(start=1, end=2, new_start=1, new_end=3)]
    """
    most = min(len(old), len(new))
    before = next((n for n in range(most) if old[n] != new[n]), most)
    most -= before
    after = next((n for n in range(most) if old[-1 - n] != new[-1 - n]), most)
    one, other = old[before : len(old) - after], new[before : len(new) - after]
    if not one and not other:
        return
    if len(one) * len(other) > MAX_LINE_PAIRS:
        yield LineChange(before, before + len(one), before, before + len(other))
        return
    for tag, i, j, k, m in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag != "equal":
            yield LineChange(before + i, before + j, before + k, before + m)
