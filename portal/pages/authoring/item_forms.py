"""The form of a question: the fields of every kind. The fields of one kind are in a form of their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import (
    Field,
    FieldList,
    Form,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    ValidationError,
)
from wtforms.fields import SelectChoice

from portal.domain.authoring.files import Stimulus, has_mark, join_stimulus, split_stimulus
from portal.domain.authoring.media import Picture
from portal.domain.catalogue.paths import read_parts
from portal.domain.people.staff_numbers import DUTIES
from portal.pages.layout.fields import drop_down, file_to_send, radios, text_line, text_lines, tick_box
from portal.pages.layout.forms import (
    LONGEST_TEXT,
    GovCheckboxes,
    GovSelect,
    LinesField,
    PortalForm,
    Rows,
)

LABEL = "govuk-label--s"
LEGEND = "govuk-fieldset__legend--s"
PRACTICE = "practice"
PICTURE_FIELD = "picture"
LEAST_SOURCES = 3  # fields shown, of which only the first is required
Table = dict[str, Any]


def parts_field() -> LinesField:
    """The lessons of a module that not everybody works through, and whom each is for."""
    return text_lines(
        "Lessons that not everybody works through",
        "One a line: the lesson’s name, a colon, and “practice” or whom it is for, such as “marsh-quay-depot:"
        f" response, everybody else”. Duties: {', '.join(DUTIES)}. All other lessons are for everybody.",
        checks=[_check_parts],
        bold=True,
        rows=5,
    )


def _check_parts(_form: Form, field: Field) -> None:
    """Refuse a line that does not say whom its lesson is for."""
    try:
        read_parts(field.data or "")
    except ValueError as error:
        raise ValidationError(str(error)) from None


def note_field() -> LinesField:
    """The field of a note for authors."""
    return text_lines(
        "Note for authors",
        "What a later author should know. Learners do not see it.",
        most=2000,
        bold=True,
        rows=2,
    )


class QuestionForm(PortalForm):
    """The texts of a question or check; ``pictures`` are those that its figure can show."""

    expected = HiddenField()
    stimulus = text_lines(
        "Situation",
        "A few sentences above the question. Leave it blank if the question needs none.",
        most=4000,
        bold=True,
        rows=4,
    )
    figure = drop_down(
        "Figure below the situation",
        "A picture or drawing of this module, if the question needs one.",
        classes="portal-select",
        bold=True,
        validate_choice=False,
    )
    figure_words = text_lines(
        "What the figure shows",
        "For people who cannot see it. Leave it blank for a drawing that has a description.",
        most=2000,
        bold=True,
        rows=3,
    )
    picture = file_to_send(
        "Another picture",
        "SVG, PNG, JPEG or WebP. It is added to the figures and files of the module.",
        bold=True,
        accept=".svg,.png,.jpg,.jpeg,.webp",
    )
    prompt = text_lines(
        "Question",
        "One sentence that asks one thing. A learner can answer it before reading the choices.",
        required="Write the question",
        most=600,
        bold=True,
        rows=2,
    )
    explanation = text_lines(
        "Explanation",
        "Two or three sentences that teach. Learners read them after they have passed.",
        required="Write the explanation",
        most=2000,
        bold=True,
        rows=4,
    )

    note = note_field()

    def __init__(self, pictures: Sequence[Picture], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pictures = {picture.path: picture for picture in pictures}
        titles = {"": "No figure"} | {path: _picture_name(each) for path, each in self._pictures.items()}
        if self.figure.data and self.figure.data not in titles:
            titles[self.figure.data] = (
                f"{self.figure.data.removeprefix('media/')}, which is not in the module"
            )
        self.figure.choices = [SelectChoice(value=path, label=text) for path, text in titles.items()]

    def validate_prompt(self, field: LinesField) -> None:
        """Refuse more than one paragraph."""
        if "\n\n" in str(field.data or "").strip():
            raise ValidationError("Write the question as one paragraph. The rest belongs in the situation")

    def validate_figure(self, field: SelectField) -> None:
        """Require a picture of the module, and one for a description."""
        if field.data and field.data not in self._pictures:
            raise ValidationError("Select a figure of this module, or “No figure”")
        if not field.data and str(self.figure_words.data or "").strip():
            raise ValidationError("Select the figure that you describe, or clear its description")

    def validate_figure_words(self, field: LinesField) -> None:
        """Require a description of a figure, as text that does not end the figure early."""
        if self.figure.data in self._pictures and not self._figure_description:
            raise ValidationError("Write what the figure shows: it has no description of its own")
        if has_mark(str(field.data or "")):
            raise ValidationError("Remove the line that begins with :::")

    @property
    def _figure_description(self) -> str:
        picture = self._pictures.get(self.figure.data or "")
        return str(self.figure_words.data or "").strip() or (picture.description if picture else "")

    def entered_table(self) -> Table:
        """The entered values, as in a question's table."""
        text = str(self.stimulus.data or "").strip()
        stimulus = join_stimulus(Stimulus(text, self.figure.data or "", self._figure_description))
        texts = {name: str(self[name].data or "").strip() for name in ("prompt", "explanation", "note")}
        return {"stimulus": stimulus, **texts}


class CheckForm(QuestionForm):
    """A self-check of a lesson, which nobody marks."""

    explanation = text_lines(
        "Explanation",
        "Two or three sentences that teach. Learners open them below the check.",
        required="Write the explanation",
        most=2000,
        bold=True,
        rows=4,
    )


class ItemForm(QuestionForm):
    """One question; ``outcomes`` are the module's, ``sources`` the titles of testable sources by number."""

    outcome = radios(
        "Outcome that the question tests",
        required="Select the outcome that the question tests",
        classes="govuk-radios--small",
        bold=True,
        validate_choice=False,
    )
    source = Rows(
        SelectField(widget=GovSelect(label_classes=LABEL, classes="portal-select"), validate_choice=False)
    )
    duties = SelectMultipleField(
        "Drawn more often for",
        description="Choose those whose work it is about. Others may meet it too. Leave blank for all alike.",
        choices=[SelectChoice(value=duty, label=duty.capitalize()) for duty in DUTIES],
        widget=GovCheckboxes(classes="govuk-checkboxes--small", label_classes="govuk-fieldset__legend--s"),
    )
    retired = tick_box("Retired: no longer drawn for new attempts", classes="govuk-checkboxes--small")

    def __init__(
        self,
        outcomes: Sequence[tuple[str, str]],
        sources: Mapping[str, str],
        pictures: Sequence[Picture] = (),
        source_count: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(pictures, **kwargs)
        self.outcome.choices = [SelectChoice(value=key, label=text) for key, text in outcomes]
        self._known_sources = {PRACTICE, *sources}
        while len(self.source.entries) < max(LEAST_SOURCES, source_count):
            self.source.append_entry("")
        for number, entry in enumerate(self.source.entries):
            _label_source(entry, number, sources)

    def validate_outcome(self, field: RadioField) -> None:
        """Refuse an outcome that the module does not have."""
        if field.data not in {choice.value for choice in field.choices}:
            raise ValidationError("Select the outcome that the question tests")

    def validate_source(self, field: FieldList) -> None:
        """Require one source or more, each from the list; the first wrong field gets the error."""
        chosen = [entry for entry in field.entries if entry.data]
        wrong = next((entry for entry in chosen if entry.data not in self._known_sources), None)
        if wrong is not None:
            wrong.errors = ["Select a source that may be tested, or “Practice”"]
            raise ValidationError(wrong.errors[0])
        if not chosen:
            field.entries[0].errors = ["Select the source of the answer, or “Practice”"]
            raise ValidationError(field.entries[0].errors[0])

    @property
    def sources(self) -> list[str]:
        """The chosen numbers, each once."""
        return list(dict.fromkeys(entry.data for entry in self.source.entries if entry.data))

    def entered_table(self) -> Table:
        """The entered values that every kind has, as in an item's table."""
        sources = self.sources
        return {
            "outcome": self.outcome.data or "",
            **super().entered_table(),
            "source": sources[0] if len(sources) == 1 else sources,
            "for": list(self.duties.data or ()),
            "retired": bool(self.retired.data),
        }


class ItemTextForm(PortalForm):
    """One question as text; ``expected`` is the digest of the table that the page showed."""

    expected = HiddenField()
    text = text_lines(
        "The question as text",
        "TOML, as in the module’s folder. The form is easier, and says what each field is for."
        ' Lines that begin with # are not kept: write a note as note = "…".',
        required="Write the question",
        most=LONGEST_TEXT,
        classes="portal-editor",
        bold=True,
        rows=20,
        spellcheck=False,
    )


class NewItemForm(ItemForm):
    """A new question, with its name for authors."""

    name = text_line(
        "Name",
        "Two or three words by which authors and reviewers know it, such as “Nail bar”."
        " Learners do not see it.",
        required="Enter a name for the question, such as “Nail bar”",
        most=60,
        bold=True,
    )


def _picture_name(picture: Picture) -> str:
    name = picture.path.removeprefix("media/")
    return f"{picture.title} ({name})" if picture.title else name


def _label_source(entry: SelectField, number: int, sources: Mapping[str, str]) -> None:
    """Set the label and choices of a source field; a saved source stays a choice even if not testable."""
    entry.label.text = "Source of the answer" if number == 0 else f"Further source {number}, if there is one"
    if number == 0:
        entry.description = (
            "Where to read the answer. Choose Practice for sound judgement, never for law or a number."
        )
    titles = {"": "Select a source" if number == 0 else "None", PRACTICE: "Practice", **sources}
    if entry.data and entry.data not in titles:
        titles[entry.data] = f"{entry.data}, which may not be tested"
    entry.choices = [SelectChoice(value=value, label=text) for value, text in titles.items()]


def form_data_of(table: Table) -> dict[str, Any]:
    """The form's values for the table of a question or check."""
    source = table.get("source", [])
    parts = split_stimulus(str(table.get("stimulus", "")))
    return {
        **{name: str(table.get(name, "")) for name in ("prompt", "explanation", "outcome", "note")},
        "stimulus": parts.text,
        "figure": parts.figure,
        "figure_words": parts.description,
        "source": [str(number) for number in (source if isinstance(source, list) else [source])],
        "duties": [duty for duty in table.get("for", []) if duty in DUTIES],
        "retired": table.get("retired") is True,
    }
