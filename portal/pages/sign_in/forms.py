"""Forms for signing in: with a password, with the second factor, again, and for a link by mail."""

from wtforms import StringField, SubmitField
from wtforms.validators import InputRequired, Length

from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovCode, GovInput, GovPassword, GovSubmit
from portal.pages.layout.secret_fields import SecretField


class SignInForm(PortalForm):
    """Staff number or email address, and password."""

    name = StringField(
        "Staff number or email address",
        widget=GovInput(
            autocomplete="username", spellcheck=False, autocapitalize="none", label_classes="govuk-label--s"
        ),
        validators=[InputRequired("Enter your staff number or email address")],
    )
    password = SecretField(
        "Password",
        widget=GovPassword(autocomplete="current-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter your password")],
    )
    send = SubmitField("Sign in", widget=GovSubmit())


class LinkRequestForm(PortalForm):
    """Whose link to send."""

    name = StringField(
        "Staff number or email address",
        widget=GovInput(
            autocomplete="username", spellcheck=False, autocapitalize="none", label_classes="govuk-label--s"
        ),
        validators=[
            InputRequired("Enter your staff number or email address"),
            Length(max=254, message="Enter a staff number or email address of 254 characters or fewer"),
        ],
    )
    send = SubmitField("Send me a link", widget=GovSubmit())


class CodeForm(PortalForm):
    """A one-time code, or a recovery code."""

    code = SecretField(
        "Code",
        description="6 digits from your authenticator app, or one of your recovery codes.",
        widget=GovCode(label_classes="govuk-label--s"),
        validators=[InputRequired("Enter the code")],
    )
    send = SubmitField("Continue", widget=GovSubmit())


class SignInAgainForm(PortalForm):
    """The password again, and a code where the person has a second factor."""

    password = SecretField(
        "Password",
        widget=GovPassword(autocomplete="current-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter your password")],
    )
    code = SecretField(
        "Code",
        description="6 digits from your authenticator app, or one of your recovery codes.",
        widget=GovCode(label_classes="govuk-label--s"),
        validators=[InputRequired("Enter the code")],
    )
    send = SubmitField("Continue", widget=GovSubmit())
