"""The form of a module's details: title and owner, outcomes, rules of the assessment."""

from typing import Any

from wtforms import BooleanField, FormField, HiddenField, ValidationError

from portal.pages.layout.base_forms import PlainForm, PortalForm
from portal.pages.layout.form_fields import (
    DayField,
    LineField,
    LinesField,
    MaximumLength,
    PercentageField,
    RequiredText,
    WholeNumberField,
)
from portal.pages.layout.form_rows import Rows
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovTextarea
from portal.platform.wording import plural

LABEL = "govuk-label--s"
MOST_OUTCOMES = 20


def _short_input(classes: str = "govuk-input--width-3") -> GovInput:
    return GovInput(classes=classes, label_classes=LABEL, inputmode="numeric")


class OutcomeForm(PlainForm):
    """One outcome; its key, which lessons and questions refer to, is empty for a new one."""

    key = HiddenField()
    text = LineField("Outcome", widget=GovTextarea(rows=2), validators=[MaximumLength(300)])


class DetailsForm(PortalForm):
    """The values of ``module.toml``, without the order of lessons."""

    expected = HiddenField()
    title = LineField(
        "Title",
        description="What learners see in their list, such as “Protect: law, victims and children”.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter a title"), MaximumLength(120)],
    )
    aim = LinesField(
        "Aim",
        description="One sentence that says what a learner can do after the module.",
        widget=GovTextarea(label_classes=LABEL, rows=3),
        validators=[RequiredText("Enter the aim in one sentence"), MaximumLength(600)],
    )
    owner = LineField(
        "Owner",
        description="The unit that is responsible for the content, such as “Learning and development”.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter the unit that is responsible for the content"), MaximumLength(120)],
    )
    review_on = DayField(
        "Review by",
        description="The day by which someone must check it against the law again, such as 31 May 2027.",
        widget=GovInput(classes="govuk-input--width-10", label_classes=LABEL, autocomplete="off"),
    )
    minutes = WholeNumberField(
        "Minutes for the whole module",
        description="The time for all lessons and the assessment. Learners plan by it.",
        least=1,
        most=600,
        message="Enter the minutes as a whole number from 1 to 600, such as 30",
        widget=_short_input(),
    )
    outcomes = Rows(FormField(OutcomeForm))
    mastery = PercentageField(
        "Pass mark",
        message="Enter the pass mark as a number from 1 to 100, such as 80",
        description="The share of marks needed to pass. With 12 questions, 80 means that 10 must be right.",
        widget=GovInput(
            classes="govuk-input--width-3", label_classes=LABEL, inputmode="numeric", suffix={"text": "%"}
        ),
    )
    draw = WholeNumberField(
        "Questions in each attempt",
        description="Each attempt draws different questions at random.",
        least=1,
        most=200,
        message="Enter how many questions an attempt has, as a whole number from 1 to 200",
        widget=_short_input(),
    )
    at_least = WholeNumberField(
        "Least number of questions on each outcome",
        description="With 1, every attempt asks about every outcome. Leave blank for any number.",
        least=0,
        most=200,
        if_empty=0,
        message="Enter a whole number, such as 1, or leave it empty",
        widget=_short_input(),
    )
    attempts = WholeNumberField(
        "Number of attempts",
        description="How often people may try. Leave blank for no limit.",
        least=0,
        most=1000,
        if_empty=0,
        message="Enter a whole number, such as 3, or leave it empty for no limit",
        widget=_short_input(),
    )
    wait_minutes = WholeNumberField(
        "Minutes to wait after a failed attempt",
        description="Time to look at the lessons again, such as 60 for an hour. Leave blank for no wait.",
        least=0,
        most=100_000,
        if_empty=0,
        message="Enter the minutes as a whole number, such as 60, or leave it empty for no wait",
        widget=_short_input("govuk-input--width-5"),
    )
    pause_after = WholeNumberField(
        "Pause after how many failed attempts",
        description="Such as 3, and again after 6. Leave blank for no pause.",
        least=0,
        most=100,
        if_empty=0,
        message="Enter a whole number, such as 3, or leave it empty for no pause",
        widget=_short_input(),
    )
    pause_hours = WholeNumberField(
        "Hours of the pause",
        description="Time for help. A line manager can end it earlier. Such as 24.",
        least=0,
        most=1000,
        if_empty=0,
        message="Enter the hours as a whole number, such as 24",
        widget=_short_input(),
    )
    test_out = BooleanField(
        "Let people take the assessment without reading the lessons first",
        description="For people who already know the subject. The pass mark is the same. The force can decide"
        " otherwise for all modules.",
        widget=GovCheckboxes(),
    )
    pre_test = BooleanField(
        "Offer a try before the lessons",
        description="It asks the checks of the lessons, records nothing, and says which lessons to read.",
        widget=GovCheckboxes(),
    )

    def validate_pause_hours(self, field: WholeNumberField) -> None:
        """Refuse a pause without a length, and a length without a pause."""
        if bool(field.number) != bool(self.pause_after.number):
            raise ValidationError("Enter both the number of failed attempts and the hours, or neither")

    def validate_draw(self, field: WholeNumberField) -> None:
        """Refuse fewer questions than the outcomes need together."""
        needed = len(self.named_outcomes) * (self.at_least.number or 0)
        if field.number is not None and needed > field.number:
            raise ValidationError(
                f"{field.number} is too few: {plural(len(self.named_outcomes), 'outcome')} with"
                f" {plural(self.at_least.number or 0, 'question')} or more each need {needed}"
            )

    @property
    def named_outcomes(self) -> list[Any]:
        """The forms of outcomes with a text; an empty row is no outcome."""
        return [entry.form for entry in self.outcomes.entries if entry.form.text.data]
