"""Choices with feedback, as the kinds single and multiple and the parts of a report have them.

The form value of a choice is its number on the page, never the key that its author gave it: a key may
reveal which choice is correct (``value="safe"``). Numbers follow the order of the attempt, so they say
nothing about another attempt and are the same whenever the question is shown again.
"""

import random
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from portal.domain.item_kinds.base import (
    FULL_MARK,
    NO_MARK,
    Answer,
    AnswerError,
    Content,
    FormValues,
    ItemKind,
    Renderer,
)
from portal.platform.formats.toml_tables import Table, read_key

# The error for an unknown value, such as a key from a page of an earlier release: the saved answer stays.
EARLIER_PAGE = "This page was opened before the portal was updated. Select your answer again"


@dataclass(frozen=True)
class ChoiceText:
    """One choice as written, with the feedback for it."""

    key: str
    text: str
    feedback: str
    correct: bool
    line: int


@dataclass(frozen=True)
class ChoiceItemText:
    """The content of a single or multiple item, as written."""

    choices: tuple[ChoiceText, ...]


def read_choices(table: Table, header: str) -> tuple[ChoiceText, ...]:
    """Read the ``[[…choice]]`` tables; ``header`` is their name in messages."""
    choices = []
    seen: set[str] = set()
    for row in table.tables("choice", header):
        choice = ChoiceText(
            read_key(row), row.text("text"), row.text("feedback"), row.flag("correct"), row.line
        )
        if choice.key and choice.key in seen:
            row.fault("key", f"The key “{choice.key}” is used twice in this item. Give each choice its own.")
        seen.add(choice.key)
        row.close()
        choices.append(choice)
    return tuple(choices)


def check_one_correct(table: Table, key: str, choices: Sequence[ChoiceText], *, what: str = "item") -> None:
    """Add a fault unless there are two or more choices, exactly one of them correct."""
    if not choices:
        return  # the table has this fault already
    if len(choices) < 2:
        table.fault("", f"The {what} “{key}” needs two or more choices.")
    correct = sum(choice.correct for choice in choices)
    if correct != 1:
        reason = f"The {what} “{key}” has {correct} correct choices. Mark exactly one correct = true."
        table.fault("", reason)


def render_choices(choices: Sequence[ChoiceText], renderer: Renderer) -> list[Content]:
    """Render the choices as the database stores them."""
    return [
        {
            "key": choice.key,
            "html": renderer.render_inline(choice.text, choice.line),
            "feedback_html": renderer.render_inline(choice.feedback, choice.line),
            "correct": choice.correct,
        }
        for choice in choices
    ]


def correct_keys(content: Content) -> list[str]:
    """Return the keys of the correct choices."""
    return [choice["key"] for choice in content["choices"] if choice["correct"]]


def value_by_key(keys: Sequence[str]) -> dict[str, str]:
    """Return the form value of each key, in this order. It contains a dot, which no key does.

    >>> value_by_key(["safe", "status"])
    {'safe': 'c.1', 'status': 'c.2'}
    """
    return {key: f"c.{number}" for number, key in enumerate(keys, 1)}


def key_by_value(keys: Sequence[str]) -> dict[str, str]:
    """Return the key of each form value."""
    return {value: key for key, value in value_by_key(keys).items()}


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """A choice as a page shows it."""

    key: str
    value: str  # its form value
    html: str
    chosen: bool
    correct: bool
    feedback_html: str


def choice_views(
    choices: Sequence[Content], order: Sequence[str], chosen: Container[str]
) -> list[ChoiceView]:
    """Return the choices in this order of keys; ``chosen`` has the keys of the selected ones."""
    by_key = {choice["key"]: choice for choice in choices}
    return [
        ChoiceView(
            key=key,
            value=value,
            html=by_key[key]["html"],
            chosen=key in chosen,
            correct=by_key[key]["correct"],
            feedback_html=by_key[key]["feedback_html"],
        )
        for key, value in value_by_key(order).items()
    ]


class ChoiceKind(ItemKind):
    """Base of the kinds single and multiple."""

    allows_several: ClassVar[bool]
    hint: ClassVar[str]
    exercise_hint: ClassVar[str]
    usable_as_check = True

    def template_path(self, part: str) -> str:
        """Return the template that both kinds share."""
        return f"kinds/choices-{part}.html"

    def read_content(self, table: Table, key: str, prefix: str) -> ChoiceItemText:
        """Read the choices; the subclasses check how many are correct."""
        return ChoiceItemText(read_choices(table, f"[[{prefix}choice]]"))

    def render_content(self, written: ChoiceItemText, renderer: Renderer) -> Content:
        """Render the choices in the author's order."""
        return {"choices": render_choices(written.choices, renderer)}

    def shufflable_keys(self, content: Content) -> list[str]:
        """Return the keys of the choices."""
        return [choice["key"] for choice in content["choices"]]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return 1 for exactly the correct choices, in any order; otherwise 0."""
        is_allowed = self.allows_several or len(choices) == 1
        return FULL_MARK if is_allowed and set(choices) == set(correct_keys(content)) else NO_MARK

    def best_choices(self, content: Content) -> list[str]:
        """Return the keys of the correct choices."""
        return correct_keys(content)

    def read_answer(self, content: Content, order: Sequence[str], form: FormValues) -> Answer:
        """Read the selected radios or checkboxes, in the order shown."""
        values, known_keys = set(form.get("choice", ())), key_by_value(order)
        if not values <= known_keys.keys():
            raise AnswerError((EARLIER_PAGE, "choice"), saved=True)
        chosen = tuple(key for value, key in known_keys.items() if value in values)
        if not chosen or (len(chosen) > 1 and not self.allows_several):
            raise AnswerError(("Select an answer", "choice"))
        return Answer(chosen)

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether anything was chosen."""
        return bool(choices)

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> list[ChoiceView]:
        """Return the choices in the order of this attempt."""
        return choice_views(content["choices"], order, answer.choices)

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Return the chosen choices, one a line."""
        return [choice.html for choice in self.build_view(content, order, answer) if choice.chosen]

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Choose at random as many choices as are correct."""
        keys = self.shufflable_keys(content)
        return chance.sample(keys, len(correct_keys(content)))

    def render_exercise(self, written: ChoiceItemText, name: str, inline: Callable[[str], str]) -> str:
        """Render radios or checkboxes outside any form, with the feedback folded below each choice."""
        style = "checkboxes" if self.allows_several else "radios"
        choices = "".join(
            self._render_exercise_choice(choice, name, number, inline)
            for number, choice in enumerate(written.choices, 1)
        )
        return (
            f'<div id="{name}-hint" class="govuk-hint">{self.exercise_hint}</div>'
            f'<div class="govuk-{style}">{choices}</div>'
        )

    def _render_exercise_choice(
        self, choice: ChoiceText, name: str, number: int, inline: Callable[[str], str]
    ) -> str:
        style, control = ("checkboxes", "checkbox") if self.allows_several else ("radios", "radio")
        control_id = f"{name}-{number}"
        colour, verdict = ("right", "Correct") if choice.correct else ("wrong", "Not correct")
        text = inline(choice.text)
        return (
            f'<div class="govuk-{style}__item"><input class="govuk-{style}__input" id="{control_id}"'
            f' name="{name}" type="{control}">'
            f'<label class="govuk-label govuk-{style}__label" for="{control_id}">{text}</label></div>'
            '<details class="govuk-details portal-check__feedback"><summary class="govuk-details__summary">'
            '<span class="govuk-details__summary-text">If you chose this'
            f'<span class="govuk-visually-hidden">: {text}</span></span></summary>'
            f'<div class="portal-feedback portal-feedback--{colour}"><strong>{verdict}</strong>'
            f"<p>{inline(choice.feedback)}</p></div>"
            "</details>"
        )
