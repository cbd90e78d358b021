"""Items whose steps are to be put in order."""

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
from portal.platform.formats.toml_tables import Table, read_key

MIN_STEPS, MAX_STEPS = 3, 12


@dataclass(frozen=True)
class StepText:
    """One step as written."""

    key: str
    text: str
    line: int


@dataclass(frozen=True)
class OrderText:
    """The content of an item of kind order, as written: the steps in the correct order."""

    steps: tuple[StepText, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as a page shows it."""

    key: str
    html: str
    place: str  # the chosen one; empty: none
    right_place: str


@dataclass(frozen=True, slots=True)
class OrderView:
    """The steps in three orders: shuffled for this attempt, as the learner answered, and the correct one."""

    shuffled: list[StepView]
    answered: list[StepView]
    correct: list[StepView]

    @property
    def place_numbers(self) -> list[str]:
        """The places to choose from, counted from 1."""
        return [str(place) for place in range(1, len(self.shuffled) + 1)]


class OrderKind(ItemKind):
    """A question with a list of places beside each step."""

    name = "order"
    label = "Steps in order"
    advice = "For a procedure in which the order matters and can be reasoned out."
    position = 3
    usable_as_check = True

    def read_content(self, table: Table, key: str, prefix: str) -> OrderText:
        """Read three or more steps, in the correct order."""
        steps: list[StepText] = []
        for row in table.tables("step", f"[[{prefix}step]]"):
            step = StepText(read_key(row), row.text("text"), row.line)
            if step.key and any(step.key == other.key for other in steps):
                row.fault("key", f"The key “{step.key}” is used twice in this item. Give each step its own.")
            if step.text and any(step.text == other.text for other in steps):
                row.fault("text", "Two steps have the same text. Reword one.")
            row.close()
            steps.append(step)
        if steps and not MIN_STEPS <= len(steps) <= MAX_STEPS:
            reason = f"has {len(steps)} steps. Write {MIN_STEPS} or more, at most {MAX_STEPS}."
            table.fault("", f"The item “{key}” {reason}")
        return OrderText(tuple(steps))

    def render_content(self, written: OrderText, renderer: Renderer) -> Content:
        """Render the steps in the correct order."""
        return {
            "steps": [
                {"key": step.key, "html": renderer.render_inline(step.text, step.line)}
                for step in written.steps
            ]
        }

    def shufflable_keys(self, content: Content) -> list[str]:
        """Return the keys of the steps."""
        return [step["key"] for step in content["steps"]]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return 1 if every step has its place; otherwise 0."""
        return match_answers.mark_pairs(_right_places(content), choices)

    def best_choices(self, content: Content) -> list[str]:
        """Return each step with its place."""
        return match_answers.format_pairs(_right_places(content))

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Put the steps in a random order."""
        places = _right_places(content)
        return match_answers.random_pairs(list(places), list(places.values()), chance)

    def read_answer(self, content: Content, order: Sequence[str], form: FormValues) -> Answer:
        """Read the place chosen for each step; no place may be used twice."""
        texts = {step["key"]: plain_text(step["html"]) for step in content["steps"]}
        messages = {key: f"Choose a place for “{texts[key]}”" for key in order}
        values = {place: place for place in _right_places(content).values()}
        answer = match_answers.read_pair_answer(messages, values, form)
        chosen_places = [match_answers.parse_pairs(answer.choices)[key] for key in order]
        problems = [
            (
                f"Place {place} is given {_times(chosen_places.count(place))}. Use each place once",
                f"for-{number}",
            )
            for number, place in enumerate(chosen_places, 1)
            if chosen_places.count(place) > 1 and place not in chosen_places[: number - 1]
        ]
        if problems:
            raise AnswerError(*problems, typed=answer)
        return Answer(tuple(sorted(answer.choices, key=lambda choice: int(choice.partition("=")[2]))))

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether every step has a place."""
        return len(choices) == len(content["steps"])

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> OrderView:
        """Return the steps in each of the three orders."""
        chosen_places = match_answers.parse_pairs(answer.choices)
        right_places = _right_places(content)
        steps = {
            step["key"]: StepView(
                step["key"], step["html"], chosen_places.get(step["key"], ""), right_places[step["key"]]
            )
            for step in content["steps"]
        }
        placed_steps = (step for step in steps.values() if step.place)
        return OrderView(
            shuffled=[steps[key] for key in order],
            answered=sorted(placed_steps, key=lambda step: int(step.place)),
            correct=list(steps.values()),
        )

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Return the steps in the learner's order, one a line."""
        return [f"{step.place}. {step.html}" for step in self.build_view(content, order, answer).answered]

    def render_exercise(self, written: OrderText, name: str, inline: Callable[[str], str]) -> str:
        """Render the steps shuffled, with the place of each folded below it."""
        places = {step.text: str(place) for place, step in enumerate(written.steps, 1)}
        shuffled_texts = match_answers.shuffle_by_name(list(places), name)
        answers = [(inline(text), f"Place {places[text]}") for text in shuffled_texts]
        hint = "Give each step its place. 1 comes first."
        return match_answers.render_pair_exercise(
            name, hint, "Show its place", list(places.values()), answers, narrow=True
        )


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _right_places(content: Content) -> dict[str, str]:
    """Return the place of each step, counted from 1."""
    return {step["key"]: str(place) for place, step in enumerate(content["steps"], 1)}


KIND = OrderKind()
