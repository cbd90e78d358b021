"""Forms of the desk: who owns a recommendation, what is done, what was decided, what may go wrong."""

from collections.abc import Iterable
from datetime import date

from flask_wtf import FlaskForm
from wtforms import RadioField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.assurance.action_links import ActionLine
from portal.domain.assurance.actions import ActionDetails
from portal.domain.assurance.entering import LONGEST_TEXT, LONGEST_TITLE, EntryRefusedError
from portal.domain.assurance.services import SCALE, DecisionDetails, RiskDetails
from portal.domain.assurance.wording import ACTION_WORDS, IMPACT_WORDS, LIKELIHOOD_WORDS
from portal.domain.people.queries import person_by_staff_number
from portal.pages.layout.form_fields import (
    CheckboxesField,
    DayField,
    LineField,
    LinesField,
    MaximumLength,
    RequiredText,
)
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovSubmit, GovTextarea, mark_wrong
from portal.platform.errors import NotFoundError
from portal.platform.wording import date as say_date

SHORT = "govuk-input--width-10"
WHOSE = "Name posts and meetings, not people."


def _day_field(label: str = "On which day", missing: str = "Enter the day") -> DayField:
    return DayField(
        label,
        missing=missing,
        description="Today, or an earlier day if you enter it late.",
        widget=GovInput(classes=SHORT, autocomplete="off"),
    )


def _title_field(label: str, missing: str, **kwargs: object) -> LineField:
    return LineField(
        label,
        widget=GovInput(autocomplete="off"),
        validators=[RequiredText(missing), MaximumLength(LONGEST_TITLE)],
        **kwargs,
    )


def _text_field(label: str, missing: str, **kwargs: object) -> LinesField:
    return LinesField(
        label,
        widget=GovTextarea(rows=5),
        validators=[RequiredText(missing), MaximumLength(LONGEST_TEXT)],
        **kwargs,
    )


def _staff_field(label: str, description: str) -> LineField:
    widget = GovInput(classes=SHORT, autocomplete="off", spellcheck=False)
    return LineField(label, description=description, widget=widget, validators=[MaximumLength()])


class EntryForm(FlaskForm):  # type: ignore[misc]
    """A form with the day from which it holds."""

    def offer_day(self, today: date) -> None:
        """Fill in today where nothing was sent."""
        if not self.is_submitted() and not self.from_on.data:
            self.from_on.data = say_date(today)

    @property
    def day(self) -> date:
        """The day of a valid form."""
        return self.from_on.day or date.min

    def show_refusal(self, error: EntryRefusedError) -> None:
        """Say at its field why the entry is refused."""
        mark_wrong(self[error.field], str(error))


class StaffNumberForm(EntryForm):
    """A form that names a person by staff number, or nobody."""

    owner_id: int | None = None  # of a valid form

    def validate_owner(self, field: LineField) -> None:
        """Refuse a staff number that nobody has."""
        self.owner_id = None
        if field.data:
            try:
                self.owner_id = person_by_staff_number(field.data)
            except NotFoundError as error:
                mark_wrong(field, str(error))


class OwnerForm(StaffNumberForm):
    """Who owns a recommendation from a day on."""

    owner = _staff_field("Staff number of the owner", "Leave this empty if nobody owns it from that day on.")
    from_on = _day_field()
    send = SubmitField("Save the owner", widget=GovSubmit())


class AssuranceActionForm(StaffNumberForm):
    """What an action is from a day on."""

    title = _title_field("What is to be done", "Enter what is to be done", description=WHOSE)
    owner = _staff_field("Staff number of its owner (optional)", "Who sees to it that it is done.")
    due_on = DayField(
        "Due on (optional)",
        optional=True,
        description="For example, 30 June 2027",
        widget=GovInput(classes=SHORT, autocomplete="off"),
    )
    state = RadioField(
        "How far is it?",
        widget=GovRadios(classes="govuk-radios--small"),
        choices=[SelectChoice(value=key, label=label) for key, label in ACTION_WORDS.items()],
        default="open",
        validators=[InputRequired("Choose how far it is")],
    )
    waits_for = CheckboxesField("What must be done first? (optional)")
    from_on = _day_field()
    send = SubmitField("Add the action", widget=GovSubmit())

    def offer_actions(self, lines: Iterable[ActionLine], own_reference: str = "") -> None:
        """Offer other actions: those that are not dropped, and those that are chosen already."""
        chosen = set(self.waits_for.data or [])
        labels = {
            line.reference: f"{line.reference}: {line.title}"
            for line in sorted(lines, key=lambda line: line.reference)
            if line.reference != own_reference and (line.state != "dropped" or line.reference in chosen)
        }
        self.waits_for.offer_values(list(labels), labels)

    def read_details(self) -> ActionDetails:
        """What a valid form says."""
        return ActionDetails(
            title=self.title.data,
            owner_id=self.owner_id,
            due_on=self.due_on.day,
            state=self.state.data,
            waits_for=tuple(sorted(self.waits_for.chosen_values)),
        )


class ActionChangeForm(AssuranceActionForm):
    """What an action is from a day on, and why that was changed."""

    reason = _text_field("Why do you change it?", "Enter why you change it", description=WHOSE)
    send = SubmitField("Save the action", widget=GovSubmit())


class ProgressForm(EntryForm):
    """How far an action is, as its owner says."""

    state = RadioField(
        "How far is it?",
        widget=GovRadios(classes="govuk-radios--small"),
        choices=[SelectChoice(value=key, label=label) for key, label in ACTION_WORDS.items()],
        validators=[InputRequired("Choose how far it is")],
    )
    reason = _text_field("What was done, or why not", "Enter what was done, or why not", description=WHOSE)
    from_on = _day_field()
    send = SubmitField("Save", widget=GovSubmit())


class DecisionForm(EntryForm):
    """A decision of the force."""

    title = _title_field("The decision in short", "Enter the decision in short")
    text = _text_field("What was decided, and why", "Enter what was decided, and why", description=WHOSE)
    decided_by = _title_field(
        "Decided by",
        "Enter the post or meeting that decided",
        description="Such as Force board",
    )
    from_on = _day_field("Decided on which day", missing="Enter the day on which it was decided")
    send = SubmitField("Save the decision", widget=GovSubmit())

    def read_details(self) -> DecisionDetails:
        """What a valid form says."""
        return DecisionDetails(self.title.data, self.text.data.strip(), self.decided_by.data)


class RiskForm(EntryForm):
    """What may go wrong with a recommendation."""

    text = _text_field("What may go wrong", "Enter what may go wrong", description=WHOSE)
    likelihood = RadioField(
        "How likely is that?",
        widget=GovRadios(classes="govuk-radios--small"),
        choices=[SelectChoice(value=str(each), label=f"{each}: {LIKELIHOOD_WORDS[each]}") for each in SCALE],
        validators=[InputRequired("Choose how likely that is")],
    )
    impact = RadioField(
        "How grave would it be?",
        widget=GovRadios(classes="govuk-radios--small"),
        choices=[SelectChoice(value=str(each), label=f"{each}: {IMPACT_WORDS[each]}") for each in SCALE],
        validators=[InputRequired("Choose how grave it would be")],
    )
    from_on = _day_field()
    send = SubmitField("Save the risk", widget=GovSubmit())

    def read_details(self) -> RiskDetails:
        """What a valid form says."""
        return RiskDetails(int(self.likelihood.data), int(self.impact.data), self.text.data.strip())
