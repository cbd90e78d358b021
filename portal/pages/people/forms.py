"""Forms of the search, of one more attempt, and of an administrator about one account."""

from datetime import date

from flask_wtf import FlaskForm
from wtforms import Form, RadioField, SelectField, StringField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from portal.domain.records.queries import EXTRA_REASONS
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovSelect, GovSubmit
from portal.platform.clock import read_day, today
from portal.platform.db import OPEN_END


class SearchForm(Form):  # type: ignore[misc]
    """The name or number to search for."""

    q = StringField("Name or staff number", widget=GovInput(autocomplete="off", spellcheck=False))


class InvitationFilterForm(Form):  # type: ignore[misc]
    """Whom to invite; sent in the address, so that a preview can be opened again."""

    unit = StringField("Unit, by path or name", widget=GovInput(autocomplete="off", spellcheck=False))
    role = SelectField("Role", widget=GovSelect(), validate_choice=False)
    directive = SelectField("Directive that applies to them", widget=GovSelect(), validate_choice=False)
    invited = SelectField(
        "Invited before",
        choices=[
            SelectChoice(value="", label="Any"),
            SelectChoice(value="never", label="Never invited"),
            SelectChoice(value="before", label="Invited before"),
        ],
        widget=GovSelect(),
        validate_choice=False,
    )


class PrintFilterForm(Form):  # type: ignore[misc]
    """Whose links to print."""

    unit = StringField(
        "Unit, by path or name",
        description="Everyone in it and in the units below it.",
        widget=GovInput(autocomplete="off", spellcheck=False),
    )
    role = SelectField("Role", widget=GovSelect(), validate_choice=False)
    who = SelectField(
        "Who",
        choices=[
            SelectChoice(value="", label="People without an email address"),
            SelectChoice(value="all", label="Everyone who cannot sign in yet"),
        ],
        widget=GovSelect(),
        validate_choice=False,
    )


class ExtraAttemptForm(FlaskForm):  # type: ignore[misc]
    """The module in which one more attempt is opened, and why."""

    module = RadioField("Module", widget=GovRadios(), validators=[InputRequired("Select a module")])
    reason = RadioField(
        "Why one more",
        choices=[
            SelectChoice(value=key, label=words[:1].upper() + words[1:])
            for key, words in EXTRA_REASONS.items()
        ],
        widget=GovRadios(),
        validators=[InputRequired("Select why one more attempt is opened")],
    )
    send = SubmitField("Open one more attempt", widget=GovSubmit())


class GrantForm(FlaskForm):  # type: ignore[misc]
    """A role to grant, on which unit, and until when."""

    role = SelectField("Role", widget=GovSelect(), validators=[InputRequired("Select a role")])
    unit = SelectField("Where", widget=GovSelect())
    until = StringField(
        "Last day",
        description="For example, 31 March 2027. Leave empty for no last day.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )
    send = SubmitField("Grant role", widget=GovSubmit(secondary=True))

    def validate_until(self, field: StringField) -> None:
        """Accept today, a later day, or nothing."""
        text = (field.data or "").strip()
        day = read_day(text)
        if text and day is None:
            raise ValidationError("Enter a date, such as 31 March 2027")
        if day is not None and day < today():
            raise ValidationError("The last day must be today or later")

    @property
    def last_day(self) -> date:
        """The last day entered; the open end if there is none."""
        return read_day(self.until.data or "") or OPEN_END
