"""Steps to be put in order: a mark for the right order, nothing for any other."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.item_kinds import match_answers
from portal.domain.item_kinds.base import (
    Answer,
    AnswerError,
    Content,
    FormValues,
    ItemKind,
    Renderer,
    plain_text,
)
from portal.domain.item_kinds.order import marking
from portal.platform.formats.keys import read_key
from portal.platform.formats.toml_tables import Table

MIN_STEPS, MAX_STEPS = 3, 12


@dataclass(frozen=True)
class StepText:
    """One step as written."""

    key: str
    text: str
    line: int


@dataclass(frozen=True)
class OrderText:
    """The content of an item of order, as written: in the right order."""

    steps: tuple[StepText, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as a page shows it."""

    key: str
    html: str
    place: str  # the one given to it; empty: none
    right_place: str


@dataclass(frozen=True, slots=True)
class OrderView:
    """The steps in the order of this attempt, in that of the learner and in the right one."""

    shuffled: list[StepView]
    answered: list[StepView]
    correct: list[StepView]

    @property
    def place_numbers(self) -> list[str]:
        """The places to choose from."""
        return [str(place) for place in range(1, len(self.shuffled) + 1)]


class OrderKind(ItemKind):
    """A list of places beside each step."""

    name = "order"
    label = "Steps in order"
    advice = "For a procedure in which the order matters and can be reasoned out."
    position = 3
    usable_as_check = True

    def read_content(self, table: Table, key: str, prefix: str) -> OrderText:
        """Three or more steps, in the right order."""
        steps: list[StepText] = []
        for row in table.tables("step", f"[[{prefix}step]]"):
            step = StepText(read_key(row), row.text("text"), row.line)
            if step.key and any(step.key == other.key for other in steps):
                row.fault("key", f"The key “{step.key}” is used twice in this item. Give each step its own.")
            if step.text and any(step.text == other.text for other in steps):
                row.fault("text", "Two steps say the same, so their order cannot be told. Reword one.")
            row.close()
            steps.append(step)
        if steps and not MIN_STEPS <= len(steps) <= MAX_STEPS:
            table.fault(
                "",
                f"The item “{key}” has {len(steps)} steps. Write {MIN_STEPS} or more, at most {MAX_STEPS}.",
            )
        return OrderText(tuple(steps))

    def render_content(self, written: OrderText, renderer: Renderer) -> Content:
        """The steps in the right order."""
        return {
            "steps": [
                {"key": step.key, "html": renderer.render_inline(step.text, step.line)}
                for step in written.steps
            ]
        }

    def shufflable_keys(self, content: Content) -> list[str]:
        """Keys of the steps."""
        return [step["key"] for step in content["steps"]]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """1 when every step has its place; else 0."""
        return marking.mark_order(content, choices)

    def best_choices(self, content: Content) -> list[str]:
        """Each step with its place."""
        return match_answers.format_pairs(marking.right_places(content))

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Any order."""
        right = marking.right_places(content)
        return match_answers.random_pairs(list(right), list(right.values()), chance)

    def read_answer(self, content: Content, order: Sequence[str], sent: FormValues) -> Answer:
        """The place chosen for each step; no place twice."""
        words = {step["key"]: plain_text(step["html"]) for step in content["steps"]}
        asked = {key: f"Choose a place for “{words[key]}”" for key in order}
        places = {place: place for place in marking.right_places(content).values()}
        answer = match_answers.read_pair_answer(asked, places, sent)
        given = [match_answers.parse_pairs(answer.choices)[key] for key in order]
        twice = [
            (f"Place {place} is given twice. Use each place once", f"for-{number}")
            for number, place in enumerate(given, 1)
            if given.count(place) > 1
        ]
        if twice:
            raise AnswerError(*twice, typed=answer)
        return Answer(tuple(sorted(answer.choices, key=lambda choice: int(choice.partition("=")[2]))))

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether every step has a place."""
        return len(choices) == len(content["steps"])

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> OrderView:
        """The steps in each of three orders."""
        given, right = match_answers.parse_pairs(answer.choices), marking.right_places(content)
        steps = {
            step["key"]: StepView(step["key"], step["html"], given.get(step["key"], ""), right[step["key"]])
            for step in content["steps"]
        }
        placed = sorted((step for step in steps.values() if step.place), key=lambda step: int(step.place))
        return OrderView([steps[key] for key in order], placed, list(steps.values()))

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """The steps in the learner's order."""
        return [f"{step.place}. {step.html}" for step in self.build_view(content, order, answer).answered]

    def render_exercise(self, written: OrderText, name: str, inline: Callable[[str], str]) -> str:
        """The steps mixed, the place of each folded behind it."""
        places = {step.text: str(place) for place, step in enumerate(written.steps, 1)}
        steps = [
            (inline(text), f"Place {places[text]}")
            for text in match_answers.shuffle_by_name(list(places), name)
        ]
        hint = "Give each step its place. 1 comes first."
        return match_answers.render_pair_exercise(
            name, hint, "Show its place", list(places.values()), steps, narrow=True
        )


KIND = OrderKind()
