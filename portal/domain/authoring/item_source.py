"""Converts between an item's table and its form, and renders an item for its page."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.editing import item_bank
from portal.domain.authoring.editing.content_diff import question_name
from portal.domain.authoring.media import blob_store
from portal.domain.authoring.queries import SavedState
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.validation import RenderedItem
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import Answer, ItemKind

Table = dict[str, Any]
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]")
COMMON_KEYS = ("key", "outcome", "kind", "stimulus", "prompt", "explanation", "source", "for", "retired")


@dataclass(frozen=True, slots=True)
class ItemView:
    """An unanswered item as learners see it."""

    kind: ItemKind
    prompt_html: str
    stimulus_html: str | None
    content: dict[str, Any]
    controls: Any


def table_digest(table: Table | None) -> str:
    """A hash of the table; pages send it back, so that a save based on an older table is recognised."""
    canonical = json.dumps(table, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def kind_of_table(table: Table) -> ItemKind | None:
    """The item kind named in the table; None where it is unknown."""
    return kinds_by_name().get(str(table.get("kind", "")))


def merge_form_values(old: Table, form_values: Table, kind_values: Table) -> Table:
    """The old table with the form's values; keys of the kind that the form does not send are dropped."""
    new = {name: value for name, value in old.items() if name in COMMON_KEYS}
    for name, value in form_values.items():
        if value or name in {"prompt", "explanation", "outcome", "source"}:
            new[name] = value
        else:
            new.pop(name, None)
    if _as_list(new.get("source")) == _as_list(old.get("source")) and "source" in old:
        new["source"] = old["source"]
    if "for" in new and sorted(new["for"]) == sorted(old.get("for", [])):
        new["for"] = old["for"]
    return new | {name: value for name, value in kind_values.items() if value not in (None, "", [])}


def new_table(key: str, values: Table) -> Table:
    """The table of a new item, with the keys that every kind has before those of its own."""
    common_values = {name: values[name] for name in COMMON_KEYS if name in values}
    return {"key": key, **common_values, **values}


def _as_list(source: Any) -> list[Any]:
    return source if isinstance(source, list) else [source]


def file_with_digest(
    saves: Iterable[SavedState], path: str, read_table: Callable[[bytes], Table | None], digest: str
) -> bytes | None:
    """The newest saved version of the file in which a table has this digest; None where there is none.

    Args:
        saves: The draft's states, the newest first.
        path: The file.
        read_table: Returns the table in a version of the file, or None.
        digest: As ``table_digest`` gives it.
    """
    for sha in dict.fromkeys(saved.files[path] for saved in saves if path in saved.files):
        content = blob_store.read_content(sha)
        if table_digest(read_table(content)) == digest:
            return content
    return None


def file_for_new_item(files: Mapping[str, bytes], outcome: str) -> str:
    """The file for a new item: that of the last item with the same outcome, else the bank's last file."""
    places = item_bank.read_items(files)
    same = [place.path for place in places if place.table.get("outcome") == outcome]
    return same[-1] if same else places[-1].path if places else item_bank.FIRST_FILE


def item_view(reading: CheckedFolder, key: str) -> ItemView | None:
    """The rendered item with this key; None where it is not complete enough to be shown."""
    rendered: list[RenderedItem] = reading.modules[0].items if reading.modules else []
    rendered_item = next((candidate for candidate in rendered if candidate.item.key == key), None)
    if rendered_item is None:
        return None
    kind = rendered_item.item.kind
    try:
        order = kind.shufflable_keys(rendered_item.content)
        controls = kind.build_view(rendered_item.content, order, Answer())
    except (KeyError, IndexError, ValueError, StopIteration):
        return None  # incomplete; the findings name what is missing
    return ItemView(
        kind, rendered_item.prompt_html, rendered_item.stimulus_html, rendered_item.content, controls
    )


def strip_invisible(value: Any) -> Any:
    """The value without invisible characters and None values, which a module's files may not contain."""
    if isinstance(value, dict):
        return {name: strip_invisible(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [strip_invisible(member) for member in value]
    return _INVISIBLE.sub("", value) if isinstance(value, str) else value


def item_name(key: str) -> str:
    """The item's name for authors."""
    return question_name(key)
