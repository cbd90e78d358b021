"""The form with which an administrator makes an access token."""

from wtforms import RadioField, SelectField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from portal.domain.access_tokens.models import TokenScope
from portal.domain.access_tokens.services import MOST_DAYS, USUAL_DAYS
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import LineField, RequiredText, read_whole_number
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovSelect, GovSubmit

SCOPE_WORDS = {
    TokenScope.READ: "Read people, directives, status and records",
    TokenScope.WRITE: "Read, and import records, the roster and exemptions",
    TokenScope.SCIM: "Provision people from the identity provider (SCIM)",
}


class TokenForm(PortalForm):
    """A token to make: its name, what it may do, about whom, and for how long."""

    name = LineField(
        "Name",
        description="Which system uses it, such as power-bi.",
        widget=GovInput(classes="govuk-input--width-20", autocomplete="off", spellcheck=False),
        validators=[RequiredText("Enter a name")],
    )
    scope = RadioField(
        "What it may do", widget=GovRadios(), validators=[InputRequired("Select what it may do")]
    )
    unit = SelectField("People", widget=GovSelect())
    directive = SelectField("Directive", widget=GovSelect())
    days = LineField(
        "Days it works",
        description=f"From 1 to {MOST_DAYS}.",
        default=str(USUAL_DAYS),
        widget=GovInput(classes="govuk-input--width-5", inputmode="numeric", autocomplete="off"),
    )
    send = SubmitField("Make the token", widget=GovSubmit())

    def offer(self, units: list[tuple[int, str]], references: list[str], *, whole_force: bool) -> None:
        """Offer units by label and directives; the whole force and provisioning only with ``whole_force``."""
        scopes = [scope for scope in TokenScope if whole_force or scope is not TokenScope.SCIM]
        self.scope.choices = [SelectChoice(value=str(scope), label=SCOPE_WORDS[scope]) for scope in scopes]
        everyone = [SelectChoice(value="", label="The whole force")] if whole_force else []
        self.unit.choices = everyone + [
            SelectChoice(value=str(unit_id), label=label) for unit_id, label in units
        ]
        self.directive.choices = [
            SelectChoice(value="", label="Every directive"),
            *(SelectChoice(value=reference, label=reference) for reference in references),
        ]

    def validate_days(self, field: LineField) -> None:
        """Accept a number of days within the limits."""
        days = read_whole_number(field.data or "")
        if days is None or not 1 <= days <= MOST_DAYS:
            raise ValidationError(f"Enter a number of days from 1 to {MOST_DAYS}.")

    @property
    def whole_days(self) -> int:
        """The number of days entered."""
        return read_whole_number(self.days.data or "") or 0
