"""Form values of choices: the number of the choice on the page, never the key that its author gave it.

An author's key may say which choice is right (``value="safe"``). The order is that of the attempt: a number
says nothing of another attempt, and is the same whenever the question is shown again.
"""

from collections.abc import Sequence

# The error for an unknown value, such as a key from a page of an earlier release: the saved answer stays.
EARLIER_PAGE = "This page was opened before the portal was updated. Select your answer again"


def value_by_key(keys: Sequence[str]) -> dict[str, str]:
    """The form value for each of these keys, shown in this order. It has a dot, which no key has.

    >>> value_by_key(["safe", "status"])
    {'safe': 'c.1', 'status': 'c.2'}
    """
    return {key: f"c.{number}" for number, key in enumerate(keys, 1)}


def key_by_value(keys: Sequence[str]) -> dict[str, str]:
    """The keys by their form values."""
    return {value: key for key, value in value_by_key(keys).items()}
