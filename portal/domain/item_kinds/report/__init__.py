"""Items in which a report on an incident is written.

Choices are marked; texts are compared by the learner with a model answer and a checklist. A response
contains ``part/choice`` for each part that is marked.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import escape

from portal.domain.item_kinds.base import (
    Answer,
    AnswerError,
    Content,
    FormValues,
    ItemKind,
    Renderer,
    RubricPart,
    length_error,
    scale_mark,
    single_value,
    typed_text,
)
from portal.domain.item_kinds.choices import ChoiceView, choice_views, key_by_value, render_choices
from portal.domain.item_kinds.report import reading
from portal.platform.formats.toml_tables import Table

MAX_TEXT_LENGTH = 5_000  # characters
MAX_SUMMARY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of the form with its answer."""

    key: str
    label: str  # plain text
    kind: str  # "choice" or "text"
    choices: list[ChoiceView]
    text: str
    model_html: str
    checklist_html: list[str]
    shown_as_list: bool = False

    @property
    def chosen_choice(self) -> ChoiceView | None:
        """The choice that was made."""
        return next((choice for choice in self.choices if choice.chosen), None)


@dataclass(frozen=True, slots=True)
class ReportView:
    """The incident and the form."""

    incident_html: str
    parts: list[PartView]

    @property
    def marked_parts(self) -> list[PartView]:
        """The parts that have a right answer."""
        return [part for part in self.parts if part.kind == "choice"]

    @property
    def right_parts(self) -> int:
        """How many of them have it."""
        return sum(bool(part.chosen_choice and part.chosen_choice.correct) for part in self.marked_parts)


class ReportKind(ItemKind):
    """A form of several parts on one page."""

    name = "report"
    label = "Report to write up"
    advice = "For practice in a form that officers fill in: what can be graded is marked, the words are not."
    position = 6
    takes_texts = True
    usable_as_case = True

    def read_content(self, table: Table, key: str, prefix: str) -> reading.ReportText:
        """Read the incident and the parts."""
        return reading.read_report(table, key, prefix)

    def render_content(self, written: reading.ReportText, renderer: Renderer) -> Content:
        """Render the incident, and the parts in the author's order."""
        content: Content = {
            "incident_html": renderer.render_block(written.incident, written.incident_line),
            "parts": [_render_part(part, renderer) for part in written.parts],
        }
        phrases = [renderer.render_inline(text, written.phrases_line) for text in written.phrases]
        return content | ({"phrases_html": phrases} if phrases else {})

    def shufflable_keys(self, content: Content) -> list[str]:
        """Return nothing: a form has an order of its own, such as grades 1, 2, 3."""
        return []

    def countable_choices(self, content: Content) -> list[tuple[str, str, bool]]:
        """List every choice of every part that is marked."""
        return [
            (f"{part['key']}/{choice['key']}", choice["html"], choice["correct"])
            for part in content["parts"]
            for choice in part.get("choices", ())
        ]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return the share of the marked parts that are correct; a part with two answers is not."""
        correct_choices = _correct_choices(content)
        answers: dict[str, set[str]] = {}
        for choice in choices:
            part, _, key = choice.partition("/")
            answers.setdefault(part, set()).add(key)
        right = sum(answers.get(part) == {key} for part, key in correct_choices.items())
        return scale_mark(Decimal(right), Decimal(len(correct_choices)))

    def best_choices(self, content: Content) -> list[str]:
        """Return the correct choice of each part that is marked."""
        return [f"{part}/{key}" for part, key in _correct_choices(content).items()]

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Choose at random in each part that is marked."""
        return [
            f"{part['key']}/{chance.choice(part['choices'])['key']}"
            for part in content["parts"]
            if part["kind"] == "choice"
        ]

    def read_answer(self, content: Content, order: Sequence[str], form: FormValues) -> Answer:
        """Read the choice or the text of each part.

        A page of an earlier release named its controls by the parts' keys: its texts are kept, its choices
        must be made again, because accepting keys would let people try out which is correct.
        """
        choices, texts, problems = [], {}, []
        for number, part in enumerate(content["parts"], 1):
            name = f"answer-{number}"
            if part["kind"] == "choice":
                known_keys = key_by_value([choice["key"] for choice in part["choices"]])
                value = single_value(form, name)
                if value in known_keys:
                    choices.append(f"{part['key']}/{known_keys[value]}")
                else:
                    problems.append((f"Select an answer to “{part['label']}”", name))
                continue
            text = typed_text(form, name) or typed_text(form, f"part-{part['key']}")
            problem = (
                length_error(text, MAX_TEXT_LENGTH) if text else f"Write something under “{part['label']}”"
            )
            if problem:
                problems.append((problem, name))
            if text:
                texts[part["key"]] = text
        answer = Answer(tuple(choices), texts)
        if problems:
            raise AnswerError(*problems, typed=answer)
        return answer

    def rubric(self, content: Content) -> list[RubricPart]:
        """Return the parts that are written in the learner's own words."""
        return [
            RubricPart(part["key"], part["label"], part["model_html"], tuple(part["checklist_html"]))
            for part in content["parts"]
            if part["kind"] == "text"
        ]

    def opening_html(self, content: Content) -> str:
        """Return the incident."""
        return str(content["incident_html"])

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether every part that is marked has an answer; a text may have been erased since."""
        return len(choices) == len(_correct_choices(content))

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> ReportView:
        """Return the form, filled in."""
        return ReportView(content["incident_html"], [_part_view(part, answer) for part in content["parts"]])

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Return each part's label with its answer, one a line."""
        lines = []
        for part in self.build_view(content, order, answer).parts:
            if part.chosen_choice:
                lines.append(f"{escape(part.label)}: {part.chosen_choice.html}")
            elif part.text:
                ellipsis = "…" if len(part.text) > MAX_SUMMARY_LENGTH else ""
                lines.append(f"{escape(part.label)}: {escape(part.text[:MAX_SUMMARY_LENGTH])}{ellipsis}")
        return lines


def _correct_choices(content: Content) -> dict[str, str]:
    """Return the key of the correct choice of each part that is marked."""
    return {
        part["key"]: next(choice["key"] for choice in part["choices"] if choice["correct"])
        for part in content["parts"]
        if part["kind"] == "choice"
    }


def _render_part(part: reading.ReportPartText, renderer: Renderer) -> Content:
    content: Content = {"key": part.key, "label": part.label, "kind": part.kind}
    if part.kind == "choice":
        as_list = {"list": True} if part.shown_as_list else {}
        return content | {"choices": render_choices(part.choices, renderer)} | as_list
    return content | {
        "model_html": renderer.render_block(part.model, part.line),
        "checklist_html": [renderer.render_inline(text, part.line) for text in part.checklist],
    }


def _part_view(part: Content, answer: Answer) -> PartView:
    choices = part.get("choices", ())
    prefix = f"{part['key']}/"
    chosen = [choice.removeprefix(prefix) for choice in answer.choices if choice.startswith(prefix)]
    return PartView(
        key=part["key"],
        label=part["label"],
        kind=part["kind"],
        choices=choice_views(choices, [choice["key"] for choice in choices], chosen),
        text=answer.texts.get(part["key"], ""),
        model_html=part.get("model_html", ""),
        checklist_html=part.get("checklist_html", []),
        shown_as_list=part.get("list", False),
    )


KIND = ReportKind()
