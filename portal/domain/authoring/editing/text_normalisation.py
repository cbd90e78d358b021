"""Text as a form sends it, and when two texts say the same."""

from typing import Any


def plain(text: str) -> str:
    r"""The text with LF alone at its lines' ends, as browsers never send it.

    >>> plain("one\r\ntwo\r")
    'one\ntwo\n'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")


def same(old: Any, new: Any) -> bool:
    r"""Whether the two values say the same, so that what is written may stay.

    Of texts, line ends and blank ends do not count: a form loses them. A number is the same however it is
    written, but never the same as ``true``. A key that is missing says the same as an empty one.

    >>> same("one\ntwo", "one\r\ntwo  \r\n")
    True
    >>> same(1, True)
    False
    """
    if isinstance(old, str) and isinstance(new, str):
        return plain(old).strip() == plain(new).strip()
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return all(same(old.get(key), new.get(key)) for key in old | new)
    if empty(old) and empty(new):
        return True
    return isinstance(old, bool) is isinstance(new, bool) and bool(old == new)


def empty(value: Any) -> bool:
    """Whether the value says nothing that a missing key does not say: no text, nothing listed, not set."""
    return value is None or value is False or value in ("", [])
