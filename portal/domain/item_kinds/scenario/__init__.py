"""Items in which a scenario branches with each choice; the learner may type a reason for each."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.item_kinds.base import (
    Answer,
    AnswerError,
    Content,
    FormValues,
    ItemKind,
    Renderer,
    length_error,
    single_value,
    typed_text,
)
from portal.domain.item_kinds.choices import EARLIER_PAGE, key_by_value, value_by_key
from portal.domain.item_kinds.scenario import marking, reading
from portal.platform.formats.toml_tables import Table

MAX_REASON_LENGTH = 2_000  # characters


@dataclass(frozen=True, slots=True)
class SceneChoiceView:
    """A choice of a scene."""

    step: str  # ``scene/choice``, as in a response
    value: str  # its form value
    html: str
    feedback_html: str
    chosen: bool
    good: bool  # no other choice of the scene has a greater weight


@dataclass(frozen=True, slots=True)
class SceneView:
    """A scene as a page shows it."""

    html: str
    debrief_html: str | None
    choices: list[SceneChoiceView]  # in the order of this attempt
    reason: str

    @property
    def chosen_choice(self) -> SceneChoiceView | None:
        """The choice that was made."""
        return next((choice for choice in self.choices if choice.chosen), None)


@dataclass(frozen=True, slots=True)
class ScenarioView:
    """The path so far and the scene to which it led."""

    path_values: list[str]  # the form value of each step
    past_scenes: list[SceneView]
    current_scene: SceneView
    picked: str  # the form value chosen in the current scene, where its reason was refused; else ""

    @property
    def has_ended(self) -> bool:
        """Whether the current scene ends the scenario."""
        return not self.current_scene.choices


class ScenarioKind(ItemKind):
    """A question that shows one scene at a time."""

    name = "scenario"
    label = "Branching scenario"
    advice = "For judgement over several decisions, in which an early one changes what comes next."
    position = 5
    takes_texts = True
    usable_as_case = True

    def read_content(self, table: Table, key: str, prefix: str) -> reading.ScenarioText:
        """Read the scenes; every path must end, and two or more must lead to the best end."""
        return reading.read_scenario(table, key, prefix)

    def render_content(self, written: reading.ScenarioText, renderer: Renderer) -> Content:
        """Render the scenes in the author's order; weights are stored as text, so that no digit is lost."""
        return {
            "start": written.start,
            "scenes": [
                {
                    "key": scene.key,
                    "html": renderer.render_block(scene.text, scene.table.line),
                    "debrief_html": (
                        renderer.render_block(scene.debrief, scene.table.line) if scene.debrief else None
                    ),
                    "choices": [
                        {
                            "key": choice.key,
                            "html": renderer.render_inline(choice.text, choice.line),
                            "to": choice.to,
                            "weight": str(choice.weight),
                            "feedback_html": renderer.render_inline(choice.feedback, choice.line),
                        }
                        for choice in scene.choices
                    ],
                }
                for scene in written.scenes
            ],
        }

    def shufflable_keys(self, content: Content) -> list[str]:
        """Return every choice of every scene; the choices of a scene are shown in the order drawn."""
        return [
            f"{scene['key']}/{choice['key']}" for scene in content["scenes"] for choice in scene["choices"]
        ]

    def countable_choices(self, content: Content) -> list[tuple[str, str, bool]]:
        """List every choice of every scene; those of the greatest weight in their scene are correct."""
        return [
            (
                f"{scene['key']}/{choice['key']}",
                choice["html"],
                Decimal(choice["weight"]) == max(Decimal(other["weight"]) for other in scene["choices"]),
            )
            for scene in content["scenes"]
            for choice in scene["choices"]
        ]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return the total weight of the path as a share of that of the best path."""
        return marking.mark_scenario(content, choices)

    def best_choices(self, content: Content) -> list[str]:
        """Return the steps of the best path."""
        return marking.best_path(content)[1]

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Follow random choices to an end."""
        scenes, scene_key = marking.scenes_by_key(content), content["start"]
        path: list[str] = []
        while scenes[scene_key]["choices"]:
            choice = chance.choice(scenes[scene_key]["choices"])
            path.append(f"{scene_key}/{choice['key']}")
            scene_key = choice["to"]
        return path

    def read_answer(self, content: Content, order: Sequence[str], form: FormValues) -> Answer:
        """Read the path with its next step; the buttons ``back`` and ``again`` shorten the path."""
        path, texts = self._read_path(content, order, form)
        earlier = Answer(path, texts)
        if "again" in form or "back" in form:
            return Answer(() if "again" in form else path[:-1], earlier.texts, repeats_question=True)
        scene_key = marking.current_scene_key(content, path)
        if not marking.scenes_by_key(content)[scene_key]["choices"]:
            return earlier
        return self._take_step(scene_key, key_by_value(_choice_keys_of(order, scene_key)), earlier, form)

    def _read_path(
        self, content: Content, order: Sequence[str], form: FormValues
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the steps so far, as the page sent them, and the reason given in each scene."""
        scene_key, path, texts = content["start"], [], {}
        for number, value in enumerate(single_value(form, "way").split(), 1):
            key = key_by_value(_choice_keys_of(order, scene_key)).get(value)
            if key is None:
                reason = typed_text(form, "reason")
                typed = Answer((), {"": reason} if reason else {})
                raise AnswerError((EARLIER_PAGE, "scene"), typed=typed, saved=True)
            texts[scene_key] = typed_text(form, f"reason-{number}")
            path.append(f"{scene_key}/{key}")
            scene_key = marking.current_scene_key(content, path)
        return tuple(path), {scene: text for scene, text in texts.items() if text}

    def _take_step(
        self, scene_key: str, known_keys: Mapping[str, str], earlier: Answer, form: FormValues
    ) -> Answer:
        reason = typed_text(form, "reason")
        texts = {**earlier.texts, scene_key: reason} if reason else earlier.texts
        value = single_value(form, "choice")
        problems = []
        if value not in known_keys:
            problems.append((EARLIER_PAGE if value else "Select what you do", "choice"))
        if message := length_error(reason, MAX_REASON_LENGTH):
            problems.append((message, "reason"))
        if problems:
            picked = value if value in known_keys else ""
            raise AnswerError(*problems, typed=Answer(earlier.choices, texts, picked=picked))
        path = (*earlier.choices, f"{scene_key}/{known_keys[value]}")
        return Answer(path, texts, repeats_question=True)

    def may_replace(self, saved: Answer, new: Answer) -> bool:
        """Whether the new path goes on from the saved one: what was done in a scene stays done."""
        return new.choices[: len(saved.choices)] == saved.choices

    def opening_html(self, content: Content) -> str:
        """Return the first scene."""
        return str(marking.scenes_by_key(content)[content["start"]]["html"])

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether the path has reached an end."""
        scene_key = marking.current_scene_key(content, choices)
        return not marking.scenes_by_key(content)[scene_key]["choices"]

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> ScenarioView:
        """Return the scenes of the path, and the one to which it led."""
        past_scenes, path_values = [], []
        for step in answer.choices:
            scene_key, _, choice_key = step.partition("/")
            reason = answer.texts.get(scene_key, "")
            past_scenes.append(self._scene_view(content, order, scene_key, choice_key, reason))
            path_values.append(value_by_key(_choice_keys_of(order, scene_key))[choice_key])
        scene_key = marking.current_scene_key(content, answer.choices)
        # A reason without a scene comes from a page of an earlier release.
        reason = answer.texts.get("") or answer.texts.get(scene_key, "")
        current = self._scene_view(content, order, scene_key, "", reason)
        return ScenarioView(path_values, past_scenes, current, answer.picked)

    def _scene_view(
        self, content: Content, order: Sequence[str], scene_key: str, chosen_key: str, reason: str
    ) -> SceneView:
        scene = marking.scenes_by_key(content)[scene_key]
        by_key = {choice["key"]: choice for choice in scene["choices"]}
        greatest = max((Decimal(choice["weight"]) for choice in scene["choices"]), default=Decimal(0))
        choices = [
            SceneChoiceView(
                step=f"{scene_key}/{key}",
                value=value,
                html=by_key[key]["html"],
                feedback_html=by_key[key]["feedback_html"],
                chosen=key == chosen_key,
                good=Decimal(by_key[key]["weight"]) == greatest,
            )
            for key, value in value_by_key(_choice_keys_of(order, scene_key)).items()
        ]
        return SceneView(scene["html"], scene["debrief_html"], choices, reason)

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Return what was chosen in each scene, one a line."""
        past_scenes = self.build_view(content, order, answer).past_scenes
        return [
            f"{number}. {scene.chosen_choice.html}"
            for number, scene in enumerate(past_scenes, 1)
            if scene.chosen_choice
        ]


def _choice_keys_of(order: Sequence[str], scene_key: str) -> list[str]:
    """Return the keys of a scene's choices, in the order of this attempt."""
    return [step.partition("/")[2] for step in order if step.startswith(f"{scene_key}/")]


KIND = ScenarioKind()
