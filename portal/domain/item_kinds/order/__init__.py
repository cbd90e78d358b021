"""Steps to be put in order: a mark for the right order, nothing for any other."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.item_kinds import match_answers
from portal.domain.item_kinds.base import Answer, AnswerError, Content, Kind, Renderer, Sent, plain
from portal.domain.item_kinds.order import marking
from portal.platform.formats.keys import read_key
from portal.platform.formats.toml_tables import Table

LEAST, MOST = 3, 12


@dataclass(frozen=True)
class Step:
    """One step as written."""

    key: str
    text: str
    line: int


@dataclass(frozen=True)
class Steps:
    """The content of an item of order, as written: in the right order."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step as a page shows it."""

    key: str
    html: str
    place: str  # the one given to it; empty: none
    right: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The steps in the order of this attempt, in that of the learner and in the right one."""

    mixed: list[ShownStep]
    given: list[ShownStep]
    right: list[ShownStep]

    @property
    def places(self) -> list[str]:
        """The places to choose from."""
        return [str(place) for place in range(1, len(self.mixed) + 1)]


class Order(Kind):
    """A list of places beside each step."""

    name = "order"
    label = "Steps in order"
    advice = "For a procedure in which the order matters and can be reasoned out."
    place = 3
    checks = True

    def read(self, table: Table, key: str, prefix: str) -> Steps:
        """Three or more steps, in the right order."""
        steps: list[Step] = []
        for row in table.tables("step", f"[[{prefix}step]]"):
            step = Step(read_key(row), row.text("text"), row.line)
            if step.key and any(step.key == other.key for other in steps):
                row.fault("key", f"The key “{step.key}” is used twice in this item. Give each step its own.")
            if step.text and any(step.text == other.text for other in steps):
                row.fault("text", "Two steps say the same, so their order cannot be told. Reword one.")
            row.close()
            steps.append(step)
        if steps and not LEAST <= len(steps) <= MOST:
            table.fault(
                "", f"The item “{key}” has {len(steps)} steps. Write {LEAST} or more, at most {MOST}."
            )
        return Steps(tuple(steps))

    def render(self, written: Steps, renderer: Renderer) -> Content:
        """The steps in the right order."""
        return {
            "steps": [
                {"key": step.key, "html": renderer.inline(step.text, step.line)} for step in written.steps
            ]
        }

    def keys(self, content: Content) -> list[str]:
        """Keys of the steps."""
        return [step["key"] for step in content["steps"]]

    def mark(self, content: Content, choices: Sequence[str]) -> Decimal:
        """1 when every step has its place; else 0."""
        return marking.mark(content, choices)

    def best(self, content: Content) -> list[str]:
        """Each step with its place."""
        return match_answers.strings(marking.right(content))

    def guess(self, content: Content, chance: random.Random) -> list[str]:
        """Any order."""
        right = marking.right(content)
        return match_answers.dealt(list(right), list(right.values()), chance)

    def answer(self, content: Content, order: Sequence[str], sent: Sent) -> Answer:
        """The place chosen for each step; no place twice."""
        words = {step["key"]: plain(step["html"]) for step in content["steps"]}
        asked = {key: f"Choose a place for “{words[key]}”" for key in order}
        places = {place: place for place in marking.right(content).values()}
        answer = match_answers.answered(asked, places, sent)
        given = [match_answers.pairs(answer.choices)[key] for key in order]
        twice = [
            (f"Place {place} is given twice. Use each place once", f"for-{number}")
            for number, place in enumerate(given, 1)
            if given.count(place) > 1
        ]
        if twice:
            raise AnswerError(*twice, typed=answer)
        return Answer(tuple(sorted(answer.choices, key=lambda choice: int(choice.partition("=")[2]))))

    def complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether every step has a place."""
        return len(choices) == len(content["steps"])

    def shown(self, content: Content, order: Sequence[str], answer: Answer) -> Shown:
        """The steps in each of three orders."""
        given, right = match_answers.pairs(answer.choices), marking.right(content)
        steps = {
            step["key"]: ShownStep(step["key"], step["html"], given.get(step["key"], ""), right[step["key"]])
            for step in content["steps"]
        }
        placed = sorted((step for step in steps.values() if step.place), key=lambda step: int(step.place))
        return Shown([steps[key] for key in order], placed, list(steps.values()))

    def summary(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """The steps in the learner's order."""
        return [f"{step.place}. {step.html}" for step in self.shown(content, order, answer).given]

    def check(self, written: Steps, name: str, inline: Callable[[str], str]) -> str:
        """The steps mixed, the place of each folded behind it."""
        places = {step.text: str(place) for place, step in enumerate(written.steps, 1)}
        steps = [(inline(text), f"Place {places[text]}") for text in match_answers.mixed(list(places), name)]
        hint = "Give each step its place. 1 comes first."
        return match_answers.exercise(name, hint, "Show its place", list(places.values()), steps, narrow=True)


KIND = Order()
