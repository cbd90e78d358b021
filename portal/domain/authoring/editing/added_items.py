"""Recognises merges in which both sides only added items, so that both can be kept."""

from typing import Any

from portal.domain.authoring.editing.toml_patch import parse_toml

Tables = dict[str, dict[str, Any]]


def is_clean_union(
    merged: bytes | None, base: bytes | None, mine: bytes | None, theirs: bytes | None
) -> bool:
    """Whether the merged file has every item that either side added, complete, and nothing else.

    False where both sides added the same key, or where a file cannot be parsed.
    """
    sides = [_items_by_key(side) for side in (merged, base, mine, theirs)]
    if any(side is None for side in sides):
        return False
    union, base_items, my_items, their_items = (side or {} for side in sides)
    my_added = {key: table for key, table in my_items.items() if key not in base_items}
    their_added = {key: table for key, table in their_items.items() if key not in base_items}
    return (
        not my_added.keys() & their_added.keys()
        and all(union.get(key) == table for key, table in (my_added | their_added).items())
        and all(table in (my_items.get(key), their_items.get(key)) for key, table in union.items())
    )


def _items_by_key(content: bytes | None) -> Tables | None:
    """Items by key; None where a key is missing or repeated, or the file cannot be parsed."""
    try:
        rows = parse_toml((content or b"").decode()).get("item", [])
    except ValueError:
        return None
    tables = [row for row in rows if isinstance(row, dict) and isinstance(row.get("key"), str)]
    items: Tables = {row["key"]: row for row in tables}
    return items if len(items) == len(rows) else None
