"""Rows of choices, in the editors of single and multiple items and of reports."""

from collections.abc import Callable, Mapping
from typing import Any

from wtforms import FormField

from portal.pages.layout.base_forms import PlainForm
from portal.pages.layout.form_rows import Rows
from portal.pages.layout.item_kinds.fields import (
    Data,
    ItemEditor,
    add_group_error,
    area_field,
    checkbox_field,
    field_text,
    hidden_key_field,
    line_field,
    tables_of,
    with_keys,
)


class ChoiceRowForm(PlainForm):
    """One choice in the editor."""

    key = hidden_key_field()
    text = line_field("Choice", "Write the choice")
    feedback = area_field("Feedback for this choice", "Write feedback for this choice", rows=2)
    correct = checkbox_field("This choice is right")


def choice_rows(item: Mapping[str, Any]) -> list[Data]:
    """Return the editor's rows for the TOML tables of an item."""
    return [
        {name: field_text(row, name) for name in ("key", "text", "feedback")}
        | {"correct": row.get("correct") is True}
        for row in tables_of(item, "choice")
    ]


def choice_tables(rows: list[Data]) -> list[Data]:
    """Return the TOML tables for the editor's rows; only correct ones have ``correct``."""
    return [
        {"key": row["key"], "text": row["text"], "feedback": row["feedback"]}
        | ({"correct": True} if row["correct"] else {})
        for row in with_keys(rows)
    ]


def choices_editor(check: Callable[[int], str]) -> ItemEditor:
    """Build the editor of an item of choices.

    ``check`` returns the error for a number of correct choices; empty if the number is right.
    """

    class ChoicesForm(PlainForm):
        choice = Rows(FormField(ChoiceRowForm), min_entries=2)

        def validate(self, extra_validators: Any = None) -> bool:
            is_valid = bool(super().validate(extra_validators))
            error = check(sum(row["correct"] for row in self.choice.data))
            if len(self.choice.entries) < 2:
                error = "Write two or more choices"
            if error and self.choice.entries:
                add_group_error(self.choice, "correct", error)
            return is_valid and not error

    row: Data = {"key": "", "text": "", "feedback": "", "correct": False}
    return ItemEditor(
        form=ChoicesForm,
        from_item=lambda item: {"choice": choice_rows(item)},
        to_data=lambda data: {"choice": choice_tables(data["choice"])},
        rows={"choice": row},
        fresh={"choice": [row, row]},
    )
