"""Forms of an administrator about one account."""

from datetime import date

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, SubmitField
from wtforms.validators import InputRequired, ValidationError

from portal.pages.layout.form_widgets import GovInput, GovSelect, GovSubmit
from portal.platform.clock import read_day, today
from portal.platform.db import OPEN_END


class GrantForm(FlaskForm):  # type: ignore[misc]
    """A role to grant, and where it holds."""

    role = SelectField("Role", widget=GovSelect(), validators=[InputRequired("Select a role")])
    unit = SelectField("Where", widget=GovSelect())
    until = StringField(
        "Last day",
        description="For example, 31 March 2027. Leave empty for no last day.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )
    send = SubmitField("Grant role", widget=GovSubmit(secondary=True))

    def validate_until(self, field: StringField) -> None:
        """A day of today or later, or nothing."""
        written = (field.data or "").strip()
        day = read_day(written)
        if written and day is None:
            raise ValidationError("Write a date such as 31 March 2027.")
        if day is not None and day < today():
            raise ValidationError("The last day must be today or later.")

    @property
    def last_day(self) -> date:
        """The last day that was written; the open end where none was."""
        return read_day(self.until.data or "") or OPEN_END
