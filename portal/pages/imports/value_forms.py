"""The form that asks what values of a file mean."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wtforms import BooleanField, Field, SelectField, StringField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import Length

from portal.domain.imports.column_mapping import COMPLETION, ColumnMapping, ColumnTarget
from portal.domain.imports.known_values import KnownValues
from portal.domain.imports.value_mapping import OTHERS, ValueQuestion
from portal.domain.imports.written_values import LEFT_OUT
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovSelect, GovSubmit
from portal.platform.wording import plural

MOST_CHARACTERS = 2_000  # of a unit's path
FEW = 3  # so many values of a column are answered one by one
NEW = ("unit_path", "rank_or_grade", "designated_role")  # columns of which a value may be new


class ValuesForm(PortalForm):
    """A field for each question; ``build_values_form`` adds them."""

    send = SubmitField("Check the file", widget=GovSubmit())

    def __init__(self, questions: Sequence[ValueQuestion], known: KnownValues, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.questions, self.known = list(questions), known

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate; every question needs an answer, unless all other values of its column are left out."""
        valid = bool(super().validate(extra_validators))
        for place, question in enumerate(self.questions):
            field = self[f"answer_{place}"]
            problem = (
                ""
                if self.settles_others(question.target) and not field.data
                else _find_problem(field, question, self.known)
            )
            if problem:
                field.errors = [problem]
                valid = False
        return valid

    def settles_others(self, target: str) -> bool:
        """Whether every value of the column without an answer is left out, or new."""
        return f"others_{target}" in self and bool(self[f"others_{target}"].data)


class ColumnQuestions(NamedTuple):
    """The questions about one column of the file, with their places in the form."""

    target: ColumnTarget
    column: str  # the file's name of it; empty if every row has the same value
    questions: list[tuple[int, ValueQuestion]]


def build_values_form(questions: Sequence[ValueQuestion], known: KnownValues) -> ValuesForm:
    """Build the form for these questions, filled with what is likeliest or with what was sent.

    Args:
        questions: Those of one page.
        known: The values that they were asked with; what is typed is compared with them.
    """
    fields: dict[str, Any] = {}
    for place, question in enumerate(questions):
        fields[f"answer_{place}"] = _question_field(question)
        named = [other for other in questions if other.target == question.target and other.text]
        if len(named) > FEW and (label := _label_for_others(question)):
            fields[f"others_{question.target}"] = BooleanField(label, widget=GovCheckboxes())
    data = {f"answer_{n}": question.proposed for n, question in enumerate(questions)}
    form: ValuesForm = type("ValuesFormOfFile", (ValuesForm,), fields)(questions, known, data=data)
    return form


def _label_for_others(question: ValueQuestion) -> str:
    """What may be said of all values of a column that are not answered one by one; empty for nothing."""
    if any(value == LEFT_OUT for value, _ in question.choices):
        return "Leave out every other value, in later files too"
    return "Every other value is new: take it as it is written" if question.target in NEW else ""


def _question_field(question: ValueQuestion) -> Field:
    label = f"“{question.text}”, {plural(question.rows, 'row')}" if question.text else "How it is written"
    if not question.choices:
        return StringField(
            label,
            description="The unit’s path, names from the force down, joined by “/”.",
            widget=GovInput(autocomplete="off"),
            validators=[Length(max=MOST_CHARACTERS, message=f"Enter {MOST_CHARACTERS} characters or fewer")],
        )
    choices = [SelectChoice(value=value, label=name) for value, name in question.choices]
    if not question.proposed:
        choices.insert(0, SelectChoice(value="", label="Choose what it means"))
    description = f"In the file: {', '.join(question.samples)}" if question.samples else ""
    return SelectField(label, description=description, choices=choices, widget=GovSelect())


def _find_problem(field: Field, question: ValueQuestion, known: KnownValues) -> str:
    """Why an answer cannot be taken; empty if it can."""
    answer = (field.data or "").strip()
    if not answer:
        return f"Say what “{question.text or question.samples[0]}” means"
    return "" if question.choices else known.find_answer_fault(answer)


def read_answers(form: ValuesForm, questions: Sequence[ValueQuestion]) -> Mapping[tuple[str, str], str]:
    """The answers, by our name of the column and the file's value.

    Args:
        form: With the questions of one page.
        questions: Every one of the file; what is said of all other values answers those of later pages, too.
    """
    answers = {
        (question.target, question.text): (form[f"answer_{place}"].data or "").strip()
        for place, question in enumerate(form.questions)
    }
    others = {}
    for question in questions:
        if not form.settles_others(question.target):
            continue
        if question.target not in NEW:
            others[question.target, OTHERS] = LEFT_OUT
        elif question.choices and not question.proposed:
            others[question.target, question.text] = question.choices[0][0]
    return others | {key: answer for key, answer in answers.items() if answer}


def group_by_column(questions: Sequence[ValueQuestion], mapping: ColumnMapping) -> list[ColumnQuestions]:
    """The questions of each column, as the page shows them; all days of a row that is a person are one."""
    targets = COMPLETION if mapping.shape == "person" else mapping.targets
    groups = [
        ColumnQuestions(
            target,
            mapping.columns.get(target.name, ""),
            [(n, q) for n, q in enumerate(questions) if q.target == target.name],
        )
        for target in targets
    ]
    return [group for group in groups if group.questions]
