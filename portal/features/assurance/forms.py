"""Forms of a recommendation: its owner, actions, decisions, risk, and the answer in words."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from flask import Blueprint
from flask_login import current_user
from wtforms import RadioField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.people.queries import find_seen_person
from portal.domain.people.services import list_names_of
from portal.domain.reports import sentences
from portal.domain.reports.parameters import Position, PositionError, read_position, read_position_today
from portal.features.assurance import recommendations
from portal.features.assurance.feature import CONFIRM, MANAGE
from portal.features.assurance.narratives import MOST_CHARACTERS
from portal.features.assurance.recommendations import ACTION_WORDS, IMPACT_WORDS, LIKELIHOOD_WORDS
from portal.features.assurance.services import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    SCALE,
    ActionDetails,
    ActionLine,
    DecisionDetails,
    RiskDetails,
)
from portal.pages.layout.fields import button, text_lines
from portal.pages.layout.forms import (
    CheckboxesField,
    DayField,
    GovInput,
    GovRadios,
    GovTextarea,
    LineField,
    LinesField,
    MaximumLength,
    PortalForm,
    RequiredText,
    mark_wrong,
)
from portal.pages.layout.report_position import position_form
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.errors import NotFoundError
from portal.platform.wording import date as say_date

# What forms of the desk share: fields, and the day from which an entry holds.

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


class OwnerForm(StaffNumberForm):
    """Who owns a recommendation from a day on."""

    owner = staff_number_field(
        "Staff number of the owner", "Leave this empty if nobody owns it from that day on."
    )
    from_on = day_field()
    send = button("Save the owner")


class AssuranceActionForm(StaffNumberForm):
    """What an action is from a day on, and ``reason``, why that was changed; a new one has none."""

    title = title_field("What is to be done", "Enter what is to be done", description=WHOSE)
    owner = staff_number_field("Staff number of its owner (optional)", "Who sees to it that it is done.")
    due_on = optional_day_field("Due on (optional)", "For example, 30 June 2027")
    state = choice_field("How far is it?", "Choose how far it is", ACTION_WORDS, default="open")
    waits_for = CheckboxesField("What must be done first? (optional)")
    reason = text_field("Why do you change it?", "Enter why you change it", description=WHOSE)
    from_on = day_field()
    send = button("Save the action")

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


class ProgressForm(EntryForm):
    """How far an action is, as its owner says."""

    state = choice_field("How far is it?", "Choose how far it is", ACTION_WORDS)
    reason = text_field("What was done, or why not", "Enter what was done, or why not", description=WHOSE)
    from_on = day_field()
    send = button("Save")


class DecisionForm(EntryForm):
    """A decision of the force."""

    title = title_field("The decision in short", "Enter the decision in short")
    text = text_field("What was decided, and why", "Enter what was decided, and why", description=WHOSE)
    decided_by = title_field(
        "Decided by",
        "Enter the post or meeting that decided",
        description="Such as Force board",
    )
    from_on = day_field("Decided on which day", missing="Enter the day on which it was decided")
    send = button("Save the decision")

    def read_details(self) -> DecisionDetails:
        """What a valid form says."""
        return DecisionDetails(self.title.data, self.text.data.strip(), self.decided_by.data)


def _scale_words(words: Mapping[int, str]) -> dict[str, str]:
    """Each number of the scale with its words."""
    return {str(number): f"{number}: {words[number]}" for number in SCALE}


class RiskForm(EntryForm):
    """What may go wrong with a recommendation."""

    text = text_field("What may go wrong", "Enter what may go wrong", description=WHOSE)
    likelihood = choice_field(
        "How likely is that?", "Choose how likely that is", _scale_words(LIKELIHOOD_WORDS)
    )
    impact = choice_field(
        "How serious would it be?", "Choose how serious it would be", _scale_words(IMPACT_WORDS)
    )
    from_on = day_field()
    send = button("Save the risk")

    def read_details(self) -> RiskDetails:
        """What a valid form says."""
        return RiskDetails(int(self.likelihood.data), int(self.impact.data), self.text.data.strip())


class NarrativeForm(EntryForm):
    """A narrative's Markdown, and from which day it holds."""

    text = text_lines(
        "The answer in words",
        f"{WHOSE} Begin headings with ##, and put words between two "
        "asterisks to make them **bold**. Numbers come from fields, so that they are right at every date.",
        required="Write the answer in words",
        most=MOST_CHARACTERS,
        rows=18,
    )
    from_on = day_field(
        "From which day is it true?",
        "Enter the day from which it holds",
        "For example, 30 April 2026. An earlier day than today is entered late, and says so.",
    )
    preview = button("Preview", secondary=True)
    save = button("Save")


# What every page of the desk shows beside its subject: the position, its banner, and the names of people.

T = TypeVar("T")
PARENT = {"text": "Assurance", "href": "/assurance"}


def read_at(read: Callable[[Position], T], position: Position, name: str) -> T:
    """Read what a page shows at its position.

    Args:
        read: Reads it; a NotFoundError says that it is not there.
        position: That of the page.
        name: What it is, as the beginning of a sentence.

    Raises:
        PositionError: It is there today, and was not at the position.
    """
    try:
        return read(position)
    except NotFoundError:
        if not position.past:
            raise
    now = clock.now()
    read(read_position_today(now))
    try:
        read(read_position(position.as_at.isoformat(), "", now=now))
    except NotFoundError as error:
        reason = f"{name} was not there yet on {say.date(position.as_at)}. Enter a later date."
        raise PositionError("as_at", reason) from error
    time = sentences.known_on_words(position).removeprefix("as known ")
    raise PositionError("as_known_on", f"{name} was not in the portal yet {time}. Enter a later date.")


def template_values_of(position: Position) -> dict[str, Any]:
    """Template values of a page at a position.

    Changes are offered at today as known now alone: what was known on an earlier instant cannot change.
    """
    permissions = current_user.permissions
    return {
        "position": position,
        "position_form": position_form(position),
        "banner": sentences.banner_sentence(position),
        "known_on": sentences.known_on_words(position),
        "words": recommendations,
        "may_manage": MANAGE in permissions and not position.past,
        "may_confirm": CONFIRM in permissions and not position.past,
    }


# The blueprint of all pages under /assurance; their views are in files beside it.

bp = Blueprint("assurance", __name__, template_folder="templates")
