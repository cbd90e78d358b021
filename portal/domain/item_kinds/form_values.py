"""Reading of submitted forms: the numbered values of choices, and typed texts.

The form value of a choice is its number on the page, never the key that its author gave it: a key may
reveal which choice is correct (``value="safe"``). Numbers follow the order of the attempt, so they say
nothing about another attempt and are the same whenever the question is shown again.
"""

import re
from collections.abc import Sequence

from portal.domain.item_kinds.base import FormValues

# The error for an unknown value, such as a key from a page of an earlier release: the saved answer stays.
EARLIER_PAGE = "This page was opened before the portal was updated. Select your answer again"
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # databases refuse some of these


def value_by_key(keys: Sequence[str]) -> dict[str, str]:
    """Return the form value of each key, in this order. It contains a dot, which no key does.

    >>> value_by_key(["safe", "status"])
    {'safe': 'c.1', 'status': 'c.2'}
    """
    return {key: f"c.{number}" for number, key in enumerate(keys, 1)}


def key_by_value(keys: Sequence[str]) -> dict[str, str]:
    """Return the key of each form value."""
    return {value: key for key, value in value_by_key(keys).items()}


def single_value(form: FormValues, name: str) -> str:
    """Return the first value of a field; empty if it was not sent."""
    return (form.get(name) or [""])[0]


def typed_text(form: FormValues, name: str) -> str:
    """Return the text typed into the control ``name``, without invisible characters."""
    return normalise_text(_INVISIBLE.sub("", single_value(form, name)))


def length_error(text: str, maximum: int) -> str:
    """Return the message for a text longer than ``maximum`` characters; empty if it is not."""
    if len(text) <= maximum:
        return ""
    return f"Keep this under {maximum:,} characters. You have written {len(text):,}"


def normalise_text(value: str | None) -> str:
    """Return a text as files store it: LF line ends, no surrounding space."""
    return (value or "").replace("\r\n", "\n").replace("\r", "\n").strip()
