"""Forms of bookings: giving a place back, choosing people, and keeping places for units."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import RadioField, SelectField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.events.booking.candidates import PersonToBook
from portal.domain.events.booking.services import CANCEL_REASONS
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import CheckboxesField, DayField, WholeNumberField
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovSelect, GovSubmit
from portal.platform.wording import date as say_date

MOST_PLACES = 500


class CancelPlaceForm(PortalForm):
    """Why somebody's place is given back."""

    reason = RadioField(
        "Why?",
        choices=[
            SelectChoice(value=key, label=words[0].upper() + words[1:])
            for key, words in CANCEL_REASONS.items()
        ],
        widget=GovRadios(classes="govuk-radios--small", label_classes="govuk-fieldset__legend--s"),
        validators=[InputRequired("Choose a reason")],
    )
    cancel = SubmitField("Cancel booking", widget=GovSubmit(warning=True))


class ChoosePeopleForm(PortalForm):
    """People who still need to attend, with reasons why they may not be able to."""

    people = CheckboxesField("Who should come?")
    book = SubmitField("Book for them", widget=GovSubmit())

    def __init__(self, people: Sequence[PersonToBook], clashes: Mapping[int, Sequence[str]]) -> None:
        """Offer the people, each with a hint."""
        super().__init__()
        self.people.choices = [
            SelectChoice(
                value=person.staff_number,
                label=f"{person.name} ({person.staff_number})",
                render_kw={"hint": ". ".join([_need_of(person), *clashes[person.person_id]])},
            )
            for person in people
        ]

    def validate(self, extra_validators: Any = None) -> bool:
        """Require at least one person."""
        is_valid = bool(super().validate(extra_validators))
        if not self.people.chosen_values:
            self.people.errors = ("Select at least one person",)
            return False
        return is_valid


def _need_of(person: PersonToBook) -> str:
    if person.status is None:
        return "Has not attended"
    return f"{person.status.label}, due on {say_date(person.due_on)}"


class KeepPlacesForm(PortalForm):
    """How many places are kept for which unit, and until when."""

    unit = SelectField(
        "For people in and under which unit?",
        widget=GovSelect(),
        validators=[InputRequired("Choose a unit")],
    )
    places = WholeNumberField(
        "How many places?",
        message=f"Enter a number from 1 to {MOST_PLACES}",
        least=1,
        most=MOST_PLACES,
        widget=GovInput(classes="govuk-input--width-3", inputmode="numeric"),
    )
    until_on = DayField(
        "Last day on which they are kept",
        description="After it, they go to whoever waits longest. For example, 31 May 2027.",
        missing="Enter the last day on which they are kept",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )
    keep = SubmitField("Keep places", widget=GovSubmit())

    def __init__(self, units: Mapping[int, str]) -> None:
        """Offer the units by their labels."""
        super().__init__()
        by_label = sorted(units.items(), key=lambda pair: pair[1])
        self.unit.choices = [
            SelectChoice(value=value, label=label)
            for value, label in [("", "Choose a unit"), *((str(key), label) for key, label in by_label)]
        ]
