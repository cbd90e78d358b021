"""Forms of accounts."""

from datetime import date

from flask_wtf import FlaskForm
from wtforms import Form, SelectField, StringField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from portal.domain.accounts.grants.grant_list import ALL, BY_ROSTER, ENDED
from portal.domain.accounts.grants.labels import role_words
from portal.domain.accounts.passwords.hashing import PASSWORD_LENGTH
from portal.pages.layout.form_widgets import GovInput, GovPassword, GovSelect, GovSubmit
from portal.pages.layout.secret_fields import SecretField
from portal.platform.clock import read_day, today
from portal.platform.db import OPEN_END
from portal.platform.permissions import Role

NEW_PASSWORD_HINT = (
    f"{PASSWORD_LENGTH} characters or more. Three random words are easy to remember and hard to guess."
)


class SignInForm(FlaskForm):  # type: ignore[misc]
    """A name, a password, a button."""

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
    """One's own password, and the one to have instead."""

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
    """A password to have instead of a weak one."""

    password = SecretField(
        "New password",
        description=NEW_PASSWORD_HINT,
        widget=GovPassword(autocomplete="new-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter a new password")],
    )
    send = SubmitField("Save and continue", widget=GovSubmit())


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    """Nothing to fill in: the button alone, with its token."""


class GrantForm(FlaskForm):  # type: ignore[misc]
    """A role to grant, and where it holds."""

    role = SelectField("Role", widget=GovSelect(), validators=[InputRequired("Select a role")])
    unit = SelectField("Where", widget=GovSelect())
    until = StringField(
        "Last day",
        description="For example, 31 March 2027. Leave empty for no last day.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )
    send = SubmitField("Grant role", widget=GovSubmit(secondary=True))

    def validate_until(self, field: StringField) -> None:
        """A day of today or later, or nothing."""
        written = (field.data or "").strip()
        day = read_day(written)
        if written and day is None:
            raise ValidationError("Write a date such as 31 March 2027.")
        if day is not None and day < today():
            raise ValidationError("The last day must be today or later.")

    @property
    def last_day(self) -> date:
        """The last day that was written; the open end where none was."""
        return read_day(self.until.data or "") or OPEN_END


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
            SelectChoice(value=ENDED, label="Ended"),
            SelectChoice(value=ALL, label="Held and ended"),
            SelectChoice(value=BY_ROSTER, label="By line management, without a grant"),
        ],
        widget=GovSelect(),
        validate_choice=False,
    )


class NarrowForm(Form):  # type: ignore[misc]
    """Of whom, or of which unit, to list what is proposed or to be looked at again."""

    q = StringField("Name or staff number", widget=GovInput(autocomplete="off", spellcheck=False))
    unit = StringField("Unit, by path or name", widget=GovInput(autocomplete="off", spellcheck=False))
