"""Forms that filter the lists of grants."""

from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice

from portal.domain.accounts.grants.grant_list import ALL_GRANTS, ENDED_GRANTS, MANAGERS_BY_ROSTER, role_words
from portal.pages.layout.base_forms import PlainForm
from portal.pages.layout.form_widgets import GovInput, GovSelect
from portal.platform.permissions import Role


class GrantFilterForm(PlainForm):
    """Filters of the grant list; sent in the address, so that a list can be bookmarked."""

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
        "Current or ended",
        choices=[
            SelectChoice(value="", label="Current"),
            SelectChoice(value=ENDED_GRANTS, label="Ended"),
            SelectChoice(value=ALL_GRANTS, label="Current and ended"),
            SelectChoice(value=MANAGERS_BY_ROSTER, label="By line management, without a grant"),
        ],
        widget=GovSelect(),
        validate_choice=False,
    )


class GrantSearchForm(PlainForm):
    """Filters of proposed grants and of grants to review."""

    q = StringField("Name or staff number", widget=GovInput(autocomplete="off", spellcheck=False))
    unit = StringField("Unit, by path or name", widget=GovInput(autocomplete="off", spellcheck=False))
