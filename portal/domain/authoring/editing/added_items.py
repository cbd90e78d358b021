"""Items that both sides added at one place of a file: nobody needs to choose, both stay."""

from typing import Any

from portal.domain.authoring.editing.toml_patch import parse_toml

Tables = dict[str, dict[str, Any]]


def is_clean_union(
    joined: bytes | None, base: bytes | None, mine: bytes | None, theirs: bytes | None
) -> bool:
    """Whether the joined file says all that each side added, whole, and nothing that neither says."""
    found = [_items_by_key(each) for each in (joined, base, mine, theirs)]
    if any(each is None for each in found):
        return False
    both, before, ours, others = (each or {} for each in found)
    added = {key: table for key, table in ours.items() if key not in before}
    added_too = {key: table for key, table in others.items() if key not in before}
    return (
        not added.keys() & added_too.keys()
        and all(both.get(key) == table for key, table in (added | added_too).items())
        and all(table in (ours.get(key), others.get(key)) for key, table in both.items())
    )


def _items_by_key(content: bytes | None) -> Tables | None:
    """Items by key; None where one has none, two have the same, or the file cannot be read."""
    try:
        said = parse_toml((content or b"").decode()).get("item", [])
    except ValueError:
        return None
    tables = [each for each in said if isinstance(each, dict) and isinstance(each.get("key"), str)]
    found: Tables = {each["key"]: each for each in tables}
    return found if len(found) == len(said) else None
