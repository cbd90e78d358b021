"""Choices with feedback, as the kinds single and multiple have them; a report's parts hold them too."""

import random
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from portal.domain.item_kinds.base import Answer, AnswerError, Content, FormValues, ItemKind, Renderer
from portal.domain.item_kinds.numbered import EARLIER_PAGE, key_by_value, value_by_key
from portal.platform.formats.keys import read_key
from portal.platform.formats.toml_tables import Table


@dataclass(frozen=True)
class ChoiceText:
    """One choice as written, with what to tell who took it."""

    key: str
    text: str
    feedback: str
    correct: bool
    line: int


@dataclass(frozen=True)
class ChoiceItemText:
    """The content of an item of choices, as written."""

    choices: tuple[ChoiceText, ...]


def read_choices(table: Table, shown: str) -> tuple[ChoiceText, ...]:
    """The ``[[…choice]]`` tables; ``shown`` is their header, for a fault."""
    choices = []
    seen: set[str] = set()
    for row in table.tables("choice", shown):
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
    """Refuse fewer than two choices, and more or fewer than one that is correct."""
    if not choices:
        return  # noted already
    if len(choices) < 2:
        table.fault("", f"The {what} “{key}” needs two or more choices.")
    correct = sum(choice.correct for choice in choices)
    if correct != 1:
        reason = f"The {what} “{key}” has {correct} correct choices. Mark exactly one correct = true."
        table.fault("", reason)


def render_choices(choices: Sequence[ChoiceText], renderer: Renderer) -> list[Content]:
    """The choices as the database keeps them."""
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
    """Keys of the correct choices."""
    return [choice["key"] for choice in content["choices"] if choice["correct"]]


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """A choice as a page shows it."""

    value: str  # what the page sends for it
    html: str
    chosen: bool
    correct: bool
    feedback_html: str


def choice_views(
    choices: Sequence[Content], order: Sequence[str], chosen: Container[str]
) -> list[ChoiceView]:
    """The choices in the order given; ``chosen`` holds the keys of the selected ones."""
    by_key = {choice["key"]: choice for choice in choices}
    return [
        ChoiceView(
            value, by_key[key]["html"], key in chosen, by_key[key]["correct"], by_key[key]["feedback_html"]
        )
        for key, value in value_by_key(order).items()
    ]


class ChoiceKind(ItemKind):
    """What single and multiple have in common."""

    allows_several: bool
    hint: str
    usable_as_check = True

    def template_path(self, part: str) -> str:
        """One template for both."""
        return f"kinds/choices-{part}.html"

    def read_content(self, table: Table, key: str, prefix: str) -> ChoiceItemText:
        """Two or more choices, as many of them correct as the kind asks for."""
        return ChoiceItemText(read_choices(table, f"[[{prefix}choice]]"))

    def render_content(self, written: ChoiceItemText, renderer: Renderer) -> Content:
        """The choices in the author's order."""
        return {"choices": render_choices(written.choices, renderer)}

    def shufflable_keys(self, content: Content) -> list[str]:
        """Keys of the choices."""
        return [choice["key"] for choice in content["choices"]]

    def best_choices(self, content: Content) -> list[str]:
        """The correct ones."""
        return correct_keys(content)

    def read_answer(self, content: Content, order: Sequence[str], sent: FormValues) -> Answer:
        """The boxes that were ticked, in the order shown."""
        values, known = set(sent.get("choice", ())), key_by_value(order)
        if not values <= known.keys():
            raise AnswerError((EARLIER_PAGE, "choice"), saved=True)
        chosen = tuple(key for value, key in known.items() if value in values)
        if not chosen or (len(chosen) > 1 and not self.allows_several):
            raise AnswerError(("Select an answer", "choice"))
        return Answer(chosen)

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether anything was chosen."""
        return bool(choices)

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> list[ChoiceView]:
        """The choices in the order of this attempt."""
        return choice_views(content["choices"], order, answer.choices)

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """What was chosen."""
        return [choice.html for choice in self.build_view(content, order, answer) if choice.chosen]

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """As many choices as there are correct ones."""
        keys = self.shufflable_keys(content)
        return chance.sample(keys, len(correct_keys(content)))

    def render_exercise(self, written: ChoiceItemText, name: str, inline: Callable[[str], str]) -> str:
        """Radios or checkboxes that belong to no form; feedback is folded behind each choice."""
        shape = "checkboxes" if self.allows_several else "radios"
        choices = "".join(
            self._render_exercise_choice(choice, name, number, inline)
            for number, choice in enumerate(written.choices, 1)
        )
        return (
            f'<div id="{name}-hint" class="govuk-hint">{self.hint}.'
            " Then open what stands below your choice.</div>"
            f'<div class="govuk-{shape}">{choices}</div>'
        )

    def _render_exercise_choice(
        self, choice: ChoiceText, name: str, number: int, inline: Callable[[str], str]
    ) -> str:
        shape, kind = ("checkboxes", "checkbox") if self.allows_several else ("radios", "radio")
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
