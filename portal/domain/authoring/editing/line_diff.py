"""Compares two lists of lines."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

# Product of the lengths; above it, all lines between the first and the last difference are one change.
MAX_LINE_PAIRS = 4_000_000


class LineChange(NamedTuple):
    """A range of old lines and the range of new lines that replaces it."""

    start: int
    end: int
    new_start: int
    new_end: int


def diff_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[LineChange]:
    """Yield every differing range, in order.

    >>> list(diff_lines(["a", "b", "c"], ["a", "x", "y", "c"]))
    [LineChange(start=1, end=2, new_start=1, new_end=3)]
    """
    shorter_length = min(len(old), len(new))
    prefix_length = next((n for n in range(shorter_length) if old[n] != new[n]), shorter_length)
    shorter_length -= prefix_length
    suffix_length = next((n for n in range(shorter_length) if old[-1 - n] != new[-1 - n]), shorter_length)
    old_middle, new_middle = (
        old[prefix_length : len(old) - suffix_length],
        new[prefix_length : len(new) - suffix_length],
    )
    if not old_middle and not new_middle:
        return
    if len(old_middle) * len(new_middle) > MAX_LINE_PAIRS:
        yield LineChange(
            prefix_length, prefix_length + len(old_middle), prefix_length, prefix_length + len(new_middle)
        )
        return
    for tag, i, j, k, m in SequenceMatcher(None, old_middle, new_middle, autojunk=False).get_opcodes():
        if tag != "equal":
            yield LineChange(prefix_length + i, prefix_length + j, prefix_length + k, prefix_length + m)
