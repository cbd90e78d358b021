"""The rows of choices in the editors of items: of one right choice, of several, and of reports."""

from collections.abc import Callable, Mapping
from typing import Any

from wtforms import Form, FormField

from portal.pages.layout.form_rows import Rows
from portal.pages.layout.item_kinds.fields import (
    Data,
    Editor,
    area,
    box,
    kept_key,
    line,
    tables_of,
    tell,
    text_of,
    with_keys,
)


class ChoiceForm(Form):  # type: ignore[misc]
    """One choice in the editor."""

    key = kept_key()
    text = line("Choice", "Write the choice")
    feedback = area("What to tell who chose it", "Write what to tell a learner who chose this", rows=2)
    correct = box("This choice is right")


def choices_from(item: Mapping[str, Any]) -> list[Data]:
    """The editor's rows from the TOML tables."""
    return [
        {name: text_of(row, name) for name in ("key", "text", "feedback")}
        | {"correct": row.get("correct") is True}
        for row in tables_of(item, "choice")
    ]


def choices_to(rows: list[Data]) -> list[Data]:
    """The TOML tables from the editor's rows; ``correct`` stands in those alone that are."""
    return [
        {"key": row["key"], "text": row["text"], "feedback": row["feedback"]}
        | ({"correct": True} if row["correct"] else {})
        for row in with_keys(rows)
    ]


def choices_editor(check: Callable[[int], str]) -> Editor:
    """The editor of an item of choices; ``check`` says what is wrong with a number of right ones."""

    class ChoicesForm(Form):  # type: ignore[misc]
        choice = Rows(FormField(ChoiceForm), min_entries=2)

        def validate(self, extra_validators: Any = None) -> bool:
            whole = bool(super().validate(extra_validators))
            wrong = check(sum(row["correct"] for row in self.choice.data))
            if len(self.choice.entries) < 2:
                wrong = "Write two or more choices"
            if wrong and self.choice.entries:
                tell(self.choice, "correct", wrong)
            return whole and not wrong

    row: Data = {"key": "", "text": "", "feedback": "", "correct": False}
    return Editor(
        form=ChoicesForm,
        from_item=lambda item: {"choice": choices_from(item)},
        to_data=lambda data: {"choice": choices_to(data["choice"])},
        rows={"choice": row},
        fresh={"choice": [row, row]},
    )
