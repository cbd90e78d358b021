"""Forms of the search, of one more attempt, and of an administrator about one account."""

from wtforms import RadioField, SelectField, StringField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.records.queries import EXTRA_REASONS
from portal.pages.layout.base_forms import PlainForm, PortalForm
from portal.pages.layout.form_widgets import GovInput, GovRadios, GovSelect, GovSubmit
from portal.pages.layout.grant_form import RoleForm


class SearchForm(PlainForm):
    """The name or number to search for."""

    q = StringField("Name or staff number", widget=GovInput(autocomplete="off", spellcheck=False))


class InvitationFilterForm(PlainForm):
    """Whom to invite; sent in the address, so that a preview can be opened again."""

    unit = StringField("Unit, by path or name", widget=GovInput(autocomplete="off", spellcheck=False))
    role = SelectField("Role", widget=GovSelect(), validate_choice=False)
    directive = SelectField("Directive that applies to them", widget=GovSelect(), validate_choice=False)
    invited = SelectField(
        "Invited before",
        choices=[
            SelectChoice(value="", label="Any"),
            SelectChoice(value="never", label="Never invited"),
            SelectChoice(value="before", label="Invited before"),
        ],
        widget=GovSelect(),
        validate_choice=False,
    )


class PrintFilterForm(PlainForm):
    """Whose links to print."""

    unit = StringField(
        "Unit, by path or name",
        description="Everyone in it and in the units below it.",
        widget=GovInput(autocomplete="off", spellcheck=False),
    )
    role = SelectField("Role", widget=GovSelect(), validate_choice=False)
    who = SelectField(
        "Who",
        choices=[
            SelectChoice(value="", label="People without an email address"),
            SelectChoice(value="all", label="Everyone who cannot sign in yet"),
        ],
        widget=GovSelect(),
        validate_choice=False,
    )


class ExtraAttemptForm(PortalForm):
    """The module in which one more attempt is opened, and why."""

    module = RadioField("Module", widget=GovRadios(), validators=[InputRequired("Select a module")])
    reason = RadioField(
        "Why one more",
        choices=[
            SelectChoice(value=key, label=words[:1].upper() + words[1:])
            for key, words in EXTRA_REASONS.items()
        ],
        widget=GovRadios(),
        validators=[InputRequired("Select why one more attempt is opened")],
    )
    send = SubmitField("Open one more attempt", widget=GovSubmit())


class GrantForm(RoleForm):
    """A role to grant to one person."""

    send = SubmitField("Grant role", widget=GovSubmit(secondary=True))
