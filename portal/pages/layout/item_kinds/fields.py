"""What the editors of all kinds share: fields, and groups that grow by a button without any script.

A button named ``row`` adds, takes out or moves one row of a repeated group. Its value says where:
``choice/add``, ``choice/2/remove``, ``scene/1/choice/0/up``; rows count from 0. A group with rows of two
shapes has a button for each: ``scene/add`` and ``scene/add-end``, which is ``scene-end`` among the rows.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain, count
from string import ascii_lowercase
from typing import Any

from wtforms import BooleanField, FieldList, Form, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Optional

from portal.domain.item_kinds.form_values import normalise_text
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovTextarea

Data = dict[str, Any]
MAX_ROWS = 30


@dataclass(frozen=True)
class ItemEditor:
    """The part of an item's form that belongs to its kind.

    The page around it draws the token, the fields of all kinds and the button that saves, which stands
    first in the form so that Enter saves.
    """

    form: type[Form]
    from_item: Callable[[Mapping[str, Any]], Data]
    to_data: Callable[[Data], Data]
    rows: Mapping[str, Data] = field(default_factory=dict)  # a new row of each group, by the group's name
    fresh: Data = field(default_factory=dict)  # what the form of a new item holds

    def open_form(self, item: Mapping[str, Any]) -> Form:
        """The form with an item's TOML keys in it; a new item begins with empty rows."""
        held = self.from_item(item)
        return self.form(data={**deepcopy(self.fresh), **{key: held[key] for key in held if held[key]}})

    def read_form(self, sent: Any) -> Form:
        """The form as it was sent (``request.form``), with the row added or changed that it asks for."""
        form = self.form(sent)
        said = self.pressed_button(sent)
        return self.form(data=apply_row_action(form.data, said, self.rows)) if said else form

    def pressed_button(self, sent: Any) -> str:
        """The button of a row that sent the form; empty: none did, so the form is to be checked and saved."""
        return str(sent.get("row", ""))

    def to_item(self, form: Form) -> Data:
        """The TOML keys of a form that was checked: texts, lists and numbers, as the desk writes them."""
        return self.to_data(form.data)


def apply_row_action(data: Data, said: str, empty: Mapping[str, Data]) -> Data:
    """The data with one row added, taken out or moved; as it was where ``said`` makes no sense."""
    data = deepcopy(data)
    *trail, action = said.split("/")
    try:
        if action.startswith("add"):
            rows = _find_rows(data, trail)
            if len(rows) < MAX_ROWS:
                rows.append(deepcopy(empty[trail[-1] + action.removeprefix("add")]))
            return data
        rows, at = _find_rows(data, trail[:-1]), int(trail[-1])
        to = {"remove": at, "up": max(at - 1, 0), "down": at + 1}[action]
        row = rows.pop(at)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):
        return data
    if action != "remove":
        rows.insert(to, row)
    return data


def _find_rows(data: Any, trail: list[str]) -> Any:
    for name in trail:
        data = data[int(name)] if isinstance(data, list) else data[name]
    return data


def tables_of(item: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The tables that an item holds under a name; none where what stands there is something else."""
    held = item.get(name)
    return [row for row in held if isinstance(row, Mapping)] if isinstance(held, list) else []


def field_text(row: Mapping[str, Any], name: str) -> str:
    """A text or a number as an editor's field takes it; a list as a line each; empty where there is none."""
    held = row.get(name, "")
    return "\n".join(map(str, held)) if isinstance(held, list) else str(held)


def line_field(label: str, message: str = "", *, hint: str = "") -> StringField:
    """A line of text; ``message`` says what to do where it is missing, empty where it may be."""
    return _text_field(StringField, GovInput(label_classes="govuk-label--s"), label, message, hint)


def area_field(label: str, message: str = "", *, hint: str = "", rows: int = 3) -> TextAreaField:
    """Several lines of text; ``message`` says what to do where it is missing, empty where it may be."""
    return _text_field(
        TextAreaField, GovTextarea(label_classes="govuk-label--s", rows=rows), label, message, hint
    )


def _text_field(kind: type, widget: Any, label: str, message: str, hint: str) -> Any:
    checks = [DataRequired(message)] if message else [Optional()]
    return kind(label, description=hint, widget=widget, validators=checks, filters=[normalise_text])


def checkbox_field(label: str) -> BooleanField:
    """A single box."""
    return BooleanField(label, widget=GovCheckboxes(classes="govuk-checkboxes--small"))


def hidden_key_field() -> HiddenField:
    """The key that a row has in its file; empty for a new one."""
    return HiddenField(filters=[normalise_text])


def with_keys(rows: list[Data], stem: str = "") -> list[Data]:
    """The rows, each with a key: the one it had, else the next free letter, or ``stem`` and a number."""
    taken = {row["key"] for row in rows if row["key"]}
    numbered = (f"{stem or 'choice-'}{n}" for n in count(1))
    free = (name for name in chain("" if stem else ascii_lowercase, numbered) if name not in taken)
    return [{**row, "key": row["key"] or next(free)} for row in rows]


def has_enough_rows(form: Form, rows: FieldList, least: int, message: str) -> bool:
    """Whether the group has ``least`` rows; else the message stands at its first control, or at the form."""
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
    """Put what is wrong with a group as a whole at the control ``name`` of its first row."""
    control = rows.entries[0].form[name]
    control.errors = [*control.errors, message]
    rows.errors = [entry.errors for entry in rows.entries]  # read before the message was there
