"""What is asked of a unit's new name or place."""

from datetime import date, timedelta

from flask_wtf import FlaskForm
from wtforms import Form, SelectField, StringField, SubmitField
from wtforms.validators import InputRequired, Length, ValidationError

from portal.pages.layout.form_widgets import GovInput, GovSelect, GovSubmit
from portal.platform.clock import read_day
from portal.platform.db import OPEN_END

ONE_DAY = timedelta(days=1)


class UnitSearchForm(Form):  # type: ignore[misc]
    """Which units to look for."""

    q = StringField("A word of its name", widget=GovInput(autocomplete="off", spellcheck=False))


def _first_day_field() -> StringField:
    return StringField(
        "First day",
        description="For example, 1 June 2026. Days before it keep the old path.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
        validators=[InputRequired("Enter the first day")],
    )


class _FirstDayForm(FlaskForm):  # type: ignore[misc]
    """What holds from a day on."""

    def validate_on(self, field: StringField) -> None:
        """A day that can be read, and before which there is another."""
        day = read_day(field.data or "")
        if day is None or not date.min + ONE_DAY < day < OPEN_END:
            raise ValidationError("Write a date such as 1 June 2026.")

    @property
    def first_day(self) -> date:
        """The day that was written, once the form is valid."""
        return read_day(self["on"].data or "") or OPEN_END


class RenameForm(_FirstDayForm):
    """Another name."""

    name = StringField(
        "New name",
        widget=GovInput(autocomplete="off", classes="govuk-input--width-30"),
        filters=[lambda text: " ".join(text.split()) if text else text],
        validators=[InputRequired("Enter the new name"), Length(max=120, message="120 characters at most")],
    )
    on = _first_day_field()
    send = SubmitField("Continue", widget=GovSubmit())


class MoveForm(_FirstDayForm):
    """Another place."""

    above = SelectField(
        "Under which unit",
        widget=GovSelect(),
        validators=[InputRequired("Select the unit under which it will stand")],
    )
    on = _first_day_field()
    send = SubmitField("Continue", widget=GovSubmit())
