"""What forms of the desk share: fields, and the day from which an entry holds."""

from collections.abc import Mapping
from datetime import date

from flask_login import current_user
from wtforms import RadioField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.assurance.entering import LONGEST_TEXT, LONGEST_TITLE
from portal.domain.people.queries import find_seen_person
from portal.domain.people.services import list_names_of
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import DayField, LineField, LinesField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovTextarea, mark_wrong
from portal.platform.errors import NotFoundError
from portal.platform.wording import date as say_date

SHORT = "govuk-input--width-10"
WHOSE = "Name posts and meetings, not people."
ENTERED_LATE = "Today, or an earlier day if you enter it late."


def day_field(
    label: str = "On which day", missing: str = "Enter the day", description: str = ENTERED_LATE
) -> DayField:
    """The day from which an entry holds."""
    widget = GovInput(classes=SHORT, autocomplete="off")
    return DayField(label, missing=missing, description=description, widget=widget)


def optional_day_field(label: str, description: str) -> DayField:
    """Another day of an entry, which may be left out."""
    widget = GovInput(classes=SHORT, autocomplete="off")
    return DayField(label, optional=True, description=description, widget=widget)


def title_field(label: str, missing: str, **kwargs: object) -> LineField:
    """A text of one line that may not be left out."""
    return LineField(
        label,
        widget=GovInput(autocomplete="off"),
        validators=[RequiredText(missing), MaximumLength(LONGEST_TITLE)],
        **kwargs,
    )


def text_field(label: str, missing: str, *, rows: int = 5, **kwargs: object) -> LinesField:
    """A text of several lines that may not be left out."""
    return LinesField(
        label,
        widget=GovTextarea(rows=rows),
        validators=[RequiredText(missing), MaximumLength(LONGEST_TEXT)],
        **kwargs,
    )


def staff_number_field(label: str, description: str) -> LineField:
    """The staff number of an owner; empty: nobody."""
    widget = GovInput(classes=SHORT, autocomplete="off", spellcheck=False)
    return LineField(label, description=description, widget=widget, validators=[MaximumLength()])


def choice_field(label: str, missing: str, words: Mapping[str, str], **kwargs: object) -> RadioField:
    """One of a few values, each said in words."""
    return RadioField(
        label,
        widget=GovRadios(classes="govuk-radios--small"),
        choices=[SelectChoice(value=value, label=text) for value, text in words.items()],
        validators=[InputRequired(missing)],
        **kwargs,
    )


class EntryForm(PortalForm):
    """A form with the day from which it holds."""

    def offer_day(self, today: date) -> None:
        """Fill in today where nothing was sent."""
        if not self.is_submitted() and not self.from_on.data:
            self.from_on.data = say_date(today)

    @property
    def day(self) -> date:
        """The day of a valid form."""
        return self.from_on.day or date.min


class StaffNumberForm(EntryForm):
    """A form that names a person by staff number, or nobody."""

    owner_id: int | None = None  # of a valid form

    def validate_owner(self, field: LineField) -> None:
        """Refuse a staff number of nobody whom the viewer may see."""
        self.owner_id = None
        if field.data:
            try:
                self.owner_id = find_seen_person(current_user.viewer, field.data)
            except NotFoundError as error:
                mark_wrong(field, str(error))


def staff_number_of(person_id: int | None) -> str:
    """What the field of an owner begins with; "" for nobody, and for a person whose data is erased."""
    names = list_names_of([person_id] if person_id is not None else [])
    return names[0].staff_number if names else ""
