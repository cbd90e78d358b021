"""Forms for setting and changing a password, and for adding a second factor."""

from wtforms import HiddenField, StringField, SubmitField
from wtforms.validators import InputRequired, Length

from portal.domain.accounts.factors.enrolment import LONGEST_LABEL
from portal.domain.accounts.passwords.hashing import PASSWORD_LENGTH
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovCode, GovInput, GovPassword, GovSubmit
from portal.pages.layout.secret_fields import SecretField

NEW_PASSWORD_HINT = (
    f"{PASSWORD_LENGTH} characters or more. Three random words are easy to remember and hard to guess."
)


class NewPasswordForm(PortalForm):
    """A password to set from a link."""

    password = SecretField(
        "New password",
        description=NEW_PASSWORD_HINT,
        widget=GovPassword(autocomplete="new-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter a new password")],
    )
    send = SubmitField("Set password", widget=GovSubmit())


class ChangePasswordForm(PortalForm):
    """The current password and a new one."""

    current = SecretField(
        "Current password",
        widget=GovPassword(autocomplete="current-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter your current password")],
    )
    password = SecretField(
        "New password",
        description=NEW_PASSWORD_HINT,
        widget=GovPassword(autocomplete="new-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter a new password")],
    )
    send = SubmitField("Change password", widget=GovSubmit())


class ChoosePasswordForm(PortalForm):
    """A new password in place of a weak one."""

    password = SecretField(
        "New password",
        description=NEW_PASSWORD_HINT,
        widget=GovPassword(autocomplete="new-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter a new password")],
    )
    send = SubmitField("Save and continue", widget=GovSubmit())


def _label_field(example: str) -> StringField:
    return StringField(
        "Name (optional)",
        description=f"To tell it from others, such as {example}.",
        widget=GovInput(classes="govuk-input--width-20", label_classes="govuk-label--s"),
        filters=[lambda text: (text or "").strip()],
        validators=[Length(max=LONGEST_LABEL, message=f"Name must be {LONGEST_LABEL} characters or fewer")],
    )


class AddCodeDeviceForm(PortalForm):
    """A device for one-time codes: its first code, and a name."""

    sealed = HiddenField()
    code = SecretField(
        "Code that the app shows",
        description="6 digits. They change every 30 seconds.",
        widget=GovCode(inputmode="numeric", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter the code that the app shows")],
    )
    label = _label_field("“Work phone”")
    send = SubmitField("Set up", widget=GovSubmit())


class AddPasskeyForm(PortalForm):
    """The name of a new passkey; a script fills in the passkey."""

    label = _label_field("“Laptop” or “Security key”")
