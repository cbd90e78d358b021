"""Which element of a list that is to be written is which element of the list as it stands."""

import json
from collections.abc import Sequence
from typing import Any


def align_lists(old: Sequence[Any], new: Sequence[Any]) -> list[int | None]:
    """For each new element the index of the old one that it is; None where it is added.

    Tables are known by their ``key``, all else by what it says. What is left over is the same element where
    it stands in the same place of as many.

    >>> align_lists(["a", "b", "c"], ["c", "a", "x"])
    [2, 0, None]
    >>> align_lists([{"key": "a", "n": 1}, {"key": "b"}], [{"key": "b"}, {"key": "a", "n": 2}])
    [1, 0]
    """
    by_key = _all_have_keys(old) and _all_have_keys(new)
    names = [_element_identity(each, by_key) for each in old]
    free: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        free.setdefault(name, []).append(index)
    found: list[int | None] = []
    for each in new:
        held = free.get(_element_identity(each, by_key))
        found.append(held.pop(0) if held else None)
    if len(old) == len(new):
        left = {index for held in free.values() for index in held}
        found = [index if at is None and index in left else at for index, at in enumerate(found)]
    return found


def _all_have_keys(values: Sequence[Any]) -> bool:
    keys = [each.get("key") for each in values if isinstance(each, dict)]
    return len(keys) == len(values) == len({key for key in keys if isinstance(key, str)})


def _element_identity(value: Any, by_key: bool) -> str:
    return str(value["key"]) if by_key else json.dumps(value, default=repr, sort_keys=True)
