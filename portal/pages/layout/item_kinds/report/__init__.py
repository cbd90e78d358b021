"""The editor of report items: the incident, then choices, which are marked, and texts, which are not."""

from collections.abc import Mapping
from typing import Any

from wtforms import FormField, HiddenField
from wtforms.validators import AnyOf

from portal.pages.layout.forms import PlainForm, Rows
from portal.pages.layout.item_kinds.fields import (
    ChoiceRowForm,
    Data,
    ItemEditor,
    add_group_error,
    area_field,
    checkbox_field,
    choice_rows,
    choice_tables,
    field_text,
    has_enough_rows,
    hidden_key_field,
    line_field,
    tables_of,
    with_keys,
)


class ReportPartForm(PlainForm):
    """One part of the form that officers fill in."""

    key = hidden_key_field()
    kind = HiddenField(validators=[AnyOf(("choice", "text"))])
    label = line_field("Label of the part", "Write what this part of the form is called")
    choice = Rows(FormField(ChoiceRowForm))
    list = checkbox_field("Show the choices as a list to pick from")
    model = area_field("A model answer", rows=6)
    checklist = area_field(
        "What a good answer has", hint="One thing a line. Learners tick it off against their own."
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Require a model and a checklist for a text, or exactly one correct choice."""
        is_valid = bool(super().validate(extra_validators))
        if self.kind.data == "choice":
            enough_choices = has_enough_rows(self, self.choice, 2, "Write two or more choices")
            correct = sum(row["correct"] for row in self.choice.data)
            if self.choice.entries and correct != 1:
                add_group_error(self.choice, "correct", "Mark exactly one choice as right")
            return is_valid and enough_choices and correct == 1
        if not self.model.data:
            self.model.errors = ["Write a model answer"]
        if not self.checklist.data:
            self.checklist.errors = ["Write at least one thing to look for"]
        return is_valid and not self.model.errors and not self.checklist.errors


class ReportItemForm(PlainForm):
    """The incident and the parts."""

    incident = area_field(
        "What happened", "Write what happened", hint="Invent every person and place.", rows=8
    )
    part = Rows(FormField(ReportPartForm))

    def validate(self, extra_validators: Any = None) -> bool:
        """Require the incident, and one part or more that is marked."""
        is_valid = bool(super().validate(extra_validators))
        if all(row["kind"] != "choice" for row in self.part.data):
            message = "Add at least one part that is marked"
            self.incident.errors = [*self.incident.errors, message]
            return False
        return is_valid


def _from_item(item: Mapping[str, Any]) -> Data:
    names = ("key", "kind", "label", "model", "checklist")
    parts = [
        {name: field_text(row, name) for name in names}
        | {"choice": choice_rows(row), "list": row.get("list") is True}
        for row in tables_of(item, "part")
    ]
    return {"incident": field_text(item, "incident"), "part": parts}


def _to_item(data: Data) -> Data:
    return {
        "incident": data["incident"],
        "part": [_part_table(row) for row in with_keys(data["part"], "part-")],
    }


def _part_table(row: Data) -> Data:
    part: Data = {"key": row["key"], "label": row["label"], "kind": row["kind"]}
    if row["kind"] == "choice":
        as_list = {"list": True} if row["list"] else {}
        return part | as_list | {"choice": choice_tables(row["choice"])}
    things = [text.strip() for text in row["checklist"].split("\n") if text.strip()]
    return part | {"model": row["model"], "checklist": list(dict.fromkeys(things))}


_CHOICE: Data = {"key": "", "text": "", "feedback": "", "correct": False}
_BARE: Data = {"key": "", "label": "", "choice": [], "list": False, "model": "", "checklist": ""}
_MARKED: Data = {**_BARE, "kind": "choice", "choice": [_CHOICE, _CHOICE]}
_TEXT: Data = {**_BARE, "kind": "text"}
EDITOR = ItemEditor(
    ReportItemForm,
    _from_item,
    _to_item,
    rows={"part": _MARKED, "part-text": _TEXT, "choice": _CHOICE},
    fresh={"part": [_MARKED, _TEXT]},
)
