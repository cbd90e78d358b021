"""Fields that the editors of all kinds share, and groups of rows that work without a script.

A button named ``row`` adds, removes or moves one row of a repeated group. Its value says which:
``choice/add``, ``choice/2/remove``, ``scene/1/choice/0/up``; rows count from 0. A group with rows of two
shapes has a button for each: ``scene/add`` and ``scene/add-end``, which is ``scene-end`` among the rows.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain, count
from string import ascii_lowercase
from typing import Any

from wtforms import BooleanField, FieldList, Form, FormField, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Optional

from portal.domain.item_kinds.base import normalise_text
from portal.pages.layout.forms import GovCheckboxes, GovInput, GovTextarea, PlainForm, Rows

Data = dict[str, Any]
MAX_ROWS = 30


@dataclass(frozen=True)
class ItemEditor:
    """The part of an item's form that belongs to its kind.

    The page around it has the CSRF token, the fields of all kinds and the save button, which comes first in
    the form so that Enter saves.
    """

    form: type[Form]
    from_item: Callable[[Mapping[str, Any]], Data]
    to_data: Callable[[Data], Data]
    rows: Mapping[str, Data] = field(default_factory=dict)  # a new row of each group, by the group's name
    fresh: Data = field(default_factory=dict)  # the data of a new item's form

    def open_form(self, item: Mapping[str, Any]) -> Form:
        """Return the form filled with an item's TOML keys; a new item begins with empty rows."""
        data = {key: value for key, value in self.from_item(item).items() if value}
        return self.form(data={**deepcopy(self.fresh), **data})

    def read_form(self, values: Any) -> Form:
        """Return the submitted form (``request.form``), with the action of a row button applied."""
        form = self.form(values)
        button = self.pressed_button(values)
        return self.form(data=apply_row_action(form.data, button, self.rows)) if button else form

    def pressed_button(self, values: Any) -> str:
        """Return the value of the row button that was pressed; if empty, the form is to be saved."""
        return str(values.get("row", ""))

    def to_item(self, form: Form) -> Data:
        """Return the TOML keys of a validated form: texts, lists and numbers."""
        return self.to_data(form.data)


def apply_row_action(data: Data, button: str, empty_rows: Mapping[str, Data]) -> Data:
    """Return the data with one row added, removed or moved; unchanged if ``button`` is not valid."""
    data = deepcopy(data)
    *trail, action = button.split("/")
    try:
        if action.startswith("add"):
            rows = _find_rows(data, trail)
            if len(rows) < MAX_ROWS:
                rows.append(deepcopy(empty_rows[trail[-1] + action.removeprefix("add")]))
            return data
        rows, index = _find_rows(data, trail[:-1]), int(trail[-1])
        new_index = {"remove": index, "up": max(index - 1, 0), "down": index + 1}[action]
        row = rows.pop(index)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):
        return data
    if action != "remove":
        rows.insert(new_index, row)
    return data


def _find_rows(data: Any, trail: list[str]) -> Any:
    for name in trail:
        data = data[int(name)] if isinstance(data, list) else data[name]
    return data


def tables_of(item: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the TOML tables of an item under a name; empty if its value is something else."""
    value = item.get(name)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def field_text(row: Mapping[str, Any], name: str) -> str:
    """Return a text or number as an editor's field shows it, a list as one line each; empty if missing."""
    value = row.get(name, "")
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def line_field(label: str, message: str = "", *, hint: str = "") -> StringField:
    """Build a field for a line of text; it is required if there is a ``message`` for its absence."""
    return _text_field(StringField, GovInput(label_classes="govuk-label--s"), label, message, hint)


def area_field(label: str, message: str = "", *, hint: str = "", rows: int = 3) -> TextAreaField:
    """Build a field for several lines of text; it is required if there is a ``message`` for its absence."""
    return _text_field(
        TextAreaField, GovTextarea(label_classes="govuk-label--s", rows=rows), label, message, hint
    )


def _text_field(kind: type, widget: Any, label: str, message: str, hint: str) -> Any:
    checks = [DataRequired(message)] if message else [Optional()]
    return kind(label, description=hint, widget=widget, validators=checks, filters=[normalise_text])


def checkbox_field(label: str) -> BooleanField:
    """Build a single checkbox."""
    return BooleanField(label, widget=GovCheckboxes(classes="govuk-checkboxes--small"))


def hidden_key_field() -> HiddenField:
    """Build the field for a row's key in its file; empty for a new row."""
    return HiddenField(filters=[normalise_text])


def with_keys(rows: list[Data], stem: str = "") -> list[Data]:
    """Give each row without a key the next free letter, or ``stem`` and a number if there is a stem."""
    used_keys = {row["key"] for row in rows if row["key"]}
    numbered = (f"{stem or 'choice-'}{n}" for n in count(1))
    free_keys = (key for key in chain("" if stem else ascii_lowercase, numbered) if key not in used_keys)
    return [{**row, "key": row["key"] or next(free_keys)} for row in rows]


def has_enough_rows(form: Form, rows: FieldList, least: int, message: str) -> bool:
    """Whether the group has ``least`` rows; if not, add the message to its first control, or the form."""
    if len(rows.entries) >= least:
        return True
    if rows.entries:
        add_group_error(
            rows, next(f.short_name for f in rows.entries[0].form if not isinstance(f, HiddenField)), message
        )
    else:
        form.form_errors.append(message)
    return False


def add_group_error(rows: FieldList, name: str, message: str) -> None:
    """Add an error of a whole group to the control ``name`` of its first row."""
    control = rows.entries[0].form[name]
    control.errors = [*control.errors, message]
    rows.errors = [entry.errors for entry in rows.entries]  # the old list lacks the message


# Rows of choices, in the editors of single and multiple items and of reports.


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
