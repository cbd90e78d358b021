"""Forms of accounts."""

from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField, SubmitField
from wtforms.validators import InputRequired

from portal.web.form_widgets import GovInput, GovPassword, GovSelect, GovSubmit

NEW_PASSWORD_HINT = "12 characters or more. Three random words are easy to remember and hard to guess."  # noqa: S105


class SignInForm(FlaskForm):  # type: ignore[misc]
    """A name, a password, a button."""

    name = StringField(
        "Staff number or email address",
        widget=GovInput(
            autocomplete="username", spellcheck=False, autocapitalize="none", label_classes="govuk-label--s"
        ),
        validators=[InputRequired("Enter your staff number or email address")],
    )
    password = PasswordField(
        "Password",
        widget=GovPassword(autocomplete="current-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter your password")],
    )
    send = SubmitField("Sign in", widget=GovSubmit())


class NewPasswordForm(FlaskForm):  # type: ignore[misc]
    """A password to set from a link."""

    password = PasswordField(
        "New password",
        description=NEW_PASSWORD_HINT,
        widget=GovPassword(autocomplete="new-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter a new password")],
    )
    send = SubmitField("Set password", widget=GovSubmit())


class ChangePasswordForm(FlaskForm):  # type: ignore[misc]
    """One's own password, and the one to have instead."""

    current = PasswordField(
        "Current password",
        widget=GovPassword(autocomplete="current-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter your current password")],
    )
    password = PasswordField(
        "New password",
        description=NEW_PASSWORD_HINT,
        widget=GovPassword(autocomplete="new-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter a new password")],
    )
    send = SubmitField("Change password", widget=GovSubmit())


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    """Nothing to fill in: the button alone, with its token."""


class GrantForm(FlaskForm):  # type: ignore[misc]
    """A role to grant, and where it holds."""

    role = SelectField("Role", widget=GovSelect(), validators=[InputRequired("Select a role")])
    unit = SelectField("Where", widget=GovSelect())
    send = SubmitField("Grant role", widget=GovSubmit(secondary=True))
