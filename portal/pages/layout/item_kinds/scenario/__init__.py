"""The editor of scenarios: scenes with choices that lead to other scenes. Authors do not see the keys."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import FormField, SelectField

from portal.pages.layout.fields import drop_down
from portal.pages.layout.forms import PlainForm, Rows
from portal.pages.layout.item_kinds.fields import (
    Data,
    ItemEditor,
    area_field,
    field_text,
    has_enough_rows,
    hidden_key_field,
    line_field,
    tables_of,
    with_keys,
)

CHOICE_KEYS = ("key", "text", "to", "weight", "feedback")
WEIGHT_ERROR = "Write a number from 0 to 1, such as 0.5, with at most four places"


def _scene_select(label: str) -> SelectField:
    return drop_down(label, bold=True, choices=[], validate_choice=False)


class SceneChoiceForm(PlainForm):
    """One choice of a scene."""

    key = hidden_key_field()
    text = line_field("Choice", "Write the choice")
    to = _scene_select("Leads to")
    weight = line_field("Weight", WEIGHT_ERROR, hint="0 is wrong, 1 is the best that can be done here.")
    feedback = area_field("Feedback for this choice", "Write feedback for this choice", rows=2)

    def validate(self, extra_validators: Any = None) -> bool:
        """Require every field, an existing scene, and a number from 0 to 1."""
        is_valid = bool(super().validate(extra_validators))
        if self.to.data not in {value for value, _ in self.to.choices} - {""}:
            self.to.errors = ["Choose the scene to which it leads"]
        if not self.weight.errors and _parse_weight(self.weight.data) is None:
            self.weight.errors = [WEIGHT_ERROR]
        return is_valid and not self.to.errors and not self.weight.errors


class SceneForm(PlainForm):
    """One scene; without choices it ends the scenario."""

    key = hidden_key_field()
    text = area_field("What the learner meets", "Write what the learner meets", rows=5)
    debrief = area_field("Debrief, shown afterwards (optional)", rows=2)
    choice = Rows(FormField(SceneChoiceForm))


class ScenarioItemForm(PlainForm):
    """The scenes, and the one with which the scenario begins."""

    start = _scene_select("The scenario begins with")
    scene = Rows(FormField(SceneForm))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keyed_rows = with_keys([entry.form.data for entry in self.scene.entries], "scene-")
        for entry, row in zip(self.scene.entries, keyed_rows, strict=True):
            entry.form.key.data = row["key"]
        scenes = [(row["key"], _scene_name(number, row)) for number, row in enumerate(keyed_rows, 1)]
        self.start.choices = scenes
        if not self.start.data and scenes:
            self.start.data = scenes[0][0]
        for entry in self.scene.entries:
            for choice in entry.form.choice.entries:
                choice.form.to.choices = [("", "Choose a scene"), *scenes]

    def validate(self, extra_validators: Any = None) -> bool:
        """Require two scenes or more, and one of them as the first."""
        is_valid = bool(super().validate(extra_validators))
        if self.start.data not in {value for value, _ in self.start.choices}:
            self.start.errors = ["Choose the scene with which it begins"]
        return (
            has_enough_rows(self, self.scene, 2, "Write two or more scenes")
            and is_valid
            and not self.start.errors
        )


def _scene_name(number: int, row: Data) -> str:
    words = " ".join((row["text"] or "").split())
    return f"Scene {number}: {words[:50]}{'…' if len(words) > 50 else ''}" if words else f"Scene {number}"


def _parse_weight(text: str) -> Decimal | None:
    try:
        weight = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    is_valid = weight.is_finite() and 0 <= weight <= 1 and weight == round(weight, 4)
    return weight if is_valid else None


def _from_item(item: Mapping[str, Any]) -> Data:
    scenes = [_scene_row(row) for row in tables_of(item, "scene")]
    return {"start": field_text(item, "start"), "scene": scenes}


def _scene_row(row: Mapping[str, Any]) -> Data:
    choices = [
        {name: field_text(choice, name) for name in CHOICE_KEYS} for choice in tables_of(row, "choice")
    ]
    return {name: field_text(row, name) for name in ("key", "text", "debrief")} | {"choice": choices}


def _to_item(data: Data) -> Data:
    return {
        "start": data["start"],
        "scene": [_scene_table(row) for row in with_keys(data["scene"], "scene-")],
    }


def _scene_table(row: Data) -> Data:
    scene: Data = {"key": row["key"], "text": row["text"]}
    if row["debrief"]:
        scene["debrief"] = row["debrief"]
    if row["choice"]:
        scene["choice"] = [_choice_table(choice) for choice in with_keys(row["choice"])]
    return scene


def _choice_table(row: Data) -> Data:
    weight = _parse_weight(row["weight"]) or Decimal(0)
    is_integer = weight == weight.to_integral_value()
    return {
        **{name: row[name] for name in CHOICE_KEYS},
        "weight": int(weight) if is_integer else float(weight),
    }


_CHOICE: Data = dict.fromkeys(CHOICE_KEYS, "")
_END: Data = {"key": "", "text": "", "debrief": "", "choice": []}
_SCENE: Data = {**_END, "choice": [_CHOICE, _CHOICE]}
EDITOR = ItemEditor(
    ScenarioItemForm,
    _from_item,
    _to_item,
    rows={"scene": _SCENE, "scene-end": _END, "choice": _CHOICE},
    fresh={"scene": [_SCENE, _SCENE, _END]},
)
