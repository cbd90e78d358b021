"""One item as the TOML that its file holds, for authors who prefer to edit the text."""

import tomllib
from collections.abc import Mapping

from portal.domain.authoring.editing import item_bank, toml_writer
from portal.domain.authoring.editing.item_bank import Changes, Table
from portal.domain.authoring.editing.text_normalisation import normalise_line_ends
from portal.domain.authoring.editing.toml_patch import array_table_spans, parse_toml
from portal.domain.item_kinds import kinds_by_name
from portal.platform.errors import RuleError


def read_item_text(files: Mapping[str, bytes], key: str) -> str:
    """The item's lines with the comment above them, as they are in its file.

    Raises:
        NotFoundError: There is no such item.
    """
    item = item_bank.find_item(files, key)
    text = files[item.path].decode()
    spans = array_table_spans(text, "item")
    if not spans:
        return toml_writer.format_members({"item": [item.table]})
    start, end = spans[item.index]
    return f"{text[start:end].rstrip(chr(10))}\n"


def write_item_text(files: Mapping[str, bytes], key: str, typed: str) -> Changes:
    """Put these lines in the place of the item's; every other line of the file stays.

    Raises:
        NotFoundError: There is no such item.
        RuleError: The lines are not one item of a known kind with this key.
    """
    item = item_bank.find_item(files, key)
    typed = normalise_line_ends(typed).strip("\n")
    table = _read_table(typed, key)
    text = files[item.path].decode()
    spans = array_table_spans(text, "item")
    if not spans:
        return item_bank.write_item(files, key, table)
    start, end = spans[item.index]
    if text[start:end].strip("\n") == typed:
        return {}
    ending = text[start:end][len(text[start:end].rstrip("\n")) :]
    new_text = f"{text[:start]}{typed}{ending}{text[end:]}"
    if _other_items(new_text, item.index) != _other_items(text, item.index):
        raise RuleError("This text would change another question of its file. Write one question.")
    return {item.path: new_text.encode()}


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


def _other_items(text: str, index: int) -> list[object]:
    items = list(parse_toml(text).get("item", []))
    del items[index]
    return items
