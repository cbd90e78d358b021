"""Text as a form sends it, and when two texts say the same."""

from typing import Any


def normalise_line_ends(text: str) -> str:
    r"""The text with LF alone at its lines' ends, as browsers never send it.

    >>> normalise_line_ends("one\r\ntwo\r")
    'one\ntwo\n'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_same_value(old: Any, new: Any) -> bool:
    r"""Whether the two values say the same, so that what is written may stay.

    Of texts, line ends and blank ends do not count: a form loses them. A number is the same however it is
    written, but never the same as ``true``. A key that is missing says the same as an empty one.

    >>> is_same_value("one\ntwo", "one\r\ntwo  \r\n")
    True
    >>> is_same_value(1, True)
    False
    """
    if isinstance(old, str) and isinstance(new, str):
        return normalise_line_ends(old).strip() == normalise_line_ends(new).strip()
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(is_same_value, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return all(is_same_value(old.get(key), new.get(key)) for key in old | new)
    if is_empty_value(old) and is_empty_value(new):
        return True
    return isinstance(old, bool) is isinstance(new, bool) and bool(old == new)


def is_empty_value(value: Any) -> bool:
    """Whether the value says nothing that a missing key does not say: no text, nothing listed, not set."""
    return value is None or value is False or value in ("", [])
