"""The editor of scenarios: scenes with choices that lead on. Scenes keep their keys out of sight."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import Form, FormField, SelectField

from portal.pages.layout.form_rows import Rows
from portal.pages.layout.form_widgets import GovSelect
from portal.pages.layout.item_kinds.fields import (
    Data,
    Editor,
    area,
    enough,
    kept_key,
    line,
    tables_of,
    text_of,
    with_keys,
)

CHOICE = ("key", "text", "to", "weight", "feedback")
NO_WEIGHT = "Write a number from 0 to 1, such as 0.5, with at most four places"


def _scene_list(label: str) -> SelectField:
    return SelectField(
        label, choices=[], validate_choice=False, widget=GovSelect(label_classes="govuk-label--s")
    )


class ChoiceForm(Form):  # type: ignore[misc]
    """One choice of a scene."""

    key = kept_key()
    text = line("What one may do", "Write what one may do")
    to = _scene_list("Leads to")
    weight = line("Weight", NO_WEIGHT, hint="0 is wrong, 1 is the best that can be done here.")
    feedback = area("What to tell who chose it", "Write what to tell a learner who chose this", rows=2)

    def validate(self, extra_validators: Any = None) -> bool:
        """Every field, a scene that there is, and a number from 0 to 1."""
        whole = bool(super().validate(extra_validators))
        if self.to.data not in {value for value, _ in self.to.choices} - {""}:
            self.to.errors = ["Choose the scene to which it leads"]
        if not self.weight.errors and _weight(self.weight.data) is None:
            self.weight.errors = [NO_WEIGHT]
        return whole and not self.to.errors and not self.weight.errors


class SceneForm(Form):  # type: ignore[misc]
    """One scene; without choices it is an end."""

    key = kept_key()
    text = area("What the learner meets", "Write what the learner meets", rows=5)
    debrief = area("What to tell afterwards (optional)", rows=2)
    choice = Rows(FormField(ChoiceForm))


class ScenarioForm(Form):  # type: ignore[misc]
    """The scenes, and the one with which it begins."""

    start = _scene_list("The scenario begins with")
    scene = Rows(FormField(SceneForm))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keyed = with_keys([entry.form.data for entry in self.scene.entries], "scene-")
        for entry, row in zip(self.scene.entries, keyed, strict=True):
            entry.form.key.data = row["key"]
        scenes = [(row["key"], _named(number, row)) for number, row in enumerate(keyed, 1)]
        self.start.choices = scenes
        if not self.start.data and scenes:
            self.start.data = scenes[0][0]
        for entry in self.scene.entries:
            for choice in entry.form.choice.entries:
                choice.form.to.choices = [("", "Choose a scene"), *scenes]

    def validate(self, extra_validators: Any = None) -> bool:
        """Two scenes or more, the first among them."""
        whole = bool(super().validate(extra_validators))
        if self.start.data not in {value for value, _ in self.start.choices}:
            self.start.errors = ["Choose the scene with which it begins"]
        return enough(self, self.scene, 2, "Write two or more scenes") and whole and not self.start.errors


def _named(number: int, row: Data) -> str:
    words = " ".join((row["text"] or "").split())
    return f"Scene {number}: {words[:50]}{'…' if len(words) > 50 else ''}" if words else f"Scene {number}"


def _weight(text: str) -> Decimal | None:
    try:
        weight = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    good = weight.is_finite() and 0 <= weight <= 1 and weight == round(weight, 4)
    return weight if good else None


def _from_item(item: Mapping[str, Any]) -> Data:
    scenes = [_scene_from(row) for row in tables_of(item, "scene")]
    return {"start": text_of(item, "start"), "scene": scenes}


def _scene_from(row: Mapping[str, Any]) -> Data:
    choices = [{name: text_of(each, name) for name in CHOICE} for each in tables_of(row, "choice")]
    return {name: text_of(row, name) for name in ("key", "text", "debrief")} | {"choice": choices}


def _to_item(data: Data) -> Data:
    return {"start": data["start"], "scene": [_scene_to(row) for row in with_keys(data["scene"], "scene-")]}


def _scene_to(row: Data) -> Data:
    scene: Data = {"key": row["key"], "text": row["text"]}
    if row["debrief"]:
        scene["debrief"] = row["debrief"]
    if row["choice"]:
        scene["choice"] = [_choice_to(each) for each in with_keys(row["choice"])]
    return scene


def _choice_to(row: Data) -> Data:
    weight = _weight(row["weight"]) or Decimal(0)
    whole = weight == weight.to_integral_value()
    return {**{name: row[name] for name in CHOICE}, "weight": int(weight) if whole else float(weight)}


_CHOICE: Data = dict.fromkeys(CHOICE, "")
_END: Data = {"key": "", "text": "", "debrief": "", "choice": []}
_SCENE: Data = {**_END, "choice": [_CHOICE, _CHOICE]}
EDITOR = Editor(
    ScenarioForm,
    _from_item,
    _to_item,
    rows={"scene": _SCENE, "scene-end": _END, "choice": _CHOICE},
    fresh={"scene": [_SCENE, _SCENE, _END]},
)
