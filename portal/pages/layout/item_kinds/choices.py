"""The rows of choices in the editors of items: of one right choice, of several, and of reports."""

from collections.abc import Callable, Mapping
from typing import Any

from wtforms import Form, FormField

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


class ChoiceRowForm(Form):  # type: ignore[misc]
    """One choice in the editor."""

    key = hidden_key_field()
    text = line_field("Choice", "Write the choice")
    feedback = area_field("What to tell who chose it", "Write what to tell a learner who chose this", rows=2)
    correct = checkbox_field("This choice is right")


def choice_rows(item: Mapping[str, Any]) -> list[Data]:
    """The editor's rows from the TOML tables."""
    return [
        {name: field_text(row, name) for name in ("key", "text", "feedback")}
        | {"correct": row.get("correct") is True}
        for row in tables_of(item, "choice")
    ]


def choice_tables(rows: list[Data]) -> list[Data]:
    """The TOML tables from the editor's rows; ``correct`` stands in those alone that are."""
    return [
        {"key": row["key"], "text": row["text"], "feedback": row["feedback"]}
        | ({"correct": True} if row["correct"] else {})
        for row in with_keys(rows)
    ]


def choices_editor(check: Callable[[int], str]) -> ItemEditor:
    """The editor of an item of choices; ``check`` says what is wrong with a number of right ones."""

    class ChoicesForm(Form):  # type: ignore[misc]
        choice = Rows(FormField(ChoiceRowForm), min_entries=2)

        def validate(self, extra_validators: Any = None) -> bool:
            whole = bool(super().validate(extra_validators))
            wrong = check(sum(row["correct"] for row in self.choice.data))
            if len(self.choice.entries) < 2:
                wrong = "Write two or more choices"
            if wrong and self.choice.entries:
                add_group_error(self.choice, "correct", wrong)
            return whole and not wrong

    row: Data = {"key": "", "text": "", "feedback": "", "correct": False}
    return ItemEditor(
        form=ChoicesForm,
        from_item=lambda item: {"choice": choice_rows(item)},
        to_data=lambda data: {"choice": choice_tables(data["choice"])},
        rows={"choice": row},
        fresh={"choice": [row, row]},
    )
