"""A scenario whose choices lead on: the way taken is marked against the best way, reasons are kept."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.item_kinds.base import Answer, AnswerError, Content, FormValues, ItemKind, Renderer
from portal.domain.item_kinds.numbered import EARLIER_PAGE, key_by_value, value_by_key
from portal.domain.item_kinds.scenario import marking, reading
from portal.domain.item_kinds.texts import length_error, typed_text
from portal.platform.formats.toml_tables import Table

MAX_REASON_LENGTH = 2_000  # characters


@dataclass(frozen=True, slots=True)
class SceneChoiceView:
    """A choice of a scene."""

    value: str  # what the page sends for it
    html: str
    feedback_html: str
    chosen: bool


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
    """The way so far and the scene to which it led."""

    path_values: list[str]  # what the page sends for each step
    past_scenes: list[SceneView]
    current_scene: SceneView

    @property
    def has_ended(self) -> bool:
        """Whether the scene ends the scenario."""
        return not self.current_scene.choices


class ScenarioKind(ItemKind):
    """One scene a page."""

    name = "scenario"
    label = "Branching scenario"
    advice = "For judgement over several decisions, in which an early one changes what comes next."
    position = 5
    takes_texts = True

    def read_content(self, table: Table, key: str, prefix: str) -> reading.ScenarioText:
        """Scenes whose ways all lead on, two of them or more to the best end."""
        return reading.read_scenario(table, key, prefix)

    def render_content(self, written: reading.ScenarioText, renderer: Renderer) -> Content:
        """The scenes in the author's order; weights as text, so that no digit is lost."""
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
                            "html": renderer.render_inline(choice.text, choice.line_number),
                            "to": choice.to,
                            "weight": str(choice.weight),
                            "feedback_html": renderer.render_inline(choice.feedback, choice.line_number),
                        }
                        for choice in scene.choices
                    ],
                }
                for scene in written.scenes
            ],
        }

    def shufflable_keys(self, content: Content) -> list[str]:
        """Every choice of every scene; those of one scene are shown in the order in which they come out."""
        return [
            f"{scene['key']}/{choice['key']}" for scene in content["scenes"] for choice in scene["choices"]
        ]

    def countable_choices(self, content: Content) -> list[tuple[str, str, bool]]:
        """Every choice of every scene; right is what weighs most there."""
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
        """The weights of the way taken ÷ the best way's, cut to four places."""
        return marking.mark_scenario(content, choices)

    def best_choices(self, content: Content) -> list[str]:
        """The best way."""
        return marking.best_path(content)[1]

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Any way to an end."""
        scenes, at = marking.scenes_by_key(content), content["start"]
        way: list[str] = []
        while scenes[at]["choices"]:
            choice = chance.choice(scenes[at]["choices"])
            way.append(f"{at}/{choice['key']}")
            at = choice["to"]
        return way

    def read_answer(self, content: Content, order: Sequence[str], sent: FormValues) -> Answer:
        """The way with one step more; a step or all of it less where a button says so."""
        way, texts = self._read_path(content, order, sent)
        earlier = Answer(way, texts)
        if "again" in sent or "back" in sent:
            return Answer(() if "again" in sent else way[:-1], earlier.texts, repeats_question=True)
        at = marking.current_scene_key(content, way)
        if not marking.scenes_by_key(content)[at]["choices"]:
            return earlier
        return self._take_step(at, key_by_value(_choice_keys_of(order, at)), earlier, sent)

    def _read_path(
        self, content: Content, order: Sequence[str], sent: FormValues
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """The steps taken so far, as the page sent them, and the reason given at each."""
        at, way, texts = content["start"], [], {}
        for number, value in enumerate((sent.get("way") or [""])[0].split(), 1):
            key = key_by_value(_choice_keys_of(order, at)).get(value)
            if key is None:
                last = typed_text(sent, "reason")
                raise AnswerError(
                    (EARLIER_PAGE, "scene"), typed=Answer((), {"": last} if last else {}), saved=True
                )
            texts[at] = typed_text(sent, f"reason-{number}")
            way.append(f"{at}/{key}")
            at = marking.current_scene_key(content, way)
        return tuple(way), {scene: text for scene, text in texts.items() if text}

    def _take_step(self, at: str, known: Mapping[str, str], earlier: Answer, sent: FormValues) -> Answer:
        reason = typed_text(sent, "reason")
        texts = {**earlier.texts, at: reason} if reason else earlier.texts
        value = (sent.get("choice") or [""])[0]
        wrong = []
        if value not in known:
            wrong.append((EARLIER_PAGE if value else "Select what you do", "choice"))
        if problem := length_error(reason, MAX_REASON_LENGTH):
            wrong.append((problem, "reason"))
        if wrong:
            raise AnswerError(*wrong, typed=Answer(earlier.choices, texts))
        return Answer((*earlier.choices, f"{at}/{known[value]}"), texts, repeats_question=True)

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether the way has reached an end."""
        return not marking.scenes_by_key(content)[marking.current_scene_key(content, choices)]["choices"]

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> ScenarioView:
        """The scenes of the way, and the one to which it led."""
        past, way = [], []
        for step in answer.choices:
            at, _, key = step.partition("/")
            past.append(self._scene_view(content, order, at, key, answer.texts.get(at, "")))
            way.append(value_by_key(_choice_keys_of(order, at))[key])
        at = marking.current_scene_key(content, answer.choices)
        reason = answer.texts.get("") or answer.texts.get(at, "")  # of a page whose scene is not known
        return ScenarioView(way, past, self._scene_view(content, order, at, "", reason))

    def _scene_view(
        self, content: Content, order: Sequence[str], at: str, taken: str, reason: str
    ) -> SceneView:
        scene = marking.scenes_by_key(content)[at]
        by_key = {choice["key"]: choice for choice in scene["choices"]}
        choices = [
            SceneChoiceView(value, by_key[key]["html"], by_key[key]["feedback_html"], key == taken)
            for key, value in value_by_key(_choice_keys_of(order, at)).items()
        ]
        return SceneView(scene["html"], scene["debrief_html"], choices, reason)

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """What was done in each scene."""
        way = self.build_view(content, order, answer).past_scenes
        return [
            f"{number}. {scene.chosen_choice.html}"
            for number, scene in enumerate(way, 1)
            if scene.chosen_choice
        ]


def _choice_keys_of(order: Sequence[str], at: str) -> list[str]:
    """Keys of the choices of a scene, in the order of this attempt."""
    return [step.partition("/")[2] for step in order if step.startswith(f"{at}/")]


KIND = ScenarioKind()
