"""An item's table from what its page sent, and what its page needs to show it. Pure but for reading."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
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
COMMON_KEYS = ("key", "outcome", "kind", "stimulus", "prompt", "explanation", "source", "retired")


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item as a learner meets it first."""

    kind: ItemKind
    prompt_html: str
    stimulus_html: str | None
    content: dict[str, Any]
    controls: Any


def table_digest(table: Table | None) -> str:
    """One hash over what the table says; a page carries it, so that a later save is known as later."""
    said = json.dumps(table, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def kind_of_table(table: Table) -> ItemKind | None:
    """The kind that the table names; None where there is none such."""
    return kinds_by_name().get(str(table.get("kind", "")))


def merge_form_values(old: Table, said: Table, of_kind: Table) -> Table:
    """The old table made to say what the form says; keys of the kind that it no longer says are gone."""
    new = {name: value for name, value in old.items() if name in COMMON_KEYS}
    for name, value in said.items():
        if value or name in {"prompt", "explanation", "outcome", "source"}:
            new[name] = value
        else:
            new.pop(name, None)
    if _as_list(new.get("source")) == _as_list(old.get("source")) and "source" in old:
        new["source"] = old["source"]
    return new | {name: value for name, value in of_kind.items() if value not in (None, "", [])}


def _as_list(source: Any) -> list[Any]:
    return source if isinstance(source, list) else [source]


def file_with_digest(saves: Iterable[SavedState], path: str, key: str, said: str) -> bytes | None:
    """The file when its item had the digest ``said``; ``saves`` are a draft's states, the newest first."""
    for sha in dict.fromkeys(saved.files[path] for saved in saves if path in saved.files):
        content = blob_store.read_content(sha)
        tables = (place.table for place in item_bank.read_items({path: content}) if place.key == key)
        if table_digest(next(tables, None)) == said:
            return content
    return None


def file_for_new_item(files: Mapping[str, bytes], outcome: str) -> str:
    """Where a new item goes: beside the last one with the same outcome, else to the first file."""
    places = item_bank.read_items(files)
    same = [place.path for place in places if place.table.get("outcome") == outcome]
    return same[-1] if same else places[-1].path if places else item_bank.FIRST_FILE


def item_view(reading: CheckedFolder, key: str) -> ItemView | None:
    """The item of this key as the check read it; None where it could not."""
    rendered: list[RenderedItem] = reading.modules[0].items if reading.modules else []
    found = next((each for each in rendered if each.item.key == key), None)
    if found is None:
        return None
    kind = found.item.kind
    try:
        order = kind.shufflable_keys(found.content)
        shown = kind.build_view(found.content, order, Answer())
    except (KeyError, IndexError, ValueError, StopIteration):
        return None  # not whole yet; the findings say what is missing
    return ItemView(kind, found.prompt_html, found.stimulus_html, found.content, shown)


def strip_invisible(value: Any) -> Any:
    """The value without what no file of a module may hold: characters that nobody can see, and no value."""
    if isinstance(value, dict):
        return {name: strip_invisible(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [strip_invisible(each) for each in value]
    return _INVISIBLE.sub("", value) if isinstance(value, str) else value


def item_name(key: str) -> str:
    """What authors call it."""
    return question_name(key)
