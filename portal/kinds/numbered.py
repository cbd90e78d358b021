"""What a page sends for a choice: its number among those that the page shows, never its author's key.

An author's key may say which choice is right (``value="safe"``). The order is that of the attempt: a number
says nothing of another attempt, and is the same whenever the question is shown again.
"""

from collections.abc import Sequence

# Said of what a page of an earlier release sent, which had keys, as of anything made up: what is saved stays.
EARLIER_PAGE = "This page was opened before the portal was updated. Select your answer again"


def values_of(keys: Sequence[str]) -> dict[str, str]:
    """What a page sends for each of these keys, shown in this order. It has a dot, which no key has.

    >>> values_of(["safe", "status"])
    {'safe': 'c.1', 'status': 'c.2'}
    """
    return {key: f"c.{number}" for number, key in enumerate(keys, 1)}


def keys_of(keys: Sequence[str]) -> dict[str, str]:
    """The keys by what a page sends for them."""
    return {value: key for key, value in values_of(keys).items()}
