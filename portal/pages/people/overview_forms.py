"""Forms that filter the lists of accounts and of sessions, sent in the address."""

from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice

from portal.domain.accounts.grants.grant_list import role_words
from portal.domain.accounts.overview.account_list import CLOSED, INVITED, LOCKED, NEVER
from portal.domain.accounts.overview.ways import METHOD_WORDS, NO_WAY, WAY_SOURCES
from portal.pages.layout.base_forms import PlainForm
from portal.pages.layout.form_widgets import GovInput, GovSelect
from portal.platform.network_names import ELSEWHERE
from portal.platform.permissions import Role

STATE_WORDS = {
    NEVER: "Never signed in",
    INVITED: "Invited, not signed in yet",
    LOCKED: "Locked after failed sign-ins",
    CLOSED: "Closed",
}
WAY_WORDS = {source.key: source.words for source in WAY_SOURCES} | {NO_WAY: "Nothing to sign in with yet"}
METHODS = {method: words.capitalize() for method, words in METHOD_WORDS.items()}
ELSEWHERE_WORDS = "Any other network"
_TEXT = GovInput(autocomplete="off", spellcheck=False)


def _choose(label: str, words: dict[str, str], empty: str) -> SelectField:
    choices = [SelectChoice(value=value, label=text) for value, text in {"": empty, **words}.items()]
    return SelectField(label, choices=choices, widget=GovSelect(), validate_choice=False)


class AccountFilterForm(PlainForm):
    """Filters of the list of accounts."""

    q = StringField("Name or staff number", widget=_TEXT)
    unit = StringField("Unit, by path or name", widget=_TEXT)
    role = _choose("Role", {role.value: role_words(role) for role in Role}, "Any role or none")
    way = _choose("Can sign in with", WAY_WORDS, "Anything, or nothing yet")
    state = _choose("State", STATE_WORDS, "Any state")
    before = StringField(
        "Last signed in before",
        description="For example, 31 March 2026. Leaves out people who never signed in.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )


class SessionFilterForm(PlainForm):
    """Filters of the list of sessions; the page adds the names of networks."""

    q = StringField("Name or staff number", widget=_TEXT)
    unit = StringField("Unit, by path or name", widget=_TEXT)
    device = StringField("Browser or system", description="For example, Edge, or iPhone", widget=_TEXT)
    network = SelectField("Named network", widget=GovSelect(), validate_choice=False)
    address = StringField(
        "Address or network", description="For example, 192.0.2.7, or 10.1.0.0/16", widget=_TEXT
    )
    way = _choose("Signed in with", METHODS, "Anything")
    idle = StringField(
        "Idle for at least, in minutes",
        widget=GovInput(classes="govuk-input--width-5", inputmode="numeric", autocomplete="off"),
    )

    def set_networks(self, names: list[str]) -> None:
        """Offer these names of networks."""
        words = {"": "Any network", **{name: name for name in names}, ELSEWHERE: ELSEWHERE_WORDS}
        self.network.choices = [SelectChoice(value=value, label=text) for value, text in words.items()]
