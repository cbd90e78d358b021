"""Matches the elements of a changed list with those of the original."""

import json
from collections.abc import Sequence
from typing import Any


def align_lists(old: Sequence[Any], new: Sequence[Any]) -> list[int | None]:
    """For each new element, the index of the old element it continues; None if it was added.

    Tables are matched by their ``key``, other values by equality. In lists of the same length, an unmatched
    new element is then matched with an unmatched old one at the same index.

    >>> align_lists(["a", "b", "c"], ["c", "a", "x"])
    [2, 0, None]
    >>> align_lists([{"key": "a", "n": 1}, {"key": "b"}], [{"key": "b"}, {"key": "a", "n": 2}])
    [1, 0]
    """
    by_key = _all_have_keys(old) and _all_have_keys(new)
    identities = [_element_identity(element, by_key) for element in old]
    free_indices: dict[str, list[int]] = {}
    for index, name in enumerate(identities):
        free_indices.setdefault(name, []).append(index)
    indices: list[int | None] = []
    for element in new:
        candidates = free_indices.get(_element_identity(element, by_key))
        indices.append(candidates.pop(0) if candidates else None)
    if len(old) == len(new):
        unmatched = {index for candidates in free_indices.values() for index in candidates}
        indices = [
            index if old_index is None and index in unmatched else old_index
            for index, old_index in enumerate(indices)
        ]
    return indices


def _all_have_keys(values: Sequence[Any]) -> bool:
    keys = [element.get("key") for element in values if isinstance(element, dict)]
    return len(keys) == len(values) == len({key for key in keys if isinstance(key, str)})


def _element_identity(value: Any, by_key: bool) -> str:
    return str(value["key"]) if by_key else json.dumps(value, default=repr, sort_keys=True)
