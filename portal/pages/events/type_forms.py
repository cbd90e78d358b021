"""Forms of event types: what a version says, and sending a proposal back."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from wtforms import BooleanField, SubmitField, ValidationError

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.catalogue.sources.event_type_source import (
    EVENT_TYPE_FILES,
    LONGEST,
    MOST_FACILITATORS,
    MOST_MINUTES,
    MOST_PLACES,
    SYNDICATE,
    EventTypeSource,
)
from portal.domain.catalogue.sources.event_type_writer import write_event_type
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import (
    CheckboxesField,
    DayField,
    LineField,
    LinesField,
    MaximumLength,
    RequiredText,
    WholeNumberField,
)
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovSubmit, GovTextarea
from portal.platform.proposals import LONGEST_NOTE
from portal.platform.wording import date as date_words

LABEL = "govuk-label--s"
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NUMBERS = ("minutes", "facilitators", "syndicate_least", "syndicate_most", "places_least", "places_most")


def _number_field(label: str, most: int, hint: str = "") -> WholeNumberField:
    return WholeNumberField(
        label,
        least=1,
        most=most,
        message=f"Enter a whole number from 1 to {most:,}",
        description=hint,
        widget=GovInput(
            classes="govuk-input--width-5", label_classes=LABEL, inputmode="numeric", autocomplete="off"
        ),
    )


class EventTypeForm(PortalForm):
    """What the next version of an event type says, and why."""

    title = LineField(
        "Title",
        description="What learners and managers see in their lists, such as “OIC Hydra”.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter a title"), MaximumLength(LONGEST["title"])],
    )
    aim = LineField(
        "What it is for",
        description="In a sentence or two, for the people who will attend.",
        widget=GovTextarea(label_classes=LABEL, rows=3),
        validators=[RequiredText("Enter what it is for"), MaximumLength(LONGEST["aim"])],
    )
    audience = LineField(
        "Who it is for",
        description="In words. A directive says who must attend.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter who it is for"), MaximumLength(LONGEST["audience"])],
    )
    minutes = _number_field("Length in minutes", MOST_MINUTES, "From beginning to end, with breaks.")
    syndicate_least = _number_field("Fewest people in a syndicate", MOST_PLACES)
    syndicate_most = _number_field("Most people in a syndicate", MOST_PLACES)
    places_least = _number_field(
        "Fewest people at an event", MOST_PLACES, "With fewer it does not take place."
    )
    places_most = _number_field("Most people at an event", MOST_PLACES)
    facilitators = _number_field("Facilitators needed", MOST_FACILITATORS)
    approval = BooleanField(
        "A manager approves what learners book",
        widget=GovCheckboxes(classes="govuk-checkboxes--small"),
    )
    preparation = CheckboxesField("To prepare before coming")
    owner = LineField(
        "Owner",
        description="The team that answers questions about it.",
        widget=GovInput(label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter the team that owns it"), MaximumLength(LONGEST["owner"])],
    )
    review_on = DayField(
        "To be reviewed by",
        missing="Enter the day by which it is to be reviewed, such as 31 May 2027",
        widget=GovInput(classes="govuk-input--width-10", label_classes=LABEL, autocomplete="off"),
    )
    note = LinesField(
        "Why",
        description="For the person who looks at it and publishes it.",
        widget=GovTextarea(label_classes=LABEL, rows=3),
        validators=[RequiredText("Enter why, for the person who publishes it"), MaximumLength(LONGEST_NOTE)],
    )
    send = SubmitField("Send to a publisher", widget=GovSubmit())

    def validate_syndicate_most(self, field: WholeNumberField) -> None:
        """Refuse fewer people than the least."""
        self._refuse_disorder(self.syndicate_least, field)

    def validate_places_most(self, field: WholeNumberField) -> None:
        """Refuse fewer people than the least, or than one syndicate has."""
        self._refuse_disorder(self.places_least, field)
        self._refuse_disorder(self.syndicate_least, field)

    def _refuse_disorder(self, least: WholeNumberField, most: WholeNumberField) -> None:
        if least.number is not None and most.number is not None and most.number < least.number:
            raise ValidationError(f"Enter {least.number} or more, which is the fewest")

    @property
    def content(self) -> bytes:
        """The file of the event type as it was filled in."""
        values: dict[str, Any] = {name: self[name].data for name in (*LONGEST, "approval")}
        values |= {name: self[name].number for name in _NUMBERS}
        values |= {"review_on": self.review_on.day, "preparation": self.preparation.chosen_values}
        return write_event_type(values)


class NewEventTypeForm(EventTypeForm):
    """A new event type, with its short name."""

    key = LineField(
        "Short name",
        description="A few words for addresses and for directives, such as “oic-hydra”: small letters, "
        "digits and hyphens. It cannot be changed later.",
        widget=GovInput(
            classes="govuk-input--width-20", label_classes=LABEL, autocomplete="off", spellcheck=False
        ),
        validators=[RequiredText("Enter a short name, such as “oic-hydra”"), MaximumLength(40)],
    )

    def validate_key(self, field: LineField) -> None:
        """Refuse a key that is not fit for addresses, or is another page's."""
        if not _KEY.fullmatch(str(field.data)):
            raise ValidationError(
                "Enter the short name with small letters, digits and hyphens, such as “oic-hydra”"
            )
        if field.data in EVENT_TYPE_FILES.reserved_keys:
            raise ValidationError(f"“{field.data}” is the address of another page. Choose another")


class SendTypeBackForm(PortalForm):
    """Why a proposal is not published as it is."""

    reason = LinesField(
        "Send it back: what has to change",
        widget=GovTextarea(label_classes=LABEL, rows=3),
        validators=[RequiredText("Enter what has to change"), MaximumLength(LONGEST_NOTE)],
    )
    send_back = SubmitField("Send back", widget=GovSubmit(secondary=True))


def entered_values(said: EventTypeVersion | EventTypeSource | None) -> Mapping[str, Any]:
    """What a form begins with: the values of a version or a proposal; the usual ones where there is none."""
    if said is None:
        return {"syndicate_least": SYNDICATE[0], "syndicate_most": SYNDICATE[1], "facilitators": 1}
    names = [each.name for each in fields(EventTypeSource) if each.name not in ("key", "content")]
    return {name: getattr(said, name) for name in names} | {"review_on": date_words(said.review_on)}
