"""Forms for setting and changing a password."""

from flask_wtf import FlaskForm
from wtforms import SubmitField
from wtforms.validators import InputRequired

from portal.domain.accounts.passwords.hashing import PASSWORD_LENGTH
from portal.pages.layout.form_widgets import GovPassword, GovSubmit
from portal.pages.layout.secret_fields import SecretField

NEW_PASSWORD_HINT = (
    f"{PASSWORD_LENGTH} characters or more. Three random words are easy to remember and hard to guess."
)


class NewPasswordForm(FlaskForm):  # type: ignore[misc]
    """A password to set from a link."""

    password = SecretField(
        "New password",
        description=NEW_PASSWORD_HINT,
        widget=GovPassword(autocomplete="new-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter a new password")],
    )
    send = SubmitField("Set password", widget=GovSubmit())


class ChangePasswordForm(FlaskForm):  # type: ignore[misc]
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


class ChoosePasswordForm(FlaskForm):  # type: ignore[misc]
    """A new password in place of a weak one."""

    password = SecretField(
        "New password",
        description=NEW_PASSWORD_HINT,
        widget=GovPassword(autocomplete="new-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter a new password")],
    )
    send = SubmitField("Save and continue", widget=GovSubmit())
