"""Forms of requests and decisions. Dates are read as people write them; a refused one stays as typed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import request
from wtforms import Form, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Length, Optional, StopValidation

from portal.domain.decisions import requests
from portal.domain.decisions.preview import RequestChoice
from portal.domain.decisions.queries import RequestRow
from portal.domain.decisions.requests import ChangeRequest, RequestFault
from portal.domain.decisions.services import RequestPerson
from portal.pages.layout.fields import button, drop_down, radios, text_block
from portal.pages.layout.forms import (
    CheckboxesField,
    GovInput,
    GovRadios,
    PlainForm,
    PortalForm,
)
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

    about = radios("", bold=True, validate_choice=False)
    reason = RadioField(
        "Reason",
        widget=GovRadios(label_classes="govuk-fieldset__legend--s"),
        validate_choice=False,
        validators=[ExactlyOneChoice("Select a reason")],
    )
    comment = text_block(
        "Comment (optional)",
        NO_HEALTH_DETAILS,
        checks=[
            Optional(),
            Length(max=MAXIMUM_LENGTH, message=f"Enter {MAXIMUM_LENGTH:,} characters or fewer"),
        ],
        rows=3,
        filters=[_clean_note],
    )
    send = button("Send request")
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
        reasons = requests.REASONS[self.kind].items()
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
    evidence = text_block(
        "Evidence",
        "What it is and where it is kept. For example, a certificate number.",
        checks=_EVIDENCE,
        rows=3,
        filters=[_clean_note],
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
    evidence = text_block(
        "Evidence",
        "What shows this, and where it is kept. " + NO_HEALTH_DETAILS,
        checks=_EVIDENCE,
        rows=3,
        filters=[_clean_note],
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
    evidence = text_block(
        "Evidence",
        "What shows that it should count. " + NO_HEALTH_DETAILS,
        checks=_EVIDENCE,
        rows=3,
        filters=[_clean_note],
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
    comment = text_block(
        "To the person who asked",
        "You must fill this in if you refuse. Do not include a diagnosis or other health "
        "details. Only the person who asked will see this.",
        checks=[
            Optional(),
            Length(max=MAXIMUM_LENGTH, message=f"Enter {MAXIMUM_LENGTH:,} characters or fewer"),
        ],
        rows=3,
        filters=[_clean_note],
    )
    preview = button("Show what would change", secondary=True)
    grant = button("Grant")
    refuse = button("Refuse", warning=True)

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

    withdraw = button("Withdraw the request", secondary=True)


class RequestFilterForm(PlainForm):
    """The filters of the list of requests, kept in the address."""

    whose = drop_down("Which", validate_choice=False)
    state = drop_down("State", validate_choice=False)
    kind = drop_down("Kind", validate_choice=False)

    def __init__(self, *, decides: bool, **kwargs: Any) -> None:
        """Offer the filters; a person who decides nothing sees only their own requests."""
        super().__init__(**kwargs)
        choices = [("decide", "Waiting for me to decide"), ("asked", "Asked by me"), ("all", "All")]
        self.whose.choices = choices if decides else choices[1:2]
        self.state.choices = [("", "Any state"), *requests.STATE_WORDS.items()]
        self.kind.choices = [("", "Any kind"), *requests.KIND_WORDS.items()]


# Forms of requests and decisions about several people.


class _SeveralPeople(AskForm):
    """What a request for several people has beside its own fields: the people, and a preview."""

    people = CheckboxesField("Who is it for?")
    preview = button("Continue")

    def __init__(
        self, directive: RequestChoice, people: Sequence[tuple[RequestPerson, str]], *, all_ticked: bool
    ) -> None:
        """Offer the people, each with a hint."""
        super().__init__([directive])
        del self.about
        self.directive = directive
        self.people.choices = [
            SelectChoice(
                value=person.staff_number,
                label=f"{person.name} ({person.staff_number})",
                render_kw={"hint": hint},
            )
            for person, hint in people
        ]
        if not self.is_submitted():
            self.people.data = [person.staff_number for person, _ in people] if all_ticked else []

    def validate(self, extra_validators: Any = None) -> bool:
        """Require at least one person."""
        is_valid = bool(super().validate(extra_validators))
        if not self.people.chosen_values:
            self.people.errors = ("Select at least one person",)
            return False
        return is_valid

    def change_request(self, person_id: int) -> ChangeRequest:
        """The requested change, from a valid form."""
        columns: dict[str, Any] = self.directive.ids | self.requested_dates()
        return ChangeRequest(self.kind, person_id, self.reason.data, **columns)

    def kept_fields(self, people: Sequence[RequestPerson]) -> list[tuple[str, str]]:
        """The form as hidden fields, with these people."""
        names = [*self.order, "reason", "comment"]
        typed = [(name, NO_TEXT.sub("", text)) for name in names for text in request.form.getlist(name)]
        return [*typed, *(("people", person.staff_number) for person in people)]


class JointExemptionForm(_SeveralPeople, ExemptionForm):
    """A request for an exemption of several people."""


class JointDeferralForm(_SeveralPeople, DeferralForm):
    """A request for a deferral of several people."""


JOINT_FORMS: Mapping[str, type[_SeveralPeople]] = {
    form.kind: form for form in (JointExemptionForm, JointDeferralForm)
}


def _key_of(row: RequestRow) -> str:
    """The staff number; of somebody who is erased, the request's own number."""
    return row.staff_number or str(row.uuid)


class JointDecideForm(DecideForm):
    """The decision on a request for several people: who is granted it, and why each of the others is not."""

    people = CheckboxesField("Grant it to")

    def __init__(self, rows: Sequence[RequestRow]) -> None:
        """Offer the people, all ticked until somebody unticks them."""
        super().__init__(rows[0])
        self.rows = rows
        self.asks_reasons = False  # some are not ticked: the form shows a field for each
        self.reason_errors: dict[int, str] = {}  # by person
        self.grant.label.text, self.refuse.label.text = "Grant to those ticked", "Refuse everybody"
        self.people.choices = [
            SelectChoice(value=_key_of(row), label=f"{row.name} ({_key_of(row)})") for row in rows
        ]
        if not self.is_submitted():
            self.people.data = [_key_of(row) for row in rows]

    def validate(self, extra_validators: Any = None) -> bool:
        """Require somebody to grant it to, unless everybody is refused."""
        is_valid = bool(super().validate(extra_validators))
        if not self.refuse.data and len(self.refused_rows) == len(self.rows):
            self.people.errors = ("Select at least one person to grant it to, or refuse everybody",)
            return False
        return is_valid

    @property
    def granted_rows(self) -> list[RequestRow]:
        """The requests of the people who are ticked."""
        refused = self.refused_rows
        return [row for row in self.rows if row not in refused]

    @property
    def refused_rows(self) -> list[RequestRow]:
        """The requests of the people who are not ticked."""
        ticked = set(self.people.chosen_values)
        return [row for row in self.rows if _key_of(row) not in ticked]

    def reason_name(self, row: RequestRow) -> str:
        """The name of the field that says why a person is refused."""
        return f"why-{_key_of(row)}"

    def reason_of(self, row: RequestRow) -> str:
        """Why a person is refused, as typed; empty if nothing is."""
        return NO_TEXT.sub("", request.form.get(self.reason_name(row), "")).strip()

    @property
    def decided_change(self) -> ChangeRequest:
        """The requested change of the first of them, with the dates decided."""
        return replace(self.rows[0].change_request, **self.decided_dates())

    @property
    def is_complete(self) -> bool:
        """Whether a reason is given for each person who is refused; if not, the form asks for it."""
        if self.refuse.data:
            return True
        self.asks_reasons = bool(self.refused_rows)
        missing = [row for row in self.refused_rows if not self.reason_of(row)]
        for row in self.refused_rows:
            if len(self.reason_of(row)) > MAXIMUM_LENGTH:
                self.reason_errors[row.person_id] = f"Enter {MAXIMUM_LENGTH:,} characters or fewer"
            elif row in missing and self.reason_name(row) in request.form:
                self.reason_errors[row.person_id] = f"Enter why {row.name} is refused"
        return not missing and not self.reason_errors

    @property
    def reason_error_list(self) -> list[tuple[str, str]]:
        """The errors of the fields with reasons, each with the link to its field."""
        rows = (row for row in self.rows if row.person_id in self.reason_errors)
        return [(self.reason_errors[row.person_id], f"#{self.reason_name(row)}") for row in rows]

    def refusals(self) -> dict[int, str]:
        """Why, by the id of each person who is refused: of all, if that button was pressed."""
        if self.refuse.data:
            return {row.person_id: self.comment.data for row in self.rows}
        return {row.person_id: self.reason_of(row) for row in self.refused_rows}
