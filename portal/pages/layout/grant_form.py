"""The fields of a role to give: which role, where, and until when."""

from datetime import date

from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from portal.domain.accounts.grants import authority
from portal.domain.accounts.grants.grant_list import role_words
from portal.domain.people.queries import Viewer
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovInput, GovSelect
from portal.platform.clock import read_day, today
from portal.platform.db import OPEN_END
from portal.platform.permissions import UNIT_ROLES, Role


class RoleForm(PortalForm):
    """A role to grant, on which unit, and until when; pages add their button."""

    role = SelectField("Role", widget=GovSelect(), validators=[InputRequired("Select a role")])
    unit = SelectField("Where", widget=GovSelect())
    until = StringField(
        "Last day",
        description="For example, 31 March 2027. Leave empty for no last day.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )

    def offer_roles_and_units(self, viewer: Viewer) -> None:
        """Offer the roles and units that the viewer may give; those of a unit's administrator end there."""
        everywhere = authority.administered_units(viewer) is None
        roles = [role for role in Role if everywhere or role in UNIT_ROLES]  # others are for the whole force
        self.role.choices = [SelectChoice(value=role.value, label=role_words(role)) for role in roles]
        no_unit = [SelectChoice(value="", label="No unit: the whole force; for a manager, direct reports")]
        self.unit.choices = (no_unit if everywhere else []) + [
            SelectChoice(value=str(unit_id), label=label)
            for unit_id, label in authority.grantable_units(viewer)
        ]

    def validate_until(self, field: StringField) -> None:
        """Accept today, a later day, or nothing."""
        text = (field.data or "").strip()
        day = read_day(text)
        if text and day is None:
            raise ValidationError("Enter a date, such as 31 March 2027")
        if day is not None and day < today():
            raise ValidationError("The last day must be today or later")

    @property
    def last_day(self) -> date:
        """The last day entered; the open end if there is none."""
        return read_day(self.until.data or "") or OPEN_END

    @property
    def chosen_role(self) -> Role:
        """The role, of a valid form."""
        return Role(self.role.data)

    @property
    def chosen_unit(self) -> int | None:
        """The id of the unit, of a valid form; None without one."""
        return int(self.unit.data) if self.unit.data else None
