"""Items as written: what every kind has, and the choices of the kinds single and multiple."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from portal.catalogue.tables import Table

KINDS = ("single", "multiple")
LATER_KINDS = ("order", "match", "scenario", "report")
KEY = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*")


@dataclass(frozen=True)
class Choice:
    """One choice of an item, with what to tell who took it."""

    key: str
    text: str
    feedback: str
    correct: bool
    line: int


@dataclass(frozen=True)
class ItemText:
    """One item as written; a check is an item without outcome and source."""

    key: str
    outcome: str
    kind: str
    prompt: str
    stimulus: str  # empty: none
    explanation: str
    source: list[str]
    choices: Sequence[Choice]
    retired: bool
    path: str  # as the author knows it
    line: int


def scored_item(table: Table, path: str) -> ItemText | None:
    """One ``[[item]]`` of the bank; None, with the fault noted, where its kind cannot be shown yet."""
    return _item(table, path, scored=True)


def check_item(table: Table, path: str) -> ItemText | None:
    """The one unscored item of a ``::: check``."""
    return _item(table, path, scored=False)


def _item(table: Table, path: str, *, scored: bool) -> ItemText | None:
    key, kind = _key(table), table.text("kind")
    if kind not in KINDS:
        if kind:
            table.fault("kind", _unknown_kind(kind))
        return None
    item = ItemText(
        key=key,
        outcome=table.text("outcome") if scored else "",
        kind=kind,
        prompt=table.text("prompt"),
        stimulus=table.text("stimulus", required=False),
        explanation=table.text("explanation"),
        source=table.text_or_texts("source") if scored else [],
        choices=_choices(table, "[[item.choice]]" if scored else "[[choice]]"),
        retired=table.flag("retired") if scored else False,
        path=path,
        line=table.line,
    )
    if "\n\n" in item.prompt.strip():
        table.fault(
            "prompt", "Write the prompt as one paragraph. What comes before it belongs in “stimulus”."
        )
    _check_correct(table, item)
    table.close()
    return item


def _key(table: Table) -> str:
    key = table.text("key")
    if key and not (KEY.fullmatch(key) and len(key) <= 80):
        table.fault("key", f"“{key}” is not a key. Use letters, digits and single hyphens.")
    return key


def _unknown_kind(kind: str) -> str:
    if kind in LATER_KINDS:
        return f"This version of the portal does not have items of kind “{kind}” yet. Use single or multiple."
    return f"“{kind}” is not a kind of item. Use single or multiple."


def _choices(table: Table, shown: str) -> list[Choice]:
    choices = []
    seen: set[str] = set()
    for row in table.tables("choice", shown):
        choice = Choice(_key(row), row.text("text"), row.text("feedback"), row.flag("correct"), row.line)
        if choice.key and choice.key in seen:
            row.fault("key", f"The key “{choice.key}” is used twice in this item. Give each choice its own.")
        seen.add(choice.key)
        row.close()
        choices.append(choice)
    return choices


def _check_correct(table: Table, item: ItemText) -> None:
    if not item.choices:
        return  # noted already
    if len(item.choices) < 2:
        table.fault("", f"The item “{item.key}” needs two or more choices.")
    correct = sum(choice.correct for choice in item.choices)
    if item.kind == "single" and correct != 1:
        table.fault(
            "", f"The item “{item.key}” has {correct} correct choices. Mark exactly one correct = true."
        )
    if item.kind == "multiple" and correct < 2:
        table.fault(
            "", f"The item “{item.key}” has {correct} correct choices. Mark two or more correct = true."
        )
