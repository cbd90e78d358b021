"""Forms that narrow the lists of grants."""

from wtforms import Form, SelectField, StringField
from wtforms.fields import SelectChoice

from portal.domain.accounts.grants.grant_list import ALL_GRANTS, ENDED_GRANTS, MANAGERS_BY_ROSTER
from portal.domain.accounts.grants.labels import role_words
from portal.pages.layout.form_widgets import GovInput, GovSelect
from portal.platform.permissions import Role


class GrantFilterForm(Form):  # type: ignore[misc]
    """Which grants to list; sent by address, so that a list can be kept."""

    q = StringField("Name or staff number", widget=GovInput(autocomplete="off", spellcheck=False))
    role = SelectField(
        "Role",
        choices=[
            SelectChoice(value="", label="Any role"),
            *(SelectChoice(value=role.value, label=role_words(role)) for role in Role),
        ],
        widget=GovSelect(),
        validate_choice=False,
    )
    unit = StringField("Unit, by path or name", widget=GovInput(autocomplete="off", spellcheck=False))
    state = SelectField(
        "Held or ended",
        choices=[
            SelectChoice(value="", label="Held today"),
            SelectChoice(value=ENDED_GRANTS, label="Ended"),
            SelectChoice(value=ALL_GRANTS, label="Held and ended"),
            SelectChoice(value=MANAGERS_BY_ROSTER, label="By line management, without a grant"),
        ],
        widget=GovSelect(),
        validate_choice=False,
    )


class GrantSearchForm(Form):  # type: ignore[misc]
    """Of whom, or of which unit, to list what is proposed or to be looked at again."""

    q = StringField("Name or staff number", widget=GovInput(autocomplete="off", spellcheck=False))
    unit = StringField("Unit, by path or name", widget=GovInput(autocomplete="off", spellcheck=False))
