"""The bank of items in ``items/*.toml``, each item as the plain table that its kind's form edits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.editing.toml_patch import array_table_texts, parse_toml, rewrite_toml
from portal.platform.errors import NotFoundError, RuleError

Table = dict[str, Any]
Changes = dict[str, bytes | None]  # by path; None: the file goes

FIRST_FILE = "items/items.toml"


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """One item and where it stands."""

    path: str
    index: int  # in its file, from 0
    key: str
    table: Table


def read_items(files: Mapping[str, bytes]) -> list[ItemPlace]:
    """Every item in the order of the bank: by path, then as written."""
    return [
        ItemPlace(path, index, str(table.get("key", "")), table)
        for path in _item_paths(files)
        for index, table in enumerate(_item_tables(files[path]))
    ]


def find_item(files: Mapping[str, bytes], key: str) -> ItemPlace:
    """The item with this key.

    Raises:
        NotFoundError: There is none.
    """
    for place in read_items(files):
        if place.key == key:
            return place
    raise NotFoundError(f"There is no question “{key}”.")


def write_item(files: Mapping[str, bytes], key: str, table: Table) -> Changes:
    """What changes where the item ``key`` is to say ``table``; nothing where it says so already.

    Raises:
        NotFoundError: There is no such item.
        RuleError: ``table`` has another item's key.
    """
    place = find_item(files, key)
    _refuse_taken_key(files, table, besides=key)
    tables = _item_tables(files[place.path])
    tables[place.index] = _keep_source_form(place.table, table)
    return _rewrite_file(files, place.path, tables)


def add_item(files: Mapping[str, bytes], table: Table, path: str = FIRST_FILE) -> Changes:
    """What changes where ``table`` is a new item at the end of a file, which is made if there is none.

    Raises:
        RuleError: The key is taken.
    """
    _refuse_taken_key(files, table)
    return _rewrite_file(files, path, [*_item_tables(files.get(path, b"")), table])


def remove_item(files: Mapping[str, bytes], key: str) -> Changes:
    """What changes where the item is taken out; a file that holds no other goes with it."""
    place = find_item(files, key)
    tables = _item_tables(files[place.path])
    del tables[place.index]
    return _rewrite_file(files, place.path, tables)


def move_item(files: Mapping[str, bytes], key: str, up: bool) -> Changes:
    """What changes where the item changes places with the one before or after it; nothing at the ends."""
    places = read_items(files)
    at = next((n for n, place in enumerate(places) if place.key == key), None)
    if at is None:
        raise NotFoundError(f"There is no question “{key}”.")
    other = at - 1 if up else at + 1
    if not 0 <= other < len(places):
        return {}
    mine, theirs = places[at], places[other]
    if mine.path == theirs.path:
        tables = _item_tables(files[mine.path])
        tables[mine.index], tables[theirs.index] = tables[theirs.index], tables[mine.index]
        return _rewrite_file(files, mine.path, tables)
    left = _item_tables(files[mine.path])
    del left[mine.index]
    joined = _item_tables(files[theirs.path])
    joined.insert(theirs.index if up else theirs.index + 1, mine.table)
    written = array_table_texts(files[mine.path].decode(), "item")
    ready = {key: written[mine.index]} if written else {}
    return _rewrite_file(files, mine.path, left) | _rewrite_file(files, theirs.path, joined, ready)


def _keep_source_form(old: Table, new: Table) -> Table:
    """The new table; its one source as a text or as a list of one, as it was written."""
    before, after = old.get("source"), new.get("source")
    return new | {"source": before} if before and (after == [before] or [after] == before) else new


def _item_paths(files: Mapping[str, bytes]) -> list[str]:
    return sorted(path for path in files if path.startswith("items/") and path.endswith(".toml"))


def _item_tables(content: bytes) -> list[Table]:
    said = parse_toml(content.decode()).get("item", [])
    return [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []


def _rewrite_file(
    files: Mapping[str, bytes], path: str, tables: list[Table], ready: Mapping[str, str] | None = None
) -> Changes:
    if not tables:
        return {path: None}
    text = files.get(path, b"").decode()
    content = rewrite_toml(text, parse_toml(text) | {"item": tables}, ready).encode()
    return {} if files.get(path) == content else {path: content}


def _refuse_taken_key(files: Mapping[str, bytes], table: Table, besides: str | None = None) -> None:
    key = table.get("key")
    if key != besides and any(place.key == key for place in read_items(files)):
        raise RuleError(f"There is a question “{key}” already. Choose another key.")
