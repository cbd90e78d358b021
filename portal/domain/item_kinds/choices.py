"""Choices with feedback, as the kinds single and multiple have them; a report's parts hold them too."""

import random
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from portal.domain.item_kinds.base import Answer, AnswerError, Content, Kind, Renderer, Sent
from portal.domain.item_kinds.numbered import EARLIER_PAGE, keys_of, values_of
from portal.platform.formats.keys import read_key
from portal.platform.formats.toml_tables import Table


@dataclass(frozen=True)
class Choice:
    """One choice as written, with what to tell who took it."""

    key: str
    text: str
    feedback: str
    correct: bool
    line: int


@dataclass(frozen=True)
class Choices:
    """The content of an item of choices, as written."""

    choices: tuple[Choice, ...]


def read_choices(table: Table, shown: str) -> tuple[Choice, ...]:
    """The ``[[…choice]]`` tables; ``shown`` is their header, for a fault."""
    choices = []
    seen: set[str] = set()
    for row in table.tables("choice", shown):
        choice = Choice(read_key(row), row.text("text"), row.text("feedback"), row.flag("correct"), row.line)
        if choice.key and choice.key in seen:
            row.fault("key", f"The key “{choice.key}” is used twice in this item. Give each choice its own.")
        seen.add(choice.key)
        row.close()
        choices.append(choice)
    return tuple(choices)


def check_one_correct(table: Table, key: str, choices: Sequence[Choice], *, what: str = "item") -> None:
    """Refuse fewer than two choices, and more or fewer than one that is correct."""
    if not choices:
        return  # noted already
    if len(choices) < 2:
        table.fault("", f"The {what} “{key}” needs two or more choices.")
    correct = sum(choice.correct for choice in choices)
    if correct != 1:
        reason = f"The {what} “{key}” has {correct} correct choices. Mark exactly one correct = true."
        table.fault("", reason)


def render_choices(choices: Sequence[Choice], renderer: Renderer) -> list[Content]:
    """The choices as the database keeps them."""
    return [
        {
            "key": choice.key,
            "html": renderer.inline(choice.text, choice.line),
            "feedback_html": renderer.inline(choice.feedback, choice.line),
            "correct": choice.correct,
        }
        for choice in choices
    ]


def correct_keys(content: Content) -> list[str]:
    """Keys of the correct choices."""
    return [choice["key"] for choice in content["choices"] if choice["correct"]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A choice as a page shows it."""

    value: str  # what the page sends for it
    html: str
    chosen: bool
    correct: bool
    feedback_html: str


def choices_shown(choices: Sequence[Content], order: Sequence[str], chosen: Container[str]) -> list[Shown]:
    """The choices in the order given; ``chosen`` holds the keys of the selected ones."""
    by_key = {choice["key"]: choice for choice in choices}
    return [
        Shown(value, by_key[key]["html"], key in chosen, by_key[key]["correct"], by_key[key]["feedback_html"])
        for key, value in values_of(order).items()
    ]


class ChoiceKind(Kind):
    """What single and multiple have in common."""

    several: bool
    hint: str
    checks = True

    def template(self, part: str) -> str:
        """One template for both."""
        return f"kinds/choices-{part}.html"

    def read(self, table: Table, key: str, prefix: str) -> Choices:
        """Two or more choices, as many of them correct as the kind asks for."""
        return Choices(read_choices(table, f"[[{prefix}choice]]"))

    def render(self, written: Choices, renderer: Renderer) -> Content:
        """The choices in the author's order."""
        return {"choices": render_choices(written.choices, renderer)}

    def keys(self, content: Content) -> list[str]:
        """Keys of the choices."""
        return [choice["key"] for choice in content["choices"]]

    def best(self, content: Content) -> list[str]:
        """The correct ones."""
        return correct_keys(content)

    def answer(self, content: Content, order: Sequence[str], sent: Sent) -> Answer:
        """The boxes that were ticked, in the order shown."""
        values, known = set(sent.get("choice", ())), keys_of(order)
        if not values <= known.keys():
            raise AnswerError((EARLIER_PAGE, "choice"), saved=True)
        chosen = tuple(key for value, key in known.items() if value in values)
        if not chosen or (len(chosen) > 1 and not self.several):
            raise AnswerError(("Select an answer", "choice"))
        return Answer(chosen)

    def complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether anything was chosen."""
        return bool(choices)

    def shown(self, content: Content, order: Sequence[str], answer: Answer) -> list[Shown]:
        """The choices in the order of this attempt."""
        return choices_shown(content["choices"], order, answer.choices)

    def summary(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """What was chosen."""
        return [choice.html for choice in self.shown(content, order, answer) if choice.chosen]

    def guess(self, content: Content, chance: random.Random) -> list[str]:
        """As many choices as there are correct ones."""
        keys = self.keys(content)
        return chance.sample(keys, len(correct_keys(content)))

    def check(self, written: Choices, name: str, inline: Callable[[str], str]) -> str:
        """Radios or checkboxes that belong to no form; feedback is folded behind each choice."""
        shape = "checkboxes" if self.several else "radios"
        choices = "".join(
            self._checked(choice, name, number, inline) for number, choice in enumerate(written.choices, 1)
        )
        return (
            f'<div id="{name}-hint" class="govuk-hint">{self.hint}.'
            " Then open what stands below your choice.</div>"
            f'<div class="govuk-{shape}">{choices}</div>'
        )

    def _checked(self, choice: Choice, name: str, number: int, inline: Callable[[str], str]) -> str:
        shape, kind = ("checkboxes", "checkbox") if self.several else ("radios", "radio")
        identity = f"{name}-{number}"
        colour, verdict = ("right", "Correct") if choice.correct else ("wrong", "Not correct")
        text = inline(choice.text)
        return (
            f'<div class="govuk-{shape}__item"><input class="govuk-{shape}__input" id="{identity}"'
            f' name="{name}" type="{kind}">'
            f'<label class="govuk-label govuk-{shape}__label" for="{identity}">{text}</label></div>'
            '<details class="govuk-details portal-check__feedback"><summary class="govuk-details__summary">'
            '<span class="govuk-details__summary-text">If you chose this'
            f'<span class="govuk-visually-hidden">: {text}</span></span></summary>'
            f'<div class="portal-feedback portal-feedback--{colour}"><strong>{verdict}</strong>'
            f"<p>{inline(choice.feedback)}</p></div>"
            "</details>"
        )
