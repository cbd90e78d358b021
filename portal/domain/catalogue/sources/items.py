"""Reading of items as written: the keys of every item, and the content, which its kind reads."""

from dataclasses import dataclass, field
from typing import Any

from portal.domain.item_kinds import case_kinds_by_name, kinds_by_name
from portal.domain.item_kinds.base import ItemKind
from portal.domain.people.duties import DUTIES
from portal.platform.errors import listed_words
from portal.platform.formats.toml_tables import Table, read_key


@dataclass(frozen=True)
class ItemText:
    """One item as written; a check is an item without outcome and source."""

    key: str
    outcome: str
    kind: ItemKind
    prompt: str
    stimulus: str  # empty: none
    explanation: str
    source: list[str]
    content: Any  # the result of the kind's ``read_content``
    retired: bool
    path: str  # shown in faults
    line: int
    duties: list[str] = field(default_factory=list)  # it is drawn more often for; none: for all alike


def read_scored_item(table: Table, path: str) -> ItemText | None:
    """Read one ``[[item]]`` of the bank; None, with a fault added, if there is no such kind."""
    return _read_item(table, path, scored=True)


def read_check_item(table: Table, path: str) -> ItemText | None:
    """Read the unscored item of a ``::: check``."""
    return _read_item(table, path, scored=False)


def read_case(table: Table, key: str, path: str) -> ItemText | None:
    """Read the case that a lesson is, beside the lesson's own keys; the caller closes the table.

    Args:
        table: The root of the lesson's file.
        key: The lesson's.
        path: Shown in faults.
    """
    name = table.text("kind")
    kinds = case_kinds_by_name()
    if name not in kinds:
        if name:
            *names, last = kinds
            table.fault("kind", f"“{name}” is not a kind of case. Use {', '.join(names)} or {last}.")
        return None
    return ItemText(
        key=key,
        outcome="",
        kind=kinds[name],
        prompt=_read_prompt(table),
        stimulus="",
        explanation=table.text("explanation"),
        source=[],
        content=kinds[name].read_content(table, key, ""),
        retired=False,
        path=path,
        line=table.line,
    )


def _read_prompt(table: Table) -> str:
    prompt = table.text("prompt")
    if "\n\n" in prompt.strip():
        reason = "Write the prompt as one paragraph. What comes before it belongs in “stimulus”."
        table.fault("prompt", reason)
    return prompt


def _read_item(table: Table, path: str, *, scored: bool) -> ItemText | None:
    key, name = read_key(table), table.text("kind")
    kind = kinds_by_name().get(name)
    if kind is None:
        if name:
            table.fault("kind", f"“{name}” is not a kind of item. Use {', '.join(kinds_by_name())}.")
        return None
    item = ItemText(
        key=key,
        outcome=table.text("outcome") if scored else "",
        kind=kind,
        prompt=_read_prompt(table),
        stimulus=table.text("stimulus", required=False),
        explanation=table.text("explanation"),
        source=table.text_or_texts("source") if scored else [],
        content=kind.read_content(table, key, "item." if scored else ""),
        retired=table.flag("retired") if scored else False,
        path=path,
        line=table.line,
        duties=_read_duties(table) if scored else [],
    )
    table.close()
    return item


def _read_duties(table: Table) -> list[str]:
    """The duties in ``for``, each of them known."""
    duties = table.texts("for", required=False)
    for duty in duties:
        if duty not in DUTIES:
            table.fault("for", f"“{duty}” is not a duty. Use {listed_words(DUTIES)}.")
    return duties
