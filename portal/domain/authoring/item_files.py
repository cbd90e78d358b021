"""Questions in the files of a draft: read, edited, titled and shown as text."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from portal.domain.authoring.content_diff import humanise_key, shorten_text
from portal.domain.authoring.files import split_stimulus
from portal.domain.authoring.texts import normalise_line_ends, rewrite_toml
from portal.domain.item_kinds import kinds_by_name
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.formats.toml_writer import format_toml, parse_toml

# Reads and edits the items in ``items/*.toml``, each as the plain table that its kind's form edits.
#
# Every editing function returns the changed files and writes nothing itself.

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
    """The item with this key."""
    for item in read_items(files):
        if item.key == key:
            return item
    raise NotFoundError(f"There is no question “{key}”.")


def write_item(files: Mapping[str, bytes], key: str, table: Table) -> Changes:
    """Replace the item ``key`` by ``table``; returns no changes where they are equal already.

    Raises:
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
    """Remove the item; a file without further items is removed with it."""
    item = find_item(files, key)
    tables = _item_tables(files[item.path])
    del tables[item.index]
    return _rewrite_file(files, item.path, tables)


def move_item(files: Mapping[str, bytes], key: str, up: bool) -> Changes:
    """Swap the item with the one before or after it; returns no changes at the ends of the bank."""
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
    """Move the item directly after another, or to the first place if ``after`` is empty."""
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
    return _rewrite_file(files, item.path, remaining_tables) | _rewrite_file(files, path, target_tables)


def _keep_source_form(old: Table, new: Table) -> Table:
    """The new table, with a single source written as before: as a text or as a list of one."""
    before, after = old.get("source"), new.get("source")
    return new | {"source": before} if before and (after == [before] or [after] == before) else new


def _item_paths(files: Mapping[str, bytes]) -> list[str]:
    return sorted(path for path in files if path.startswith("items/") and path.endswith(".toml"))


def _item_tables(content: bytes) -> list[Table]:
    tables = parse_toml(content.decode()).get("item", [])
    return [table for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []


def _rewrite_file(files: Mapping[str, bytes], path: str, tables: list[Table]) -> Changes:
    if not tables:
        return {path: None}
    text = files.get(path, b"").decode()
    content = rewrite_toml(text, parse_toml(text) | {"item": tables}).encode()
    return {} if files.get(path) == content else {path: content}


def _refuse_taken_key(files: Mapping[str, bytes], table: Table, except_key: str | None = None) -> None:
    key = table.get("key")
    if key != except_key and any(item.key == key for item in read_items(files)):
        raise RuleError(f"There is a question “{key}” already. Choose another key.")


# One item as the TOML that its file holds, for authors who prefer to edit the text.


def read_item_text(files: Mapping[str, bytes], key: str) -> str:
    """The item as a file that has nothing else."""
    return format_toml({"item": [find_item(files, key).table]})


def write_item_text(files: Mapping[str, bytes], key: str, typed: str) -> Changes:
    """Replace the item by what these lines say.

    Raises:
        RuleError: They are not one question with this key.
    """
    return write_item(files, key, _read_table(normalise_line_ends(typed), key))


def _read_table(typed: str, key: str) -> Table:
    try:
        data = parse_toml(typed)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RuleError(f"This text cannot be read as TOML: {error}. Correct it, then save.") from error
    items = data.get("item")
    if (
        set(data) != {"item"}
        or not isinstance(items, list)
        or len(items) != 1
        or not isinstance(items[0], dict)
    ):
        raise RuleError("Write one question: its lines begin with [[item]], and nothing is above them.")
    table: Table = items[0]
    if table.get("key") != key:
        raise RuleError(f'Keep the line key = "{key}". Attempts and reports know the question by it.')
    if table.get("kind") not in kinds_by_name():
        raise RuleError(f"Write a kind that the portal knows: {', '.join(kinds_by_name())}.")
    return table


# Titles of questions in lists, in which two that begin with the same words show what differs.

_BEGINNING = 30  # characters of a shared beginning


def question_titles(tables: Sequence[Table], most: int) -> list[str]:
    """A title for each question, of about ``most`` characters.

    A title is the question as asked. Where several begin alike, it goes on with the first words that differ;
    where several ask the same, with what differs in the situation above; else with the name.

    >>> asks = ["What do you do first at the gate?", "What do you do first at the door?"]
    >>> question_titles([{"prompt": text} for text in asks], 24)
    ['What do you do first at the … gate?', 'What do you do first at the … door?']
    """
    prompts = [_text_of(table, "prompt") or humanise_key(_text_of(table, "key")) for table in tables]
    titles = [shorten_text(prompt, most) for prompt in prompts]
    for group in _equal_groups(titles):
        for number, rest in zip(group, _differing_ends([prompts[n] for n in group], most), strict=True):
            titles[number] = f"{shorten_text(prompts[number], _BEGINNING).rstrip(' …')} … {rest}"
    for group in _equal_groups(prompts):
        situations = [split_stimulus(_text_of(tables[n], "stimulus")).text for n in group]
        for number, rest in zip(group, _differing_ends(situations, most), strict=True):
            titles[number] = shorten_text(prompts[number], most) + (f" – {rest}" if rest else "")
    for group in _equal_groups(titles):
        for number in group:
            titles[number] += f" ({humanise_key(_text_of(tables[number], 'key'))})"
    return titles


def _text_of(table: Table, name: str) -> str:
    return " ".join(str(table.get(name, "")).split())


def _equal_groups(texts: Sequence[str]) -> Iterable[list[int]]:
    """The numbers of texts that are equal, for each text that occurs more than once."""
    numbers: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        numbers.setdefault(text, []).append(number)
    return [group for group in numbers.values() if len(group) > 1]


def _differing_ends(texts: Sequence[str], most: int) -> list[str]:
    """Each text from the first word that differs, shortened; empty where nothing follows."""
    words = [text.split() for text in texts]
    same = sum(1 for _ in takewhile(lambda at: len(set(at)) == 1, zip(*words, strict=False)))
    return [shorten_text(" ".join(each[same:]), most) for each in words]
