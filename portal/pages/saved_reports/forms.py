"""Forms with which a person names a report, shares it and has it mailed."""

from datetime import date

from wtforms import BooleanField, RadioField, SelectField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from portal.domain.reports.parameters import EARLIEST, TOO_EARLY
from portal.domain.saved_reports.times import WEEKDAYS, AsOf, DayRule, Every, KnownRule, Recurrence, Span
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import DayField, LineField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovRadios, GovSelect, GovSubmit
from portal.platform.clock import today

LONGEST_NAME = 80
DAY_CHOICES = [
    SelectChoice(value=str(DayRule.TODAY), label="The day it is opened, or emailed for"),
    SelectChoice(value=str(DayRule.MONTH_END), label="The last day of the month before"),
    SelectChoice(value=str(DayRule.FIXED), label="One fixed day"),
]
KNOWN_CHOICES = [
    SelectChoice(
        value=str(KnownRule.NOW), label="As known now", render_kw={"hint": "With later corrections"}
    ),
    SelectChoice(
        value=str(KnownRule.THEN),
        label="As known at the end of that day",
        render_kw={"hint": "Always the same figures"},
    ),
]
SPAN_CHOICES = [
    SelectChoice(value=str(Span.WEEK), label="Over the week before"),
    SelectChoice(value=str(Span.MONTH), label="Since the last day of the month before"),
]
EVERY_CHOICES = [
    SelectChoice(value=str(Every.WEEK), label="Every week, on the day below"),
    SelectChoice(value=str(Every.MONTH), label="Every month, on its first working day"),
]


class SaveForm(PortalForm):
    """The name of a report, and the rule for its day."""

    name = LineField(
        "Name",
        description="Such as “Response, overdue”. Others see it if you share the report.",
        widget=GovInput(autocomplete="off"),
        validators=[RequiredText("Enter a name"), MaximumLength(LONGEST_NAME)],
    )
    span = RadioField("Changes", widget=GovRadios(), choices=SPAN_CHOICES, default=str(Span.WEEK))
    day_rule = RadioField(
        "Show the position on",
        widget=GovRadios(),
        choices=DAY_CHOICES,
        validators=[InputRequired("Select a day")],
    )
    fixed_on = DayField(
        "Fixed day",
        optional=True,
        description="Only for one fixed day. For example, 30 April 2026",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )
    known_rule = RadioField(
        "What is known",
        widget=GovRadios(),
        choices=KNOWN_CHOICES,
        validators=[InputRequired("Select what is known")],
    )
    send = SubmitField("Save the report", widget=GovSubmit())

    def offer_start(self, words: str) -> None:
        """Offer the fixed position from which the page showed changes, before the other choices."""
        fixed = SelectChoice(value=str(Span.FIXED), label=f"Since {words}")
        self.span.choices = [fixed, *SPAN_CHOICES]

    def validate_fixed_on(self, field: DayField) -> None:
        """Accept a day up to today, where the rule is one fixed day."""
        if self.day_rule.data != DayRule.FIXED:
            return
        day = field.day
        if day is None:
            raise ValidationError("Enter the fixed day")
        if day > today():
            raise ValidationError("Enter today's date or an earlier one")
        if day < EARLIEST:
            raise ValidationError(TOO_EARLY)

    @property
    def as_of(self) -> AsOf:
        """The rule that was chosen."""
        rule = DayRule(self.day_rule.data)
        return AsOf(
            rule, KnownRule(self.known_rule.data), self.fixed_on.day if rule is DayRule.FIXED else None
        )


class ShareForm(PortalForm):
    """A person to share a report with."""

    staff_number = LineField(
        "Staff number",
        description="Of somebody you can see, who may see reports. They see what their own role lets them.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off", spellcheck=False),
        validators=[RequiredText("Enter a staff number"), MaximumLength()],
    )
    share = SubmitField("Share the report", widget=GovSubmit(secondary=True))


class MailScheduleForm(PortalForm):
    """When a report is mailed."""

    every = RadioField(
        "Send a link",
        widget=GovRadios(),
        choices=EVERY_CHOICES,
        validators=[InputRequired("Select how often")],
    )
    weekday = SelectField(
        "Day of the week",
        widget=GovSelect(),
        choices=[SelectChoice(value=str(number), label=name) for number, name in enumerate(WEEKDAYS)],
        default="0",
    )
    attached = BooleanField("Attach the rows as CSV", widget=GovCheckboxes())
    schedule = SubmitField("Email the report", widget=GovSubmit(secondary=True))

    @property
    def recurrence(self) -> Recurrence:
        """The days that were chosen."""
        every = Every(self.every.data)
        return Recurrence(every, int(self.weekday.data) if every is Every.WEEK else 0)


def fixed_day_of(text: str) -> date | None:
    """The day of an address's position; None if it names none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
