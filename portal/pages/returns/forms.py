"""Forms of returns: making one, loading a file, and what a coordinating unit states of a force."""

from collections.abc import Sequence
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.returns.registration import LEAST_READ_OUT, NOT_ITS_FINGERPRINT, StatedForce
from portal.domain.returns.schema import LONGEST_LINE, MOST_PEOPLE
from portal.domain.returns.services import LONGEST_REASON
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import (
    DayField,
    LineField,
    MaximumLength,
    RequiredText,
    WholeNumberField,
    clean_text,
)
from portal.pages.layout.form_widgets import GovCheckboxes, GovFile, GovInput, GovSelect, GovSubmit

_SHORT = "govuk-input--width-10"


def _period_field() -> LineField:
    return LineField(
        "Month",
        description="Year and month, such as 2026-04",
        widget=GovInput(classes=_SHORT, autocomplete="off"),
        validators=[RequiredText("Enter a month such as 2026-04")],
    )


def _day_field(label: str, missing: str, **kwargs: Any) -> DayField:
    widget = GovInput(classes=_SHORT, autocomplete="off")
    return DayField(label, missing=missing, widget=widget, **kwargs)


class MakeReturnForm(PortalForm):
    """The month and directive of a return, and whether small numbers are hidden."""

    period = _period_field()
    directive = SelectField("Directive", widget=GovSelect(), validators=[InputRequired("Select a directive")])
    hide_small = BooleanField(
        "Hide small numbers",
        description="The return then shows what the FOI pack of that day shows, and nothing else. "
        "Without it the coordinating unit gets every number, and hides small ones in what it publishes.",
        widget=GovCheckboxes(),
    )
    reason = LineField(
        "Why it is made again (optional)",
        description="Needed if you made one of this month on this directive before. "
        "The coordinating unit reads it. Name posts and meetings, not people.",
        widget=GovInput(autocomplete="off"),
        validators=[MaximumLength(LONGEST_REASON)],
    )
    send = SubmitField("Make the return", widget=GovSubmit())

    def offer_directives(self, titles: Sequence[tuple[str, str]]) -> None:
        """Offer directives by reference; with one alone it is chosen."""
        choices = [SelectChoice(value=key, label=f"{key}: {title}") for key, title in titles]
        none = [SelectChoice(value="", label="Select a directive")] if len(choices) != 1 else []
        self.directive.choices = [*none, *choices]


class LoadFileForm(PortalForm):
    """A signed file."""

    file = FileField(
        "File",
        description="A JSON file, as it came",
        widget=GovFile(attributes={"accept": ".json,application/json"}),
        validators=[FileRequired("Choose a file")],
    )
    send = SubmitField("Check the file", widget=GovSubmit())


class ForceForm(PortalForm):
    """The name and size of a force from a day on; ``key`` only while it is registered."""

    key = LineField(
        "Short name",
        description="Used in its returns. It cannot be changed later. Small letters, digits and hyphens, "
        "such as westshire",
        widget=GovInput(classes="govuk-input--width-20", autocomplete="off"),
        validators=[RequiredText("Enter a short name"), MaximumLength(60)],
    )
    name = LineField(
        "Name",
        widget=GovInput(autocomplete="off"),
        validators=[RequiredText("Enter the name of the force"), MaximumLength(LONGEST_LINE)],
    )
    headcount = WholeNumberField(
        "People in its workforce",
        description="As published; figures are shown by the size of a force",
        message="Enter how many people work there",
        least=1,
        most=MOST_PEOPLE,
        widget=GovInput(classes=_SHORT, inputmode="numeric", autocomplete="off"),
    )
    from_on = _day_field("From which day is this true?", "Enter the day")
    send = SubmitField("Save", widget=GovSubmit())

    def read_details(self) -> StatedForce:
        """The details of a valid form."""
        assert self.from_on.day is not None
        return StatedForce(self.name.data or "", self.headcount.number or 0, self.from_on.day)


class AddKeyForm(PortalForm):
    """A public key of a force."""

    public_key = LineField(
        "Public key",
        description="44 characters, as the force’s own page of returns shows them",
        filters=[lambda text: "".join(clean_text(text or "").split())],
        widget=GovInput(autocomplete="off", spellcheck="false"),
        validators=[RequiredText("Enter the public key"), MaximumLength(100)],
    )
    read_out = LineField(
        "Its fingerprint, as the force read it out",
        description=f"By telephone or in person: at least {LEAST_READ_OUT} characters. Spaces do not matter",
        widget=GovInput(autocomplete="off", spellcheck="false"),
        validators=[RequiredText(NOT_ITS_FINGERPRINT), MaximumLength(100)],
    )
    from_on = _day_field("From which day is it valid?", "Enter the day")
    send = SubmitField("Register the key", widget=GovSubmit())


class EndKeyForm(PortalForm):
    """The day from which a key is no longer valid."""

    from_on = _day_field("On which day it stopped counting", "Enter the day")
    send = SubmitField("End the key", widget=GovSubmit(warning=True))


class AskReturnsForm(PortalForm):
    """A month for which every force is asked, and by when."""

    period = _period_field()
    due_on = _day_field(
        "Last day on which a return is on time", "Enter the day", description="For example, 15 May 2026"
    )
    send = SubmitField("Ask for returns", widget=GovSubmit())
