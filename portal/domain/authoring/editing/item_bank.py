"""Reads and edits the items in ``items/*.toml``, each as the plain table that its kind's form edits.

Every editing function returns the changed files and writes nothing itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.editing.toml_patch import array_table_texts, parse_toml, rewrite_toml
from portal.platform.errors import NotFoundError, RuleError

Table = dict[str, Any]
Changes = dict[str, bytes | None]  # by path; None: the file is removed

FIRST_FILE = "items/items.toml"


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """One item with its file and its index there."""

    path: str
    index: int  # in its file, from 0
    key: str
    table: Table


def read_items(files: Mapping[str, bytes]) -> list[ItemPlace]:
    """Every item, ordered by path and then by position in its file."""
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
    for item in read_items(files):
        if item.key == key:
            return item
    raise NotFoundError(f"There is no question “{key}”.")


def write_item(files: Mapping[str, bytes], key: str, table: Table) -> Changes:
    """Replace the item ``key`` by ``table``; returns no changes where they are equal already.

    Raises:
        NotFoundError: There is no such item.
        RuleError: ``table`` has another item's key.
    """
    item = find_item(files, key)
    _refuse_taken_key(files, table, except_key=key)
    tables = _item_tables(files[item.path])
    tables[item.index] = _keep_source_form(item.table, table)
    return _rewrite_file(files, item.path, tables)


def add_item(files: Mapping[str, bytes], table: Table, path: str = FIRST_FILE) -> Changes:
    """Append ``table`` as a new item to a file, which is created if there is none.

    Raises:
        RuleError: The key is taken.
    """
    _refuse_taken_key(files, table)
    return _rewrite_file(files, path, [*_item_tables(files.get(path, b"")), table])


def remove_item(files: Mapping[str, bytes], key: str) -> Changes:
    """Remove the item; a file without further items is removed with it.

    Raises:
        NotFoundError: There is no such item.
    """
    item = find_item(files, key)
    tables = _item_tables(files[item.path])
    del tables[item.index]
    return _rewrite_file(files, item.path, tables)


def move_item(files: Mapping[str, bytes], key: str, up: bool) -> Changes:
    """Swap the item with the one before or after it; returns no changes at the ends of the bank.

    Raises:
        NotFoundError: There is no such item.
    """
    items = read_items(files)
    position = next((n for n, item in enumerate(items) if item.key == key), None)
    if position is None:
        raise NotFoundError(f"There is no question “{key}”.")
    neighbour = position - 1 if up else position + 1
    if not 0 <= neighbour < len(items):
        return {}
    item, other_item = items[position], items[neighbour]
    return _insert_item(files, item, other_item.path, other_item.index if up else other_item.index + 1)


def place_item(files: Mapping[str, bytes], key: str, after: str) -> Changes:
    """Move the item directly after another, or to the first place if ``after`` is empty.

    Raises:
        NotFoundError: There is no such item.
    """
    item = find_item(files, key)
    if key == after:
        return {}
    other_item = find_item(files, after) if after else read_items(files)[0]
    return _insert_item(files, item, other_item.path, other_item.index + 1 if after else 0)


def _insert_item(files: Mapping[str, bytes], item: ItemPlace, path: str, index: int) -> Changes:
    """Take the item out and insert it before the table that has this index in the file now."""
    if item.path == path:
        tables = _item_tables(files[path])
        tables.insert(index, item.table)
        del tables[item.index + (index <= item.index)]
        return _rewrite_file(files, path, tables)
    remaining_tables, target_tables = _item_tables(files[item.path]), _item_tables(files[path])
    del remaining_tables[item.index]
    target_tables.insert(index, item.table)
    table_texts = array_table_texts(files[item.path].decode(), "item")
    ready_tables = {item.key: table_texts[item.index]} if table_texts else {}
    changes = _rewrite_file(files, item.path, remaining_tables)
    return changes | _rewrite_file(files, path, target_tables, ready_tables)


def _keep_source_form(old: Table, new: Table) -> Table:
    """The new table, with a single source written as before: as a text or as a list of one."""
    before, after = old.get("source"), new.get("source")
    return new | {"source": before} if before and (after == [before] or [after] == before) else new


def _item_paths(files: Mapping[str, bytes]) -> list[str]:
    return sorted(path for path in files if path.startswith("items/") and path.endswith(".toml"))


def _item_tables(content: bytes) -> list[Table]:
    tables = parse_toml(content.decode()).get("item", [])
    return [table for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []


def _rewrite_file(
    files: Mapping[str, bytes], path: str, tables: list[Table], ready_tables: Mapping[str, str] | None = None
) -> Changes:
    if not tables:
        return {path: None}
    text = files.get(path, b"").decode()
    content = rewrite_toml(text, parse_toml(text) | {"item": tables}, ready_tables).encode()
    return {} if files.get(path) == content else {path: content}


def _refuse_taken_key(files: Mapping[str, bytes], table: Table, except_key: str | None = None) -> None:
    key = table.get("key")
    if key != except_key and any(item.key == key for item in read_items(files)):
        raise RuleError(f"There is a question “{key}” already. Choose another key.")
