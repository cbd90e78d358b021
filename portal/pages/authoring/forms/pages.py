"""Forms of lessons, the job aid and the briefing."""

from collections.abc import Collection, Sequence
from typing import Any

from wtforms import HiddenField, RadioField, SelectMultipleField, ValidationError
from wtforms.fields import SelectChoice

from portal.domain.authoring.editing.case_file import CASE_KINDS
from portal.domain.authoring.editing.lesson import MOST_MINUTES
from portal.domain.authoring.editing.lesson_checks import unknown_checks
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import (
    LONGEST_TEXT,
    LineField,
    LinesField,
    MaximumLength,
    RequiredText,
    WholeNumberField,
)
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovRadios, GovTextarea

LABEL = "govuk-label--s"
_LESSON_KINDS = {"text": "A text to read", **CASE_KINDS}
MINUTES = "Minutes to read"
TITLE_HINT = "A few words that name the one idea of the lesson. Learners see it in the list of lessons."
EDITOR = GovTextarea(
    classes="portal-editor",
    label_classes=LABEL,
    rows=26,
    spellcheck=True,
    attributes={"data-text": "yes", "autocomplete": "off"},
)


def _minutes_field() -> WholeNumberField:
    return WholeNumberField(
        MINUTES,
        description="The time to read the lesson and answer its check. Most lessons take 3 minutes.",
        least=1,
        most=MOST_MINUTES,
        message=f"Enter the minutes as a whole number from 1 to {MOST_MINUTES}, such as 3",
        widget=GovInput(classes="govuk-input--width-3", label_classes=LABEL, inputmode="numeric"),
    )


class _LessonDetailsForm(PortalForm):
    """A lesson's title, minutes and outcomes; ``outcomes`` are the module's, by key and text."""

    title = LineField(
        "Title",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter a title, such as “Refer or notify”"), MaximumLength(120)],
    )
    minutes = _minutes_field()
    outcomes = SelectMultipleField(
        "Outcomes that this lesson covers",
        description="What a learner can do afterwards. Select one or more.",
        widget=GovCheckboxes(classes="govuk-checkboxes--small", label_classes="govuk-fieldset__legend--s"),
        validators=[RequiredText("Select at least one outcome that the lesson covers")],
    )

    def __init__(self, outcomes: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.outcomes.choices = [SelectChoice(value=key, label=text) for key, text in outcomes]


class LessonForm(_LessonDetailsForm):
    """One lesson; ``expected`` is the hash of the file that the page showed."""

    expected = HiddenField()
    body = LinesField(
        "Lesson text",
        widget=EDITOR,
        validators=[RequiredText("Write the lesson’s text"), MaximumLength(LONGEST_TEXT)],
    )

    def __init__(
        self, outcomes: Sequence[tuple[str, str]], checks: Collection[str] = (), **kwargs: Any
    ) -> None:
        """Fill the list of outcomes; ``checks`` are the keys of the checks that a folded block may name."""
        super().__init__(outcomes, **kwargs)
        self._checks = checks

    def validate_body(self, field: LinesField) -> None:
        """Refuse a folded check that the lesson does not have."""
        unknown = unknown_checks(str(field.data or ""), self._checks)
        if unknown:
            raise ValidationError(
                f"This lesson has no check “{unknown[0]}”. Remove its two lines, and add a check with the"
                " button “Check”"
            )


class CaseForm(PortalForm):
    """One lesson that is a case, as text; ``expected`` is the hash of the file that the page showed."""

    expected = HiddenField()
    title = HiddenField()  # shown above the text, which has it
    body = LinesField(
        "The case as text",
        description="Title, minutes and outcomes first, then scenes or parts. The check says what is wrong.",
        widget=EDITOR,
        validators=[RequiredText("Write the case"), MaximumLength(LONGEST_TEXT)],
    )


class NewLessonForm(_LessonDetailsForm):
    """The details of a new lesson."""

    kind = RadioField(
        "What is it?",
        widget=GovRadios(label_classes="govuk-fieldset__legend--s"),
        choices=[SelectChoice(value=value, label=label) for value, label in _LESSON_KINDS.items()],
        validators=[RequiredText("Select what the lesson is")],
    )


class JobAidForm(PortalForm):
    """The job aid; ``expected`` is the hash of the file that the page showed."""

    expected = HiddenField()
    title = LineField(
        "Title",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[
            RequiredText("Enter a title, such as “At the roadside: first ten minutes”"),
            MaximumLength(120),
        ],
    )
    body = LinesField(
        "Text of the job aid",
        description="One page to use in the field: what to do, in order.",
        widget=EDITOR,
        validators=[RequiredText("Write the text of the job aid"), MaximumLength(LONGEST_TEXT)],
    )


class BriefingForm(JobAidForm):
    """The briefing; ``expected`` as of the job aid."""

    body = LinesField(
        "Text of the briefing",
        description="One page to read out at parade in five minutes: one case, two questions, the answer.",
        widget=EDITOR,
        validators=[RequiredText("Write the text of the briefing"), MaximumLength(LONGEST_TEXT)],
    )
