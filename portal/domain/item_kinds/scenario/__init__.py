"""A scenario whose choices lead on: the way taken is marked against the best way, reasons are kept."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.item_kinds.base import Answer, AnswerError, Content, Kind, Renderer, Sent
from portal.domain.item_kinds.numbered import EARLIER_PAGE, keys_of, values_of
from portal.domain.item_kinds.scenario import marking, reading
from portal.domain.item_kinds.texts import too_long, typed
from portal.platform.formats.toml_tables import Table

MOST_REASON = 2_000  # characters


@dataclass(frozen=True, slots=True)
class ShownChoice:
    """A choice of a scene."""

    value: str  # what the page sends for it
    html: str
    feedback_html: str
    taken: bool


@dataclass(frozen=True, slots=True)
class ShownScene:
    """A scene as a page shows it."""

    html: str
    debrief_html: str | None
    choices: list[ShownChoice]  # in the order of this attempt
    reason: str

    @property
    def taken(self) -> ShownChoice | None:
        """The choice that was made."""
        return next((choice for choice in self.choices if choice.taken), None)


@dataclass(frozen=True, slots=True)
class Shown:
    """The way so far and the scene to which it led."""

    way: list[str]  # what the page sends for each step
    past: list[ShownScene]
    now: ShownScene

    @property
    def ended(self) -> bool:
        """Whether the scene ends the scenario."""
        return not self.now.choices


class Scenario(Kind):
    """One scene a page."""

    name = "scenario"
    label = "Branching scenario"
    advice = "For judgement over several decisions, in which an early one changes what comes next."
    place = 5
    writes = True

    def read(self, table: Table, key: str, prefix: str) -> reading.Scenario:
        """Scenes whose ways all lead on, two of them or more to the best end."""
        return reading.read(table, key, prefix)

    def render(self, written: reading.Scenario, renderer: Renderer) -> Content:
        """The scenes in the author's order; weights as text, so that no digit is lost."""
        return {
            "start": written.start,
            "scenes": [
                {
                    "key": scene.key,
                    "html": renderer.block(scene.text, scene.table.line),
                    "debrief_html": (
                        renderer.block(scene.debrief, scene.table.line) if scene.debrief else None
                    ),
                    "choices": [
                        {
                            "key": choice.key,
                            "html": renderer.inline(choice.text, choice.line),
                            "to": choice.to,
                            "weight": str(choice.weight),
                            "feedback_html": renderer.inline(choice.feedback, choice.line),
                        }
                        for choice in scene.choices
                    ],
                }
                for scene in written.scenes
            ],
        }

    def keys(self, content: Content) -> list[str]:
        """Every choice of every scene; those of one scene are shown in the order in which they come out."""
        return [
            f"{scene['key']}/{choice['key']}" for scene in content["scenes"] for choice in scene["choices"]
        ]

    def offered(self, content: Content) -> list[tuple[str, str, bool]]:
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

    def mark(self, content: Content, choices: Sequence[str]) -> Decimal:
        """The weights of the way taken ÷ the best way's, cut to four places."""
        return marking.mark(content, choices)

    def best(self, content: Content) -> list[str]:
        """The best way."""
        return marking.best_way(content)[1]

    def guess(self, content: Content, chance: random.Random) -> list[str]:
        """Any way to an end."""
        scenes, at = marking.scenes(content), content["start"]
        way: list[str] = []
        while scenes[at]["choices"]:
            choice = chance.choice(scenes[at]["choices"])
            way.append(f"{at}/{choice['key']}")
            at = choice["to"]
        return way

    def answer(self, content: Content, order: Sequence[str], sent: Sent) -> Answer:
        """The way with one step more; a step or all of it less where a button says so."""
        way, texts = self._sent_way(content, order, sent)
        earlier = Answer(way, texts)
        if "again" in sent or "back" in sent:
            return Answer(() if "again" in sent else way[:-1], earlier.texts, stays=True)
        at = marking.end_of(content, way)
        if not marking.scenes(content)[at]["choices"]:
            return earlier
        return self._take_step(at, keys_of(_choices_of(order, at)), earlier, sent)

    def _sent_way(
        self, content: Content, order: Sequence[str], sent: Sent
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """The steps taken so far, as the page sent them, and the reason given at each."""
        at, way, texts = content["start"], [], {}
        for number, value in enumerate((sent.get("way") or [""])[0].split(), 1):
            key = keys_of(_choices_of(order, at)).get(value)
            if key is None:
                last = typed(sent, "reason")
                raise AnswerError(
                    (EARLIER_PAGE, "scene"), typed=Answer((), {"": last} if last else {}), saved=True
                )
            texts[at] = typed(sent, f"reason-{number}")
            way.append(f"{at}/{key}")
            at = marking.end_of(content, way)
        return tuple(way), {scene: text for scene, text in texts.items() if text}

    def _take_step(self, at: str, known: Mapping[str, str], earlier: Answer, sent: Sent) -> Answer:
        reason = typed(sent, "reason")
        texts = {**earlier.texts, at: reason} if reason else earlier.texts
        value = (sent.get("choice") or [""])[0]
        wrong = []
        if value not in known:
            wrong.append((EARLIER_PAGE if value else "Select what you do", "choice"))
        if problem := too_long(reason, MOST_REASON):
            wrong.append((problem, "reason"))
        if wrong:
            raise AnswerError(*wrong, typed=Answer(earlier.choices, texts))
        return Answer((*earlier.choices, f"{at}/{known[value]}"), texts, stays=True)

    def complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether the way has reached an end."""
        return not marking.scenes(content)[marking.end_of(content, choices)]["choices"]

    def shown(self, content: Content, order: Sequence[str], answer: Answer) -> Shown:
        """The scenes of the way, and the one to which it led."""
        past, way = [], []
        for step in answer.choices:
            at, _, key = step.partition("/")
            past.append(self._scene(content, order, at, key, answer.texts.get(at, "")))
            way.append(values_of(_choices_of(order, at))[key])
        at = marking.end_of(content, answer.choices)
        reason = answer.texts.get("") or answer.texts.get(at, "")  # of a page whose scene is not known
        return Shown(way, past, self._scene(content, order, at, "", reason))

    def _scene(self, content: Content, order: Sequence[str], at: str, taken: str, reason: str) -> ShownScene:
        scene = marking.scenes(content)[at]
        by_key = {choice["key"]: choice for choice in scene["choices"]}
        choices = [
            ShownChoice(value, by_key[key]["html"], by_key[key]["feedback_html"], key == taken)
            for key, value in values_of(_choices_of(order, at)).items()
        ]
        return ShownScene(scene["html"], scene["debrief_html"], choices, reason)

    def summary(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """What was done in each scene."""
        way = self.shown(content, order, answer).past
        return [f"{number}. {scene.taken.html}" for number, scene in enumerate(way, 1) if scene.taken]


def _choices_of(order: Sequence[str], at: str) -> list[str]:
    """Keys of the choices of a scene, in the order of this attempt."""
    return [step.partition("/")[2] for step in order if step.startswith(f"{at}/")]


KIND = Scenario()
