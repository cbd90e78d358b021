"""Forms of requests and decisions. Dates are read as people write them; a refused one stays as typed."""

from collections.abc import Sequence
from typing import Any

from wtforms import Form, RadioField, SelectField, StringField, SubmitField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Length, Optional, StopValidation

from portal.domain.decisions import labels as decisions_labels
from portal.domain.decisions.change_requests import ChangeRequest, RequestFault
from portal.domain.decisions.choices import RequestChoice
from portal.domain.decisions.queries import RequestRow
from portal.pages.layout.base_forms import PlainForm, PortalForm
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovSelect, GovSubmit, GovTextarea
from portal.pages.layout.query_arguments import NO_TEXT
from portal.platform.clock import read_day
from portal.platform.db import OPEN_END
from portal.platform.wording import date as say_date

MAXIMUM_LENGTH = 2000  # characters of a note
NO_HEALTH_DETAILS = (
    "Do not include a diagnosis or other health details. The person it is about will not see this. "
    "The people who decide will."
)


class RequestDayField(StringField):  # type: ignore[misc]
    """A date; ``data`` is the day, or None if the field is empty. Of 3/4, 3 is the day."""

    widget = GovInput(classes="govuk-input--width-20", autocomplete="off")

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the typed date.

        Raises:
            ValueError: It is not a date.
        """
        text = valuelist[0].strip() if valuelist else ""
        self.data = read_day(text)
        if text and self.data is None:
            raise ValueError("Enter a date, such as 30 April 2026")

    def _value(self) -> str:
        if self.raw_data:
            return NO_TEXT.sub("", str(self.raw_data[0]))
        return "" if self.data in (None, OPEN_END) else say_date(self.data)


def _clean_note(text: str | None) -> str:
    """The text without characters that the database refuses, and without surrounding space."""
    return NO_TEXT.sub("", text or "").strip()


class ExactlyOneChoice:
    """Requires one of the offered choices."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: Form, field: RadioField) -> None:
        """Check the choice.

        Raises:
            StopValidation: Nothing is chosen, or something that was not offered.
        """
        if field.data not in {choice.value for choice in field.choices}:
            raise StopValidation(self.message)


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


class AskForm(PortalForm):
    """The fields of every request; each kind below adds its own."""

    about = RadioField("", widget=GovRadios(label_classes="govuk-fieldset__legend--s"), validate_choice=False)
    reason = RadioField(
        "Reason",
        widget=GovRadios(label_classes="govuk-fieldset__legend--s"),
        validate_choice=False,
        validators=[ExactlyOneChoice("Select a reason")],
    )
    comment = TextAreaField(
        "Comment (optional)",
        description=NO_HEALTH_DETAILS,
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=[
            Optional(),
            Length(max=MAXIMUM_LENGTH, message=f"Enter {MAXIMUM_LENGTH:,} characters or fewer"),
        ],
    )
    send = SubmitField("Send request", widget=GovSubmit())
    kind = ""
    legend = ""
    nothing_chosen = ""  # error if nothing is chosen
    order: tuple[str, ...] = ()  # names of the fields between subject and reason

    def __init__(self, choices: Sequence[RequestChoice], **kwargs: Any) -> None:
        """Offer the choices."""
        super().__init__(**kwargs)
        self.about.label.text = self.legend
        self.request_choices = {choice.key: choice for choice in choices}
        self.about.choices = [
            SelectChoice(value=choice.key, label=choice.label, render_kw={"hint": choice.hint})
            for choice in choices
        ]
        if len(self.request_choices) == 1 and not self.is_submitted():
            self.about.data = next(iter(self.request_choices))
        self.about.validators = [ExactlyOneChoice(self.nothing_chosen)]
        reasons = decisions_labels.REASONS[self.kind].items()
        self.reason.choices = [SelectChoice(value=key, label=_capitalise(text)) for key, text in reasons]

    @property
    def specific_fields(self) -> list[Any]:
        """The fields that this kind alone has, in order."""
        return [self[name] for name in self.order]

    def requested_dates(self) -> dict[str, Any]:
        """The requested dates."""
        return {name: self[name].data for name in ("from_on", "to_on", "due_on") if name in self}

    def change_request(self, person_id: int) -> ChangeRequest:
        """The requested change, from a valid form."""
        columns: dict[str, Any] = self.request_choices[self.about.data].ids | self.requested_dates()
        return ChangeRequest(self.kind, person_id, self.reason.data, **columns)

    def note_texts(self) -> dict[str, str]:
        """The texts to keep as notes."""
        return {name: self[name].data for name in ("comment", "evidence") if name in self}

    def show_faults(self, faults: Sequence[RequestFault]) -> None:
        """Add each fault as an error of its field."""
        for fault in faults:
            field = self[fault.field]
            field.errors = (*field.errors, fault.sentence)


class ExemptionForm(AskForm):
    """A request for an exemption, with or without an end."""

    kind, legend, order = "exemption", "Directive", ("from_on", "to_on")
    nothing_chosen = "Select a directive"
    from_on = RequestDayField("First day", description="For example, 30 April 2026")
    to_on = RequestDayField("Last day (leave blank for no end date)", validators=[Optional()])


class DeferralForm(AskForm):
    """A request for a deferral, with a new due date."""

    kind, legend, order = "deferral", "Directive", ("from_on", "to_on", "due_on")
    nothing_chosen = "Select a directive"
    from_on = RequestDayField("First day", description="For example, 30 April 2026")
    to_on = RequestDayField("Last day")
    due_on = RequestDayField(
        "New due date (leave blank for the usual time after the last day)", validators=[Optional()]
    )


_EVIDENCE = [
    DataRequired("Enter what the evidence is and where it is kept"),
    Length(max=MAXIMUM_LENGTH, message=f"Enter {MAXIMUM_LENGTH:,} characters or fewer"),
]


class WaiverForm(AskForm):
    """A request to recognise prior learning, with the date on its evidence."""

    kind, legend, order = "waiver", "What was learned before", ("from_on", "evidence")
    nothing_chosen = "Select what was learned before"
    from_on = RequestDayField("Date on the evidence", description="For example, 3 February 2026")
    evidence = TextAreaField(
        "Evidence",
        description="What it is and where it is kept. For example, a certificate number.",
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=_EVIDENCE,
    )


class RevocationForm(AskForm):
    """A request that a pass stop counting, from a day or altogether."""

    kind, legend, order = "revocation", "Record", ("whole", "from_on", "evidence")
    nothing_chosen = "Select a record"
    whole = RadioField(
        "When does it stop counting?",
        choices=[
            SelectChoice(value="yes", label="It was never a pass"),
            SelectChoice(value="no", label="It stops counting from a date"),
        ],
        widget=GovRadios(label_classes="govuk-fieldset__legend--s"),
        validate_choice=False,
        validators=[ExactlyOneChoice("Select when it stops counting")],
    )
    from_on = RequestDayField(
        "First day it does not count", description="Only if it stops counting from a date."
    )
    evidence = TextAreaField(
        "Evidence",
        description="What shows this, and where it is kept. " + NO_HEALTH_DETAILS,
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=_EVIDENCE,
    )

    def requested_dates(self) -> dict[str, Any]:
        """The first day it does not count: the day it was achieved, if it was never a pass."""
        never_counted = self.whole.data == "yes"
        return {
            "from_on": self.request_choices[self.about.data].since if never_counted else self.from_on.data
        }


class LiftForm(AskForm):
    """A request to end an exemption or deferral early, or to remove it."""

    kind, legend, order = "lift", "Exemption or deferral", ("whole", "to_on")
    nothing_chosen = "Select an exemption or deferral"
    whole = RadioField(
        "What do you want to do?",
        choices=[
            SelectChoice(value="no", label="End it on an earlier day"),
            SelectChoice(value="yes", label="Remove it, because it should not have been recorded"),
        ],
        widget=GovRadios(label_classes="govuk-fieldset__legend--s"),
        validate_choice=False,
        validators=[ExactlyOneChoice("Select what you want to do")],
    )
    to_on = RequestDayField("Last day", description="Only if you end it on an earlier day.")

    def requested_dates(self) -> dict[str, Any]:
        """The last day; None to remove it."""
        return {"to_on": None if self.whole.data == "yes" else self.to_on.data}

    def validate(self, extra_validators: Any = None) -> bool:
        """Require the last day too, if it ends on one."""
        is_valid = bool(super().validate(extra_validators))
        if self.whole.data == "no" and self.to_on.data is None and not self.to_on.errors:
            self.to_on.errors = ("Enter the last day",)
            return False
        return is_valid


class RestoreForm(AskForm):
    """A request that a pass count again."""

    kind, legend, order = "restore", "Record", ("evidence",)
    nothing_chosen = "Select a record"
    evidence = TextAreaField(
        "Evidence",
        description="What shows that it should count. " + NO_HEALTH_DETAILS,
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=_EVIDENCE,
    )


FORMS: dict[str, type[AskForm]] = {
    form.kind: form
    for form in (ExemptionForm, DeferralForm, WaiverForm, RevocationForm, LiftForm, RestoreForm)
}

_LABELS = {
    "exemption": {"from_on": "First day", "to_on": "Last day (leave blank for no end date)"},
    "deferral": {"from_on": "First day", "to_on": "Last day", "due_on": "New due date"},
    "waiver": {"from_on": "Date on the evidence"},
    "revocation": {"from_on": "First day it does not count"},
    "lift": {"to_on": "Last day (leave blank if it should not have been recorded)"},
    "restore": {},
}


class DecideForm(PortalForm):
    """The decision on a request: its dates, which may be changed, and a comment."""

    from_on = RequestDayField("", validators=[Optional()])
    to_on = RequestDayField("", validators=[Optional()])
    due_on = RequestDayField("", validators=[Optional()])
    comment = TextAreaField(
        "To the person who asked",
        description="You must fill this in if you refuse. Do not include a diagnosis or other health "
        "details. Only the person who asked will see this.",
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=[
            Optional(),
            Length(max=MAXIMUM_LENGTH, message=f"Enter {MAXIMUM_LENGTH:,} characters or fewer"),
        ],
    )
    preview = SubmitField("Show what would change", widget=GovSubmit(secondary=True))
    grant = SubmitField("Grant", widget=GovSubmit())
    refuse = SubmitField("Refuse", widget=GovSubmit(warning=True))

    def __init__(self, row: RequestRow, **kwargs: Any) -> None:
        """Fill in the requested dates, and keep only the fields of this kind."""
        super().__init__(data={"from_on": row.from_on, "to_on": row.to_on, "due_on": row.due_on}, **kwargs)
        labels = _LABELS[row.kind]
        for name in ("from_on", "to_on", "due_on"):
            if name in labels:
                self[name].label.text = labels[name]
            else:
                del self[name]

    @property
    def day_fields(self) -> list[Any]:
        """The date fields of this kind."""
        return [self[name] for name in ("from_on", "to_on", "due_on") if name in self]

    def decided_dates(self) -> dict[str, Any]:
        """The dates decided."""
        return {field.name: field.data for field in self.day_fields}

    def show_faults(self, faults: Sequence[RequestFault]) -> None:
        """Add each fault as an error of its field, or of the form if it has no field."""
        for fault in faults:
            if fault.field in self:
                self[fault.field].errors = (*self[fault.field].errors, fault.sentence)
            else:
                self.form_errors.append(fault.sentence)


class WithdrawRequestForm(PortalForm):
    """The button that withdraws a request."""

    withdraw = SubmitField("Withdraw the request", widget=GovSubmit(secondary=True))


class RequestFilterForm(PlainForm):
    """The filters of the list of requests, kept in the address."""

    whose = SelectField("Which", widget=GovSelect(), validate_choice=False)
    state = SelectField("State", widget=GovSelect(), validate_choice=False)
    kind = SelectField("Kind", widget=GovSelect(), validate_choice=False)

    def __init__(self, *, decides: bool, **kwargs: Any) -> None:
        """Offer the filters; a person who decides nothing sees only their own requests."""
        super().__init__(**kwargs)
        choices = [("decide", "Waiting for me to decide"), ("asked", "Asked by me"), ("all", "All")]
        self.whose.choices = choices if decides else choices[1:2]
        self.state.choices = [("", "Any state"), *decisions_labels.STATE_WORDS.items()]
        self.kind.choices = [("", "Any kind"), *decisions_labels.KIND_WORDS.items()]
