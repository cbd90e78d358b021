"""Forms of asking and deciding. Days are read as people write them; what is refused stays as typed."""

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Form, RadioField, SelectField, StringField, SubmitField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Length, Optional, StopValidation

from portal.domain.decisions import labels as decisions_labels
from portal.domain.decisions.change_requests import ChangeRequest, RequestFault
from portal.domain.decisions.choices import RequestChoice
from portal.domain.decisions.queries import RequestRow
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovSelect, GovSubmit, GovTextarea
from portal.pages.layout.query_arguments import NO_TEXT
from portal.platform.clock import read_day
from portal.platform.db import OPEN_END
from portal.platform.wording import date as say_date

MOST = 2000  # characters of a note
NEVER_HEALTH = (
    "Do not write a diagnosis, or anything else about health. The person it is about never sees this; "
    "those who decide do."
)


class RequestDayField(StringField):  # type: ignore[misc]
    """A day, day before month; ``data`` is the day, or None where the field is empty."""

    widget = GovInput(classes="govuk-input--width-20", autocomplete="off")

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed.

        Raises:
            ValueError: It names no day.
        """
        text = valuelist[0].strip() if valuelist else ""
        self.data = read_day(text)
        if text and self.data is None:
            raise ValueError("Write a day such as 30 April 2026")

    def _value(self) -> str:
        if self.raw_data:
            return NO_TEXT.sub("", str(self.raw_data[0]))
        return "" if self.data in (None, OPEN_END) else say_date(self.data)


def _clean_note(said: str | None) -> str:
    """The text without what no text has and no database takes, and without space around it."""
    return NO_TEXT.sub("", said or "").strip()


class ExactlyOneChoice:
    """That one of the choices is made, and no other."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: Form, field: RadioField) -> None:
        """Refuse anything else.

        Raises:
            StopValidation: Nothing, or what was not offered, is chosen.
        """
        if field.data not in {choice.value for choice in field.choices}:
            raise StopValidation(self.message)


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


class AskForm(FlaskForm):  # type: ignore[misc]
    """What every request says; the kinds below add their fields."""

    about = RadioField("", widget=GovRadios(label_classes="govuk-fieldset__legend--s"), validate_choice=False)
    reason = RadioField(
        "Reason",
        widget=GovRadios(label_classes="govuk-fieldset__legend--s"),
        validate_choice=False,
        validators=[ExactlyOneChoice("Select a reason")],
    )
    comment = TextAreaField(
        "Comment (optional)",
        description=NEVER_HEALTH,
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=[Optional(), Length(max=MOST, message=f"Write at most {MOST:,} characters")],
    )
    send = SubmitField("Send request", widget=GovSubmit())
    kind = ""
    legend = ""
    missing = ""  # what is said where nothing is chosen
    order: tuple[str, ...] = ()  # of the fields between subject and reason

    def __init__(self, offered: Sequence[RequestChoice], **kwargs: Any) -> None:
        """Fill the choices from what can be asked about."""
        super().__init__(**kwargs)
        self.about.label.text = self.legend
        self.offered = {offer.key: offer for offer in offered}
        self.about.choices = [
            SelectChoice(value=offer.key, label=offer.label, render_kw={"hint": offer.hint})
            for offer in offered
        ]
        if len(self.offered) == 1 and not self.is_submitted():
            self.about.data = next(iter(self.offered))
        self.about.validators = [ExactlyOneChoice(self.missing)]
        reasons = decisions_labels.REASONS[self.kind].items()
        self.reason.choices = [SelectChoice(value=key, label=_capitalise(text)) for key, text in reasons]

    @property
    def specific_fields(self) -> list[Any]:
        """The fields that this kind alone has, in order."""
        return [self[name] for name in self.order]

    def requested_dates(self) -> dict[str, Any]:
        """The days asked for."""
        return {name: self[name].data for name in ("from_on", "to_on", "due_on") if name in self}

    def change_request(self, person_id: int) -> ChangeRequest:
        """What is asked for, in a form without errors."""
        columns: dict[str, Any] = self.offered[self.about.data].ids | self.requested_dates()
        return ChangeRequest(self.kind, person_id, self.reason.data, **columns)

    def note_texts(self) -> dict[str, str]:
        """The notes."""
        return {name: self[name].data for name in ("comment", "evidence") if name in self}

    def show_faults(self, found: Sequence[RequestFault]) -> None:
        """Set each fault beside its field."""
        for fault in found:
            field = self[fault.field]
            field.errors = (*field.errors, fault.sentence)


class ExemptionForm(AskForm):
    """Not asked of the person for a time, or without end."""

    kind, legend, order = "exemption", "Directive", ("from_on", "to_on")
    missing = "Select a directive"
    from_on = RequestDayField("First day", description="For example, 30 April 2026")
    to_on = RequestDayField("Last day (empty means without end)", validators=[Optional()])


class DeferralForm(AskForm):
    """Not counted for a time, and due later."""

    kind, legend, order = "deferral", "Directive", ("from_on", "to_on", "due_on")
    missing = "Select a directive"
    from_on = RequestDayField("First day", description="For example, 30 April 2026")
    to_on = RequestDayField("Last day")
    due_on = RequestDayField(
        "New due date (empty means the usual time after the last day)", validators=[Optional()]
    )


_EVIDENCE = [
    DataRequired("Write what the evidence is and where it is kept"),
    Length(max=MOST, message=f"Write at most {MOST:,} characters"),
]


class WaiverForm(AskForm):
    """Prior learning, with the day on its evidence."""

    kind, legend, order = "waiver", "What was learned before", ("from_on", "evidence")
    missing = "Select what was learned before"
    from_on = RequestDayField("Date on the evidence", description="For example, 3 February 2026")
    evidence = TextAreaField(
        "Evidence",
        description="What it is and where it is kept, for example the number of a certificate.",
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=_EVIDENCE,
    )


class RevocationForm(AskForm):
    """A pass that should not count, from a day on or ever."""

    kind, legend, order = "revocation", "Record", ("whole", "from_on", "evidence")
    missing = "Select a record"
    whole = RadioField(
        "From when is it not counted?",
        choices=[
            SelectChoice(value="yes", label="It never was a pass"),
            SelectChoice(value="no", label="It does not count from a day on"),
        ],
        widget=GovRadios(label_classes="govuk-fieldset__legend--s"),
        validate_choice=False,
        validators=[ExactlyOneChoice("Select from when it is not counted")],
    )
    from_on = RequestDayField(
        "First day on which it is not counted", description="Only where it does not count from a day on."
    )
    evidence = TextAreaField(
        "Evidence",
        description="What shows it and where that is kept. " + NEVER_HEALTH,
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=_EVIDENCE,
    )

    def requested_dates(self) -> dict[str, Any]:
        """The first day without it: its own, where it never was a pass."""
        whole = self.whole.data == "yes"
        return {"from_on": self.offered[self.about.data].since if whole else self.from_on.data}


class LiftForm(AskForm):
    """The end of an exemption or deferral, earlier than decided."""

    kind, legend, order = "lift", "Exemption or deferral", ("whole", "to_on")
    missing = "Select an exemption or deferral"
    whole = RadioField(
        "What is to be done?",
        choices=[
            SelectChoice(value="no", label="It ends on an earlier day"),
            SelectChoice(value="yes", label="It should never have been recorded"),
        ],
        widget=GovRadios(label_classes="govuk-fieldset__legend--s"),
        validate_choice=False,
        validators=[ExactlyOneChoice("Select what is to be done")],
    )
    to_on = RequestDayField("Last day", description="Only where it ends on an earlier day.")

    def requested_dates(self) -> dict[str, Any]:
        """The last day; None where it should never have held."""
        return {"to_on": None if self.whole.data == "yes" else self.to_on.data}

    def validate(self, extra_validators: Any = None) -> bool:
        """A day too, where it ends on one."""
        good = bool(super().validate(extra_validators))
        if self.whole.data == "no" and self.to_on.data is None and not self.to_on.errors:
            self.to_on.errors = ("Enter the last day",)
            return False
        return good


class RestoreForm(AskForm):
    """A pass that was taken out of the count by mistake."""

    kind, legend, order = "restore", "Record", ("evidence",)
    missing = "Select a record"
    evidence = TextAreaField(
        "Evidence",
        description="What shows that it counts. " + NEVER_HEALTH,
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=_EVIDENCE,
    )


FORMS: dict[str, type[AskForm]] = {
    form.kind: form
    for form in (ExemptionForm, DeferralForm, WaiverForm, RevocationForm, LiftForm, RestoreForm)
}

_LABELS = {
    "exemption": {"from_on": "First day", "to_on": "Last day (empty means without end)"},
    "deferral": {"from_on": "First day", "to_on": "Last day", "due_on": "New due date"},
    "waiver": {"from_on": "Date on the evidence"},
    "revocation": {"from_on": "First day on which it is not counted"},
    "lift": {"to_on": "Last day (empty means it never held)"},
    "restore": {},
}


class DecideForm(FlaskForm):  # type: ignore[misc]
    """The answer to a request: its days, which may be changed, and a sentence to who asked."""

    from_on = RequestDayField("", validators=[Optional()])
    to_on = RequestDayField("", validators=[Optional()])
    due_on = RequestDayField("", validators=[Optional()])
    comment = TextAreaField(
        "To the person who asked",
        description="Needed where you refuse. Do not write a diagnosis, or anything else about health. "
        "Who asked reads this; the person it is about never does.",
        widget=GovTextarea(rows=3),
        filters=[_clean_note],
        validators=[Optional(), Length(max=MOST, message=f"Write at most {MOST:,} characters")],
    )
    preview = SubmitField("Show what would change", widget=GovSubmit(secondary=True))
    grant = SubmitField("Grant", widget=GovSubmit())
    refuse = SubmitField("Refuse", widget=GovSubmit(warning=True))

    def __init__(self, row: RequestRow, **kwargs: Any) -> None:
        """Open with the days asked for; only those of the kind are there."""
        super().__init__(data={"from_on": row.from_on, "to_on": row.to_on, "due_on": row.due_on}, **kwargs)
        labels = _LABELS[row.kind]
        for name in ("from_on", "to_on", "due_on"):
            if name in labels:
                self[name].label.text = labels[name]
            else:
                del self[name]

    @property
    def day_fields(self) -> list[Any]:
        """The fields of days."""
        return [self[name] for name in ("from_on", "to_on", "due_on") if name in self]

    def decided_dates(self) -> dict[str, Any]:
        """The days decided."""
        return {field.name: field.data for field in self.day_fields}

    def show_faults(self, found: Sequence[RequestFault]) -> None:
        """Set each fault beside its field, or over the form where it has none."""
        for fault in found:
            if fault.field in self:
                self[fault.field].errors = (*self[fault.field].errors, fault.sentence)
            else:
                self.form_errors.append(fault.sentence)


class WithdrawRequestForm(FlaskForm):  # type: ignore[misc]
    """One button."""

    withdraw = SubmitField("Withdraw the request", widget=GovSubmit(secondary=True))


class RequestFilterForm(Form):  # type: ignore[misc]
    """Which requests are listed; sent by address."""

    whose = SelectField("Which", widget=GovSelect(), validate_choice=False)
    state = SelectField("State", widget=GovSelect(), validate_choice=False)
    kind = SelectField("Kind", widget=GovSelect(), validate_choice=False)

    def __init__(self, *, decides: bool, **kwargs: Any) -> None:
        """Fill the lists; who decides nothing sees only what they asked for."""
        super().__init__(**kwargs)
        both = [("decide", "Waiting for me to decide"), ("asked", "Asked by me"), ("all", "All")]
        self.whose.choices = both if decides else both[1:2]
        self.state.choices = [("", "Any state"), *decisions_labels.STATE_WORDS.items()]
        self.kind.choices = [("", "Any kind"), *decisions_labels.KIND_WORDS.items()]
