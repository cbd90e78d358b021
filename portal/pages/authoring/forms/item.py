"""The form of a question: what every kind has. What its kind adds stands in a form of the kind's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FieldList,
    HiddenField,
    RadioField,
    SelectField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.pages.layout.form_fields import LineField, LinesField, MaximumLength, RequiredText
from portal.pages.layout.form_rows import Rows
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovRadios, GovSelect, GovTextarea

LABEL = "govuk-label--s"
LEGEND = "govuk-fieldset__legend--s"
PRACTICE = "practice"
LEAST_SOURCES = 3  # fields shown, the first of them needed
Table = dict[str, Any]


class ItemForm(FlaskForm):  # type: ignore[misc]
    """One question; ``outcomes`` are the module's, ``sources`` what may be tested, by number and title."""

    expected = HiddenField()
    stimulus = LinesField(
        "Situation",
        description="A few sentences above the question. Leave it empty where the question needs none.",
        widget=GovTextarea(label_classes=LABEL, rows=4),
        validators=[MaximumLength(4000)],
    )
    prompt = LinesField(
        "Question",
        description="One sentence that asks one thing, and that can be answered before reading the choices.",
        widget=GovTextarea(label_classes=LABEL, rows=2),
        validators=[RequiredText("Write the question"), MaximumLength(600)],
    )
    explanation = LinesField(
        "Explanation",
        description="Two or three sentences that teach. Learners read them after they have passed.",
        widget=GovTextarea(label_classes=LABEL, rows=4),
        validators=[RequiredText("Write the explanation"), MaximumLength(2000)],
    )
    outcome = RadioField(
        "Outcome that the question tests",
        widget=GovRadios(classes="govuk-radios--small", label_classes=LEGEND),
        validators=[InputRequired("Select the outcome that the question tests")],
        validate_choice=False,
    )
    source = Rows(
        SelectField(widget=GovSelect(label_classes=LABEL, classes="portal-select"), validate_choice=False)
    )
    retired = BooleanField(
        "Retired: no longer drawn for new attempts",
        widget=GovCheckboxes(classes="govuk-checkboxes--small"),
    )

    def __init__(
        self, outcomes: Sequence[tuple[str, str]], sources: Mapping[str, str], held: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.outcome.choices = [SelectChoice(value=key, label=text) for key, text in outcomes]
        self._known = {PRACTICE, *sources}
        while len(self.source.entries) < max(LEAST_SOURCES, held):
            self.source.append_entry("")
        for number, entry in enumerate(self.source.entries):
            _dress_source(entry, number, sources)

    def validate_prompt(self, field: LinesField) -> None:
        """It is one paragraph."""
        if "\n\n" in str(field.data or "").strip():
            raise ValidationError("Write the question as one paragraph. The rest belongs in the situation")

    def validate_outcome(self, field: RadioField) -> None:
        """It is one of the module's."""
        if field.data not in {choice.value for choice in field.choices}:
            raise ValidationError("Select the outcome that the question tests")

    def validate_source(self, field: FieldList) -> None:
        """At least one, and each from the list; said beside the first field that is wrong."""
        chosen = [entry for entry in field.entries if entry.data]
        wrong = next((entry for entry in chosen if entry.data not in self._known), None)
        if wrong is not None:
            wrong.errors = ["Select a source that may be tested, or “Practice”"]
            raise ValidationError(wrong.errors[0])
        if not chosen:
            field.entries[0].errors = ["Select the source of the answer, or “Practice”"]
            raise ValidationError(field.entries[0].errors[0])

    @property
    def sources(self) -> list[str]:
        """The numbers chosen, each once."""
        return list(dict.fromkeys(entry.data for entry in self.source.entries if entry.data))

    def entered_table(self) -> Table:
        """What every question says, as its table."""
        texts = {name: str(self[name].data or "").strip() for name in ("stimulus", "prompt", "explanation")}
        sources = self.sources
        return {
            "outcome": self.outcome.data or "",
            **texts,
            "source": sources[0] if len(sources) == 1 else sources,
            "retired": bool(self.retired.data),
        }


class NewItemForm(ItemForm):
    """A question that is not written yet, with the name by which authors will know it."""

    name = LineField(
        "Name",
        description="Two or three words by which authors and reviewers know it, such as “Nail bar”."
        " Learners do not see it.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter a name for the question, such as “Nail bar”"), MaximumLength(60)],
    )


class KindForm(FlaskForm):  # type: ignore[misc]
    """What kind the new question is; sent by GET, so it carries no token."""

    class Meta:
        """Nothing is changed by it."""

        csrf = False

    kind = RadioField(
        "What kind of question is it?",
        widget=GovRadios(label_classes="govuk-fieldset__legend--m"),
        validators=[InputRequired("Select the kind of question")],
    )


def _dress_source(entry: SelectField, number: int, sources: Mapping[str, str]) -> None:
    """Label and choices; what the file says stays choosable, though it may not be tested."""
    entry.label.text = "Source of the answer" if number == 0 else f"Further source {number}, if there is one"
    if number == 0:
        entry.description = "Where the answer can be read. Practice: sound judgement, never law or a number."
    listed = {"": "Select a source" if number == 0 else "None", PRACTICE: "Practice", **sources}
    if entry.data and entry.data not in listed:
        listed[entry.data] = f"{entry.data}, which may not be tested"
    entry.choices = [SelectChoice(value=value, label=text) for value, text in listed.items()]


def form_data_of(table: Table) -> dict[str, Any]:
    """The form's data from an item's table."""
    source = table.get("source", [])
    return {
        **{name: table.get(name, "") for name in ("stimulus", "prompt", "explanation", "outcome")},
        "source": [source] if isinstance(source, str) else list(source),
        "retired": table.get("retired") is True,
    }
