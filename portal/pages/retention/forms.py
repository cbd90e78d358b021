"""Forms of periods, disposals, holds, and requests to correct or erase data."""

from typing import Any

from wtforms import Form, RadioField
from wtforms.fields import SelectChoice

from portal.domain.people.services import PersonNames
from portal.domain.retention.classes import LONGEST, RetentionClass, list_retention_classes
from portal.domain.retention.services import CORRECTION, ERASURE
from portal.domain.retention.stores import CLASS, PERSON, UNIT
from portal.pages.layout.fields import button, drop_down, one_day, radios, text_line, text_lines, whole_number
from portal.pages.layout.forms import (
    GovInput,
    LineField,
    LinesField,
    MaximumLength,
    PortalForm,
    RequiredText,
)

LABEL = "govuk-label--s"
LEGEND = "govuk-fieldset__legend--s"
MOST = 2_000  # characters of a reason
KIND_WORDS = {CORRECTION: "Correct data", ERASURE: "Erase data"}
KIND_HINTS = {
    CORRECTION: "A name, an email address, a staff number, or a date is wrong.",
    ERASURE: "Texts that were typed, notes on lessons, recall answers. Passes and completions stay.",
}


def _reason(label: str, missing: str, hint: str = "") -> LinesField:
    return text_lines(label, hint, required=missing, most=MOST, bold=True, rows=3)


class PeriodForm(PortalForm):
    """How long a class is kept."""

    months = whole_number("Months", bold=True, autocomplete="off", message="", most=LONGEST)
    period_reason = _reason("Reason", "Enter the reason for this period", "It appears on certificates.")
    set_period = button("Set the period", secondary=True)

    @classmethod
    def of_class(cls, row: RetentionClass, months: int) -> "PeriodForm":
        """The form filled with the period of a class."""
        form = cls(data={"months": str(months)})
        form.months.least = row.least
        form.months.message = f"Enter a number of months from {row.least} to {LONGEST:,}"
        form.months.description = f"From {row.least} to {LONGEST:,}."
        return form


class DisposalForm(PortalForm):
    """A request for a disposal."""

    reason = _reason("Why now", "Enter why this is to be disposed of now", "For example, yearly disposal.")
    ask = button("Ask for the disposal")


class RefuseForm(PortalForm):
    """A refusal, with its reason."""

    refusal = _reason("Why it is refused", "Enter why it is refused")
    refuse = button("Refuse", secondary=True)


class HoldForm(PortalForm):
    """A hold on a person, a unit or a class."""

    scope = radios(
        "What to keep",
        required="Select what to keep",
        bold=True,
        choices=[
            SelectChoice(value=PERSON, label="Everything about one person"),
            SelectChoice(value=UNIT, label="Everything about everybody who was ever in one unit"),
            SelectChoice(value=CLASS, label="Everything of one class"),
        ],
    )
    staff_number = text_line("Staff number", "Only for one person.", width=10, autocomplete=None)
    unit = drop_down("Unit", "Only for one unit.", validate_choice=False)
    kept_class = drop_down("Class", "Only for one class.", validate_choice=False)
    reason = _reason("Reason", "Enter why this is kept", "Such as the reference of the case.")
    place = button("Place the hold")

    def offer_units(self, units: list[tuple[int, str]]) -> None:
        """Offer these units by their labels, and every class."""
        nothing = SelectChoice(value="", label="None")
        self.unit.choices = [nothing, *(SelectChoice(value=str(id_), label=label) for id_, label in units)]
        self.kept_class.choices = [
            nothing,
            *(SelectChoice(value=row.key, label=row.title) for row in list_retention_classes()),
        ]

    def validate(self, extra_validators: Any = None) -> bool:
        """Require the field that belongs to the choice, with one of the values that are offered."""
        is_valid = bool(super().validate(extra_validators))
        if self.scope.data == PERSON:
            return (
                self._require(self.staff_number, "Enter the staff number", bool(self.staff_number.data))
                and is_valid
            )
        field = {UNIT: self.unit, CLASS: self.kept_class}.get(self.scope.data)
        if field is None:
            return is_valid
        offered = {choice.value for choice in field.choices} - {""}
        return (
            self._require(field, f"Select a {field.label.text.lower()}", field.data in offered) and is_valid
        )

    @staticmethod
    def _require(field: Any, message: str, is_given: bool) -> bool:
        field.errors = field.errors if is_given else (message,)
        return is_given


class LiftHoldForm(PortalForm):
    """Lifting a hold, with a reason."""

    reason = _reason("Reason", "Enter why the hold is lifted")
    lift = button("Lift the hold", warning=True)


def _kind_field(label: str) -> RadioField:
    return radios(
        label,
        required="Select what is asked for",
        bold=True,
        choices=[
            SelectChoice(value=kind, label=words, render_kw={"hint": KIND_HINTS[kind]})
            for kind, words in KIND_WORDS.items()
        ],
    )


class NoteForm(PortalForm):
    """A request that somebody made by letter, mail or word, noted for them."""

    staff_number = text_line(
        "Staff number of the person", required="Enter the staff number of the person", width=10, bold=True
    )
    kind = _kind_field("What they ask for")
    received = one_day(
        "Received on",
        "For example, 3 September 2026. The answer is due a month later.",
        width=20,
        bold=True,
        missing="Enter the day on which it was received",
    )
    reason = _reason("In their words", "Enter what is asked")
    note = button("Note the request")


class OwnRequestForm(PortalForm):
    """A request about one's own data."""

    kind = _kind_field("What do you ask for?")
    reason = _reason(
        "What is wrong, or what should be erased",
        "Enter what is wrong, or what should be erased",
        "An administrator of the portal reads this.",
    )
    send = button("Send")


def _name_field(label: str, missing: str = "") -> LineField:
    required = [RequiredText(missing)] if missing else []
    widget = GovInput(label_classes=LABEL, autocomplete="off", spellcheck=False)
    return LineField(label, widget=widget, validators=[*required, MaximumLength()])


class CorrectionForm(PortalForm):
    """The answer to a request to correct data."""

    surname = _name_field("Surname", "Enter the surname")
    forenames = _name_field("Forenames", "Enter the forenames")
    staff_number = _name_field("Staff number", "Enter the staff number")
    email = _name_field("Email address (optional)")
    where = radios(
        "Where it is corrected",
        required="Select where it is corrected",
        bold=True,
        choices=[
            SelectChoice(value="here", label="Here: save the names, number and address above"),
            SelectChoice(value="elsewhere", label="It was corrected by an import or a request"),
        ],
    )
    answer = _reason("What was done", "Enter what was done", "The person reads this.")
    correct = button("Answer as done")

    @classmethod
    def of_person(cls, names: PersonNames | None) -> "CorrectionForm":
        """The form filled with how somebody is called now."""
        if names is None:
            return cls()
        parts = ("surname", "forenames", "staff_number", "email")
        return cls(data={part: getattr(names, part) or "" for part in parts})

    @property
    def new_names(self) -> PersonNames | None:
        """How the person is called from now on; None if it was corrected elsewhere."""
        if self.where.data != "here":
            return None
        return PersonNames(
            0, self.staff_number.data, self.surname.data, self.forenames.data, self.email.data or None
        )


class EraseForm(PortalForm):
    """The answer to a request to erase data."""

    answer = _reason("What was done", "Enter what was done", "The person reads this.")
    erase = button("Erase, and answer as done", warning=True)


def show_fault(form: Form, error: Exception) -> None:
    """Put a refusal of the domain above the form."""
    form.form_errors.append(str(error))
