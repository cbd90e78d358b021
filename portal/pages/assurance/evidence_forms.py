"""Forms of evidence, one for each kind; the same form adds a piece and changes it."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_wtf.file import FileField
from wtforms import Field, SelectField, SubmitField
from wtforms.validators import InputRequired

from portal.domain.assurance.evidence.choices import (
    Choices,
    list_countables,
    list_event_titles,
    list_guides,
    list_populations,
)
from portal.domain.assurance.evidence.document import MOST_BYTES
from portal.domain.assurance.evidence.link import LONGEST_ADDRESS
from portal.domain.assurance.evidence.samples import MOST_MONTHS, OFFERED
from portal.domain.assurance.evidence.shares import Population
from portal.domain.assurance.evidence.writing import EvidenceEntry
from portal.domain.dip_samples.measures import MEASURES
from portal.domain.reports.parameters import Position, join_values
from portal.pages.assurance.entry_forms import (
    WHOSE,
    EntryForm,
    StaffNumberForm,
    day_field,
    optional_day_field,
    staff_number_field,
    text_field,
    title_field,
)
from portal.pages.layout.form_fields import (
    CheckboxesField,
    LineField,
    MaximumLength,
    RequiredText,
)
from portal.pages.layout.form_widgets import GovFile, GovInput, GovSelect, GovSubmit

ORDER = (
    "title", "what", "guide", "event_type", "measure", "months", "file", "address", "text", "post",
    "unit", "role", "rank", "threshold", "owner", "review_on", "from_on", "reason", "send", "csrf_token",
)  # fmt: skip


def _choice_field(label: str, missing: str, **kwargs: Any) -> SelectField:
    return SelectField(label, widget=GovSelect(), validators=[InputRequired(missing)], **kwargs)


def _optional_field(label: str, **kwargs: Any) -> SelectField:
    return SelectField(label, widget=GovSelect(), validate_choice=False, **kwargs)


def _threshold_field() -> LineField:
    return LineField(
        "Lowest percentage that is enough",
        description="State it before you look. A later change is a new version, with its reason.",
        widget=GovInput(classes="govuk-input--width-5", autocomplete="off", inputmode="decimal"),
        validators=[RequiredText("Enter a percentage from 1 to 100, such as 95"), MaximumLength(10)],
    )


class EvidenceForm(StaffNumberForm):
    """What is entered about a piece of evidence of any kind."""

    title = title_field(
        "What it shows",
        "Enter what it shows",
        description=f"In a few words, as the answer will quote it. {WHOSE}",
    )
    owner = staff_number_field(
        "Staff number of its owner (optional)",
        "Gets a message when it needs attention. Blank: the owner of the recommendation.",
    )
    review_on = optional_day_field(
        "To be reviewed by (optional)",
        "After this day it needs attention, until somebody has looked at it again.",
    )
    from_on = day_field(
        description="The day from which it is evidence: today, or an earlier day if you enter it late."
    )
    reason = text_field("Why do you change it?", "Enter why you change it", rows=4, description=WHOSE)
    send = SubmitField("Save", widget=GovSubmit())

    def __iter__(self) -> Iterator[Field]:
        """The fields in the order of the page, so that its errors are, too; the form's token is the last."""
        return iter(sorted(self._fields.values(), key=lambda field: ORDER.index(field.name)))

    def offer_choices(self, position: Position) -> None:
        """Offer what can be chosen; nothing, where all is typed."""

    def read_values(self) -> dict[str, str]:
        """The fields of the kind, as its definition is read from them."""
        return {}

    def read_entry(self, definition: dict[str, Any], today: Position) -> EvidenceEntry:
        """What a valid form says; a form without a day holds from today."""
        day = self.day if "from_on" in self else today.as_at
        return EvidenceEntry(self.title.data, definition, self.owner_id, self.review_on.day, day)


class PeopleShareForm(EvidenceForm):
    """Evidence that is a share of people."""

    unit = _optional_field("In which unit (optional)")
    role = _optional_field("With which designated role (optional)")
    rank = CheckboxesField("Of which ranks or grades (optional)")
    threshold = _threshold_field()

    def offer_choices(self, position: Position) -> None:
        """Offer units, roles and ranks."""
        offered = list_populations(position)
        _offer_choices(self.unit, offered.units, "The whole force")
        _offer_choices(self.role, offered.roles, "All roles")
        self.rank.offer_values(list(offered.ranks), offered.ranks)

    def read_values(self) -> dict[str, str]:
        """The population and the threshold."""
        return {
            "unit": self.unit.data or "",
            "role": self.role.data or "",
            "rank": join_values(self.rank.chosen_values) if self.rank.chosen_values else "",
            "threshold": self.threshold.data,
        }


class FigureForm(PeopleShareForm):
    """How many people are complete under a directive or one of its requirements."""

    what = _choice_field("What is counted", "Choose what is counted")

    def offer_choices(self, position: Position) -> None:
        """Offer directives and requirements too."""
        super().offer_choices(position)
        _offer_choices(self.what, list_countables(position))

    def read_values(self) -> dict[str, str]:
        """With the directive and the requirement."""
        directive, _, requirement = self.what.data.partition(" ")
        return {**super().read_values(), "directive": directive, "requirement": requirement}


class AcknowledgementsForm(PeopleShareForm):
    """How many people acknowledged a guide."""

    guide = _choice_field("Which guide", "Choose a guide")

    def offer_choices(self, position: Position) -> None:
        """Offer guides too."""
        super().offer_choices(position)
        _offer_choices(self.guide, list_guides())

    def read_values(self) -> dict[str, str]:
        """With the guide."""
        return {**super().read_values(), "guide": self.guide.data}


class EventAttendanceForm(PeopleShareForm):
    """How many people attended an event type."""

    event_type = _choice_field("Which event", "Choose an event")

    def offer_choices(self, position: Position) -> None:
        """Offer event types too."""
        super().offer_choices(position)
        _offer_choices(self.event_type, list_event_titles())

    def read_values(self) -> dict[str, str]:
        """With the event type."""
        return {**super().read_values(), "event_type": self.event_type.data}


class SampleShareForm(EvidenceForm):
    """A share of intelligence documents."""

    measure = _choice_field("What is counted", "Choose what is counted")
    months = LineField(
        "Over how many full months",
        description=f"Up to the day of the page; at most {MOST_MONTHS}.",
        widget=GovInput(classes="govuk-input--width-5", autocomplete="off", inputmode="numeric"),
        validators=[RequiredText(f"Enter a whole number from 1 to {MOST_MONTHS}"), MaximumLength(3)],
    )
    unit = _optional_field("In which unit (optional)")
    threshold = _threshold_field()

    def offer_choices(self, position: Position) -> None:
        """Offer measures and units."""
        _offer_choices(self.measure, {key: MEASURES[key].meaning for key in OFFERED})
        _offer_choices(self.unit, list_populations(position).units, "The whole force")

    def read_values(self) -> dict[str, str]:
        """The measure, the months, the unit and the threshold."""
        return {name: self[name].data or "" for name in ("measure", "months", "unit", "threshold")}


class EvidenceLinkForm(EvidenceForm):
    """A page of the web."""

    address = LineField(
        "Address of the page",
        description="It begins with https. The portal asks once a week whether it answers, where the force"
        " lets it.",
        widget=GovInput(autocomplete="off", spellcheck=False),
        validators=[RequiredText("Enter the address of a page"), MaximumLength(LONGEST_ADDRESS)],
    )

    def read_values(self) -> dict[str, str]:
        """The address."""
        return {"address": self.address.data}


class EvidenceDocumentForm(EvidenceForm):
    """A PDF."""

    file = FileField(
        "PDF file",
        description=f"Up to {MOST_BYTES // 1024 // 1024} MB. It is kept as it is, and never removed: put"
        " nothing about a case or a person in it.",
        widget=GovFile(attributes={"accept": ".pdf"}),
    )


class SignedStatementForm(EvidenceForm):
    """What its author signs."""

    text = text_field(
        "Statement", "Write the statement", rows=8, description="You sign this, and it never changes."
    )
    post = title_field(
        "You sign as",
        "Enter the post in which you sign",
        description="Your post, such as Assistant Chief Constable (crime).",
    )

    def read_values(self) -> dict[str, str]:
        """The text and the post."""
        return {"text": self.text.data, "post": self.post.data}


FORMS: dict[str, type[EvidenceForm]] = {
    "figure": FigureForm,
    "acknowledgements": AcknowledgementsForm,
    "attendance": EventAttendanceForm,
    "samples": SampleShareForm,
    "link": EvidenceLinkForm,
    "document": EvidenceDocumentForm,
    "statement": SignedStatementForm,
}


class WithdrawEvidenceForm(EntryForm):
    """From which day a piece of evidence is withdrawn, and why."""

    from_on = day_field("From which day is it no evidence?", description="For earlier days it stays.")
    reason = text_field("Why do you withdraw it?", "Enter why you withdraw it", rows=4, description=WHOSE)
    send = SubmitField("Withdraw it", widget=GovSubmit())


def describe_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition of a piece of evidence as data of its form."""
    data = dict(definition)
    if "threshold" in data:
        percentage = f"{100 * float(definition['threshold']):.1f}"
        data["threshold"] = percentage.removesuffix(".0")
        data["rank"] = list(Population.from_json(definition).filters.ranks)
    if "directive" in data:
        data["what"] = f"{data['directive']} {data['requirement']}"
    return data


def _offer_choices(field: SelectField, choices: Choices, nothing: str = "") -> None:
    """Offer choices, first the one of nothing; what was chosen and is gone is offered still."""
    offered = {"": nothing or "Choose one", **choices}
    if field.data and field.data not in offered:
        offered[field.data] = field.data
    field.choices = list(offered.items())
