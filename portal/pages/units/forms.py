"""Forms to search for units, and to rename and move one."""

from datetime import date, timedelta

from wtforms import SelectField, StringField, SubmitField
from wtforms.validators import InputRequired, Length, ValidationError

from portal.pages.layout.base_forms import PlainForm, PortalForm
from portal.pages.layout.form_widgets import GovInput, GovSelect, GovSubmit
from portal.platform.clock import read_day
from portal.platform.db import OPEN_END

ONE_DAY = timedelta(days=1)


class UnitSearchForm(PlainForm):
    """The search for units by name."""

    q = StringField("Word in the name", widget=GovInput(autocomplete="off", spellcheck=False))


def _first_day_field() -> StringField:
    return StringField(
        "First day",
        description="For example, 1 June 2026. Earlier days keep the old path.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
        validators=[InputRequired("Enter the first day")],
    )


class _FirstDayForm(PortalForm):
    """A change from a day on."""

    def validate_on(self, field: StringField) -> None:
        """Refuse what is not a date, and the first and last day of the calendar."""
        day = read_day(field.data or "")
        if day is None or not date.min + ONE_DAY < day < OPEN_END:
            raise ValidationError("Enter a date, such as 1 June 2026")

    @property
    def first_day(self) -> date:
        """The first day, of a valid form."""
        return read_day(self["on"].data or "") or OPEN_END


class RenameForm(_FirstDayForm):
    """A new name for a unit."""

    name = StringField(
        "New name",
        widget=GovInput(autocomplete="off", classes="govuk-input--width-30"),
        filters=[lambda text: " ".join(text.split()) if text else text],
        validators=[
            InputRequired("Enter the new name"),
            Length(max=120, message="Enter 120 characters or fewer"),
        ],
    )
    on = _first_day_field()
    send = SubmitField("Continue", widget=GovSubmit())


class MoveForm(_FirstDayForm):
    """A new place for a unit."""

    above = SelectField(
        "Move it under",
        widget=GovSelect(),
        validators=[InputRequired("Select the unit to move it under")],
    )
    on = _first_day_field()
    send = SubmitField("Continue", widget=GovSubmit())
