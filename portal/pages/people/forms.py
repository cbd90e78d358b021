"""Forms of the search, of one more attempt, and of an administrator about one account."""

from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice

from portal.domain.accounts.account_list import (
    CLOSED,
    INVITED,
    LOCKED,
    METHOD_WORDS,
    NEVER,
    NO_WAY,
    WAY_SOURCES,
)
from portal.domain.accounts.grants import role_words
from portal.domain.records.queries import EXTRA_REASONS
from portal.pages.layout.fields import button, drop_down, radios, text_as_typed
from portal.pages.layout.forms import (
    GovInput,
    PlainForm,
    PortalForm,
    RoleForm,
)
from portal.platform.network_names import ELSEWHERE
from portal.platform.permissions import Role


class SearchForm(PlainForm):
    """The name or number to search for."""

    q = text_as_typed("Name or staff number", spellcheck=False)


class InvitationFilterForm(PlainForm):
    """Whom to invite; sent in the address, so that a preview can be opened again."""

    unit = text_as_typed("Unit, by path or name", spellcheck=False)
    role = drop_down("Role", validate_choice=False)
    directive = drop_down("Directive that applies to them", validate_choice=False)
    invited = drop_down(
        "Invited before",
        choices=[
            SelectChoice(value="", label="Any"),
            SelectChoice(value="never", label="Never invited"),
            SelectChoice(value="before", label="Invited before"),
        ],
        validate_choice=False,
    )


class PrintFilterForm(PlainForm):
    """Whose links to print."""

    unit = text_as_typed(
        "Unit, by path or name", "Everyone in it and in the units below it.", spellcheck=False
    )
    role = drop_down("Role", validate_choice=False)
    who = drop_down(
        "Who",
        choices=[
            SelectChoice(value="", label="People without an email address"),
            SelectChoice(value="all", label="Everyone who cannot sign in yet"),
        ],
        validate_choice=False,
    )


class ExtraAttemptForm(PortalForm):
    """The module in which one more attempt is opened, and why."""

    module = radios("Module", required="Select a module")
    reason = radios(
        "Why one more",
        required="Select why one more attempt is opened",
        choices=[
            SelectChoice(value=key, label=words[:1].upper() + words[1:])
            for key, words in EXTRA_REASONS.items()
        ],
    )
    send = button("Open one more attempt")


class GrantForm(RoleForm):
    """A role to grant to one person."""

    send = button("Grant role", secondary=True)


# Forms that filter the lists of accounts and of sessions, sent in the address.

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
    return drop_down(label, choices=choices, validate_choice=False)


class AccountFilterForm(PlainForm):
    """Filters of the list of accounts."""

    q = StringField("Name or staff number", widget=_TEXT)
    unit = StringField("Unit, by path or name", widget=_TEXT)
    role = _choose("Role", {role.value: role_words(role) for role in Role}, "Any role or none")
    way = _choose("Can sign in with", WAY_WORDS, "Anything, or nothing yet")
    state = _choose("State", STATE_WORDS, "Any state")
    before = text_as_typed(
        "Last signed in before",
        "For example, 31 March 2026. Leaves out people who never signed in.",
        width=10,
    )


class SessionFilterForm(PlainForm):
    """Filters of the list of sessions; the page adds the names of networks."""

    q = StringField("Name or staff number", widget=_TEXT)
    unit = StringField("Unit, by path or name", widget=_TEXT)
    device = StringField("Browser or system", description="For example, Edge, or iPhone", widget=_TEXT)
    network = drop_down("Named network", validate_choice=False)
    address = StringField(
        "Address or network", description="For example, 192.0.2.7, or 10.1.0.0/16", widget=_TEXT
    )
    way = _choose("Signed in with", METHODS, "Anything")
    idle = text_as_typed("Idle for at least, in minutes", width=5, inputmode="numeric")

    def set_networks(self, names: list[str]) -> None:
        """Offer these names of networks."""
        words = {"": "Any network", **{name: name for name in names}, ELSEWHERE: ELSEWHERE_WORDS}
        self.network.choices = [SelectChoice(value=value, label=text) for value, text in words.items()]
