"""Cases in which a call is made: facts come in bits, one chooses what to ask, then what to pass on.

An answer contains ``bit/choice`` for each bit so far, then ``field/choice`` for each field that is chosen.
Short facts are texts, so that they can be erased.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.item_kinds.base import (
    Answer,
    AnswerError,
    Content,
    FormValues,
    ItemKind,
    Renderer,
    length_error,
    scale_mark,
    single_value,
    typed_text,
)
from portal.domain.item_kinds.call import reading
from portal.domain.item_kinds.choices import EARLIER_PAGE, key_by_value, render_choices, value_by_key
from portal.platform.formats.toml_tables import Table

MAX_FACT_LENGTH = 120  # characters
_NO_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class QuestionView:
    """Something that one may ask or say in a bit."""

    step: str  # ``bit/choice``, as in an answer
    value: str  # its form value
    html: str
    answer_html: str
    feedback_html: str
    chosen: bool
    good: bool


@dataclass(frozen=True, slots=True)
class BitView:
    """A part of the call, with what was asked in it."""

    html: str
    choices: list[QuestionView]  # in the order of this run

    @property
    def chosen_choice(self) -> QuestionView | None:
        """What was asked; None: nothing yet."""
        return next((choice for choice in self.choices if choice.chosen), None)


@dataclass(frozen=True, slots=True)
class FieldChoiceView:
    """A choice of a field; ``good``: it is right for somebody who asked what this learner asked."""

    step: str
    value: str
    html: str
    feedback_html: str
    chosen: bool
    good: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """One thing that is passed on, with the answer."""

    label: str  # plain text
    kind: str  # "choice" or "fact"
    choices: list[FieldChoiceView]
    text: str  # as typed
    accepted: str  # the model of a fact
    feedback_html: str
    right: bool

    @property
    def chosen_choice(self) -> FieldChoiceView | None:
        """The choice that was made."""
        return next((choice for choice in self.choices if choice.chosen), None)

    @property
    def good_choice(self) -> FieldChoiceView | None:
        """The right choice."""
        return next((choice for choice in self.choices if choice.good), None)


@dataclass(frozen=True, slots=True)
class CallView:
    """The call as far as it has come."""

    incident_html: str
    way_values: list[str]  # the form value of each question so far
    past_bits: list[BitView]
    current_bit: BitView | None  # None: all that can be asked has been; the fields follow
    fields: list[FieldView]

    @property
    def good_questions(self) -> int:
        """How many of the questions were good ones."""
        return sum(bool(bit.chosen_choice and bit.chosen_choice.good) for bit in self.past_bits)

    @property
    def right_fields(self) -> int:
        """How many fields are right."""
        return sum(field.right for field in self.fields)


class CallKind(ItemKind):
    """A call to work through; not for assessments, where what was typed could not be marked again."""

    name = "call"
    label = "Call"
    advice = "For practice in a call: what to ask while facts come in bits, and what to pass on."
    takes_texts = True
    usable_as_case = True
    usable_as_item = False

    def read_content(self, table: Table, key: str, prefix: str) -> reading.CallText:
        """Read the bits and the fields."""
        return reading.read_call(table, prefix)

    def render_content(self, written: reading.CallText, renderer: Renderer) -> Content:
        """Render everything in the author's order."""
        return {
            "incident_html": renderer.render_block(written.incident, written.incident_line),
            "bits": [_render_bit(bit, renderer) for bit in written.bits],
            "fields": [_render_field(field, renderer) for field in written.fields],
        }

    def shufflable_keys(self, content: Content) -> list[str]:
        """Return every choice of every bit and field; the fields themselves keep their order."""
        return [
            f"{part['key']}/{choice['key']}"
            for part in (*content["bits"], *content["fields"])
            for choice in part["choices"]
        ]

    def countable_choices(self, content: Content) -> list[tuple[str, str, bool]]:
        """List every question, then every choice of every field."""
        return [
            (f"{part['key']}/{choice['key']}", choice["html"], choice["correct"])
            for part in (*content["bits"], *content["fields"])
            for choice in part["choices"]
        ]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return the share of questions and chosen fields that are right; typed facts are not counted."""
        good = _good_questions(content)
        questions = [
            [choice for choice in choices if choice.startswith(f"{b['key']}/")] for b in content["bits"]
        ]
        right = sum(len(asked) == 1 and asked[0] in good for asked in questions)
        fields = [field for field in content["fields"] if field["kind"] == "choice"]
        for field in fields:
            given = [choice for choice in choices if choice.startswith(f"{field['key']}/")]
            right += given == [f"{field['key']}/{_right_key(field, choices)}"]
        return scale_mark(Decimal(right), Decimal(len(questions) + len(fields)))

    def best_choices(self, content: Content) -> list[str]:
        """Return a good question for each bit, those that fields need first, and what is then right."""
        needed = {field["needs"] for field in content["fields"] if field.get("needs")}
        way = []
        for bit in content["bits"]:
            good = [f"{bit['key']}/{choice['key']}" for choice in bit["choices"] if choice["correct"]]
            way.append(next((step for step in good if step in needed), good[0]))
        fields = (field for field in content["fields"] if field["kind"] == "choice")
        return way + [f"{field['key']}/{_right_key(field, way)}" for field in fields]

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Choose at random in each bit and field."""
        return [
            f"{part['key']}/{chance.choice(part['choices'])['key']}"
            for part in (*content["bits"], *content["fields"])
            if part["choices"]
        ]

    def read_answer(self, content: Content, order: Sequence[str], form: FormValues) -> Answer:
        """Read what was asked so far with the next question, or after the last one the fields."""
        way = self._read_way(content, order, form)
        if len(way) == len(content["bits"]):
            return _read_fields(content, order, way, form)
        bit_key, value = content["bits"][len(way)]["key"], single_value(form, "choice")
        key = key_by_value(_choice_keys_of(order, bit_key)).get(value)
        if key is None:
            sentence = EARLIER_PAGE if value else "Select what you ask or say"
            raise AnswerError((sentence, "choice"), typed=Answer(way))
        return Answer((*way, f"{bit_key}/{key}"), repeats_question=True)

    def _read_way(self, content: Content, order: Sequence[str], form: FormValues) -> tuple[str, ...]:
        """Return what was asked so far, as the page sent it."""
        way: list[str] = []
        values = single_value(form, "way").split()
        for bit, value in zip(content["bits"], values, strict=False):
            key = key_by_value(_choice_keys_of(order, bit["key"])).get(value)
            if key is None:
                raise AnswerError((EARLIER_PAGE, "call"), saved=True)
            way.append(f"{bit['key']}/{key}")
        return tuple(way)

    def opening_html(self, content: Content) -> str:
        """Return what is known before the call."""
        return str(content["incident_html"])

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether everything is asked and chosen; a fact may have been erased since."""
        parts = {choice.partition("/")[0] for choice in choices}
        return all(part["key"] in parts for part in (*content["bits"], *content["fields"]) if part["choices"])

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> CallView:
        """Return the bits so far, the one that follows, and the fields."""
        bits = [_bit_view(bit, order, answer.choices) for bit in content["bits"]]
        past = [bit for bit in bits if bit.chosen_choice]
        return CallView(
            incident_html=content["incident_html"],
            way_values=[bit.chosen_choice.value for bit in past if bit.chosen_choice],
            past_bits=past,
            current_bit=bits[len(past)] if len(past) < len(bits) else None,
            fields=[_field_view(field, order, answer) for field in content["fields"]],
        )

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Return what was asked, one a line."""
        past = self.build_view(content, order, answer).past_bits
        return [bit.chosen_choice.html for bit in past if bit.chosen_choice]


def is_accepted(text: str, accepted: Sequence[str]) -> bool:
    """Whether a typed fact is one of these, whatever its capitals, spaces and signs.

    >>> is_accepted("ws00-trx ", ["WS00 TRX"])
    True
    """
    bare = _NO_SIGNS.sub("", text).casefold()
    return bool(bare) and bare in {_NO_SIGNS.sub("", each).casefold() for each in accepted}


def _render_bit(bit: reading.BitText, renderer: Renderer) -> Content:
    choices = [
        {
            "key": choice.key,
            "html": renderer.render_inline(choice.text, choice.line),
            "answer_html": renderer.render_inline(choice.answer, choice.line),
            "feedback_html": renderer.render_inline(choice.feedback, choice.line),
            "correct": choice.correct,
        }
        for choice in bit.choices
    ]
    return {"key": bit.key, "html": renderer.render_block(bit.text, bit.line), "choices": choices}


def _render_field(field: reading.FieldText, renderer: Renderer) -> Content:
    content: Content = {"key": field.key, "label": field.label, "kind": field.kind}
    if field.kind == "choice":
        own = {"needs": field.needs, "unasked": field.unasked} if field.needs else {}
        return content | {"choices": render_choices(field.choices, renderer)} | own
    feedback = renderer.render_inline(field.feedback, field.line)
    return content | {"choices": [], "accept": list(field.accept), "feedback_html": feedback}


def _good_questions(content: Content) -> set[str]:
    return {f"{bit['key']}/{c['key']}" for bit in content["bits"] for c in bit["choices"] if c["correct"]}


def _right_key(field: Content, choices: Sequence[str]) -> str:
    """The key of the choice that is right in a field, for somebody who asked these questions."""
    if field.get("needs") and field["needs"] not in choices:
        return str(field["unasked"])
    return next(str(choice["key"]) for choice in field["choices"] if choice["correct"])


def _choice_keys_of(order: Sequence[str], part_key: str) -> list[str]:
    """Return the keys of the choices of a bit or field, in the order of this run."""
    return [step.partition("/")[2] for step in order if step.startswith(f"{part_key}/")]


def _read_fields(content: Content, order: Sequence[str], way: Sequence[str], form: FormValues) -> Answer:
    """Read what is passed on."""
    choices, texts, problems = list(way), dict[str, str](), []
    for number, field in enumerate(content["fields"], 1):
        name = f"answer-{number}"
        if field["kind"] == "choice":
            known_keys = key_by_value(_choice_keys_of(order, field["key"]))
            key = known_keys.get(single_value(form, name))
            if key is None:
                problems.append((f"Choose what you say for “{field['label']}”", name))
            else:
                choices.append(f"{field['key']}/{key}")
            continue
        text = typed_text(form, name)
        problem = length_error(text, MAX_FACT_LENGTH) if text else f"Write “{field['label']}”"
        if problem:
            problems.append((problem, name))
        if text:
            texts[field["key"]] = text
    answer = Answer(tuple(choices), texts)
    if problems:
        raise AnswerError(*problems, typed=answer)
    return answer


def _bit_view(bit: Content, order: Sequence[str], choices: Sequence[str]) -> BitView:
    by_key = {choice["key"]: choice for choice in bit["choices"]}
    views = [
        QuestionView(
            step=f"{bit['key']}/{key}",
            value=value,
            html=by_key[key]["html"],
            answer_html=by_key[key]["answer_html"],
            feedback_html=by_key[key]["feedback_html"],
            chosen=f"{bit['key']}/{key}" in choices,
            good=by_key[key]["correct"],
        )
        for key, value in value_by_key(_choice_keys_of(order, bit["key"])).items()
    ]
    return BitView(bit["html"], views)


def _field_view(field: Content, order: Sequence[str], answer: Answer) -> FieldView:
    text, is_choice = answer.texts.get(field["key"], ""), field["kind"] == "choice"
    right_key = _right_key(field, answer.choices) if is_choice else ""
    by_key = {choice["key"]: choice for choice in field["choices"]}
    choices = [
        FieldChoiceView(
            step=f"{field['key']}/{key}",
            value=value,
            html=by_key[key]["html"],
            feedback_html=by_key[key]["feedback_html"],
            chosen=f"{field['key']}/{key}" in answer.choices,
            good=key == right_key,
        )
        for key, value in value_by_key(_choice_keys_of(order, field["key"])).items()
    ]
    chosen_is_good = any(choice.chosen and choice.good for choice in choices)
    return FieldView(
        label=field["label"],
        kind=field["kind"],
        choices=choices,
        text=text,
        accepted=field["accept"][0] if not is_choice else "",
        feedback_html=field.get("feedback_html", ""),
        right=chosen_is_good if is_choice else is_accepted(text, field["accept"]),
    )


KIND = CallKind()
