"""Normalises text sent by forms, and compares values regardless of how they are written."""

from typing import Any


def normalise_line_ends(text: str) -> str:
    r"""Replace CR LF and CR by LF; browsers send CR LF.

    >>> normalise_line_ends("one\r\ntwo\r")
    'one\ntwo\n'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_same_value(old: Any, new: Any) -> bool:
    r"""Whether two values mean the same, so that the text already written can be kept.

    Texts are equal regardless of line ends and surrounding space, which forms lose. Numbers are equal however
    they are written, but never equal to ``true``. A missing key equals an empty one.

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
    """Whether a value is equivalent to a missing key: None, False, an empty text or an empty list."""
    return value is None or value is False or value in ("", [])
