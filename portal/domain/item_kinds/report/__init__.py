"""An incident to be written up: choices are marked, texts are compared with a model and a checklist."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import escape

from portal.domain.item_kinds.base import Answer, AnswerError, Content, FormValues, ItemKind, Renderer
from portal.domain.item_kinds.choices import ChoiceView as ShownChoice
from portal.domain.item_kinds.choices import choice_views, render_choices
from portal.domain.item_kinds.numbered import key_by_value
from portal.domain.item_kinds.report import marking, reading
from portal.domain.item_kinds.texts import length_error, typed_text
from portal.platform.formats.toml_tables import Table

MAX_TEXT_LENGTH = 5_000  # characters
MAX_SUMMARY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of the form with what was answered."""

    label: str  # plain text
    kind: str
    choices: list[ShownChoice]
    text: str
    model_html: str
    checklist_html: list[str]

    @property
    def chosen_choice(self) -> ShownChoice | None:
        """The choice that was made."""
        return next((choice for choice in self.choices if choice.chosen), None)


@dataclass(frozen=True, slots=True)
class ReportView:
    """The incident and the form."""

    incident_html: str
    parts: list[PartView]


class ReportKind(ItemKind):
    """A form of several parts on one page."""

    name = "report"
    label = "Report to write up"
    advice = "For practice in a form that officers fill in: what can be graded is marked, the words are not."
    position = 6
    takes_texts = True

    def read_content(self, table: Table, key: str, prefix: str) -> reading.ReportText:
        """The incident and its parts."""
        return reading.read_report(table, key, prefix)

    def render_content(self, written: reading.ReportText, renderer: Renderer) -> Content:
        """The incident, and the parts in the author's order."""
        return {
            "incident_html": renderer.render_block(written.incident, written.incident_line),
            "parts": [_render_part(part, renderer) for part in written.parts],
        }

    def shufflable_keys(self, content: Content) -> list[str]:
        """Nothing: a form asks in its own order, such as grades 1, 2, 3."""
        return []

    def countable_choices(self, content: Content) -> list[tuple[str, str, bool]]:
        """Every choice of every part that is marked."""
        return [
            (f"{part['key']}/{choice['key']}", choice["html"], choice["correct"])
            for part in content["parts"]
            for choice in part.get("choices", ())
        ]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Correct choice parts ÷ choice parts, cut to four places."""
        return marking.mark_report(content, choices)

    def best_choices(self, content: Content) -> list[str]:
        """The correct choice of each part that is marked."""
        return [f"{part}/{choice}" for part, choice in marking.correct_choices(content).items()]

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Any choice of each part that is marked."""
        return [
            f"{part['key']}/{chance.choice(part['choices'])['key']}"
            for part in content["parts"]
            if part["kind"] == "choice"
        ]

    def read_answer(self, content: Content, order: Sequence[str], sent: FormValues) -> Answer:
        """A choice and a text for each part that asks for one.

        A page of an earlier release named its controls by the parts' keys: its texts are kept, its choices
        must be made again, because accepting keys would let people try out which is right.
        """
        choices, texts, wrong = [], {}, []
        for number, part in enumerate(content["parts"], 1):
            name = f"answer-{number}"
            if part["kind"] == "choice":
                known = key_by_value([choice["key"] for choice in part["choices"]])
                value = (sent.get(name) or [""])[0]
                if value in known:
                    choices.append(f"{part['key']}/{known[value]}")
                else:
                    wrong.append((f"Select an answer to “{part['label']}”", name))
                continue
            text = typed_text(sent, name) or typed_text(sent, f"part-{part['key']}")
            problem = (
                length_error(text, MAX_TEXT_LENGTH) if text else f"Write something under “{part['label']}”"
            )
            if problem:
                wrong.append((problem, name))
            if text:
                texts[part["key"]] = text
        answer = Answer(tuple(choices), texts)
        if wrong:
            raise AnswerError(*wrong, typed=answer)
        return answer

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether every part that is marked has an answer; a text may have been erased since."""
        return len(choices) == len(marking.correct_choices(content))

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> ReportView:
        """The form, filled in."""
        return ReportView(content["incident_html"], [_part_view(part, answer) for part in content["parts"]])

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Each part's label with what was answered."""
        lines = []
        for part in self.build_view(content, order, answer).parts:
            if part.chosen_choice:
                lines.append(f"{escape(part.label)}: {part.chosen_choice.html}")
            elif part.text:
                more = "…" if len(part.text) > MAX_SUMMARY_LENGTH else ""
                lines.append(f"{escape(part.label)}: {escape(part.text[:MAX_SUMMARY_LENGTH])}{more}")
        return lines


def _render_part(part: reading.ReportPartText, renderer: Renderer) -> dict[str, Any]:
    held: dict[str, Any] = {"key": part.key, "label": part.label, "kind": part.kind}
    if part.kind == "choice":
        return held | {"choices": render_choices(part.choices, renderer)}
    return held | {
        "model_html": renderer.render_block(part.model, part.line),
        "checklist_html": [renderer.render_inline(text, part.line) for text in part.checklist],
    }


def _part_view(part: dict[str, Any], answer: Answer) -> PartView:
    offered = part.get("choices", ())
    taken = [choice.partition("/")[2] for choice in answer.choices if choice.startswith(f"{part['key']}/")]
    choices = choice_views(offered, [choice["key"] for choice in offered], taken)
    return PartView(
        label=part["label"],
        kind=part["kind"],
        choices=choices,
        text=answer.texts.get(part["key"], ""),
        model_html=part.get("model_html", ""),
        checklist_html=part.get("checklist_html", []),
    )


KIND = ReportKind()
