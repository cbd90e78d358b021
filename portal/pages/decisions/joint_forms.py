"""Forms of requests and decisions about several people."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import request
from wtforms import SubmitField
from wtforms.fields import SelectChoice

from portal.domain.decisions.change_requests import ChangeRequest
from portal.domain.decisions.choices import RequestChoice
from portal.domain.decisions.joint_requests import RequestPerson
from portal.domain.decisions.queries import RequestRow
from portal.pages.decisions.forms import MAXIMUM_LENGTH, AskForm, DecideForm, DeferralForm, ExemptionForm
from portal.pages.layout.form_fields import CheckboxesField
from portal.pages.layout.form_widgets import GovSubmit
from portal.pages.layout.query_arguments import NO_TEXT


class _SeveralPeople(AskForm):
    """What a request for several people has beside its own fields: the people, and a preview."""

    people = CheckboxesField("Who is it for?")
    preview = SubmitField("Continue", widget=GovSubmit())

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
