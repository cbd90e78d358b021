"""Forms for signing in: with a password, with the second factor, again, and for a link by mail."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from urllib.parse import parse_qsl, urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException
from wtforms.validators import InputRequired, Length

from portal.domain.accounts.sign_in import DecryptedForm
from portal.feature import list_features
from portal.pages.layout.fields import button, text_as_typed
from portal.pages.layout.forms import GovCode, GovPassword, PortalForm, SecretField
from portal.pages.layout.navigation import name_of_place


class SignInForm(PortalForm):
    """Staff number or email address, and password."""

    name = text_as_typed(
        "Staff number or email address",
        checks=[InputRequired("Enter your staff number or email address")],
        bold=True,
        autocomplete="username",
        spellcheck=False,
        autocapitalize="none",
    )
    password = SecretField(
        "Password",
        widget=GovPassword(autocomplete="current-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter your password")],
    )
    send = button("Sign in")


class LinkRequestForm(PortalForm):
    """Whose link to send."""

    name = text_as_typed(
        "Staff number or email address",
        checks=[
            InputRequired("Enter your staff number or email address"),
            Length(max=254, message="Enter a staff number or email address of 254 characters or fewer"),
        ],
        bold=True,
        autocomplete="username",
        spellcheck=False,
        autocapitalize="none",
    )
    send = button("Send me a link")


class CodeForm(PortalForm):
    """A one-time code, or a recovery code."""

    code = SecretField(
        "Code",
        description="6 digits from your authenticator app, or one of your recovery codes.",
        widget=GovCode(label_classes="govuk-label--s"),
        validators=[InputRequired("Enter the code")],
    )
    send = button("Continue")


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
    send = button("Continue")


# What the page of kept forms shows: in words what each form is, and the fields to send again.

_SENTENCES = {  # by the endpoint to which the form goes; the placeholders are parts of its address
    "assessment.save_answer": "Your answer to question {number} was kept",
    "assessment.submit_attempt": "Your answers were kept, and are not submitted yet",
    "guides.acknowledge_guide": "Your note that you have read this was kept",
    "learning.complete_lesson": "Your note that this lesson is complete was kept",
    "learning.save_case_step": "What you decided or wrote in a case was kept",
}
_CORE_ACTS = {  # of the pages that ask for the password again, the act; the placeholders as above
    "account.add_code_device": "add a device with codes",
    "account.add_passkey": "add a passkey",
    "account.remove_factor": "remove a way to confirm that it is you",
    "account.replace_recovery_codes": "get new recovery codes",
    "grants.give_to_several": "give a role to several people",
    "grants.propose_grants": "give the proposed roles",
    "grants.review_grants": "confirm or end roles",
    "guides.edit_force_settings": "save the force’s details",
    "imports.apply_import": "apply an import",
    "jobs.retry_job": "start a job again",
    "people.grant_role": "give a role to {staff_number}",
    "people.invite_person": "invite {staff_number}",
    "people.lift_lock": "unlock the account of {staff_number}",
    "people.make_link": "make a password link for {staff_number}",
    "people.print_invitations": "print invitations",
    "people.remove_identity": "remove the sign-in of {staff_number} at the provider",
    "people.reopen_account": "open the account of {staff_number} again",
    "people.reset_factors": "remove the second factors of {staff_number}",
    "people.revoke_role": "end a role of {staff_number}",
    "people.show_invitations": "send invitations",
    "people.subject_access": "make a copy of the data of {staff_number}",
    "reminders.send_again": "send a message again",
    "retention.approve_disposal": "approve a disposal",
    "retention.correct_data": "correct somebody’s data",
    "retention.erase_data": "erase somebody’s data",
    "retention.resume_disposal": "go on with a disposal",
    "tokens.make_token": "make an access token",
    "tokens.resume_tokens": "let access tokens work again",
    "units.move_unit": "move a unit",
}
_OTHER = "What you sent was kept"


@dataclass(frozen=True, slots=True)
class KeptForm:
    """One kept form, as its person sees it before they send it again."""

    sentence: str  # says what was kept
    place: str  # where it was sent, as the navigation names it; empty if it is nowhere there
    path: str
    held_at: datetime
    token_hash: str
    fields: list[tuple[str, str]]


def present_kept_form(form: DecryptedForm) -> KeptForm:
    """The form in words, with its fields."""
    fields = parse_qsl(form.body, keep_blank_values=True)
    return KeptForm(
        _sentence_of(form.path),
        name_of_place(urlsplit(form.path).path),
        form.path,
        form.held_at,
        form.token_hash,
        fields,
    )


@cache
def list_acts() -> dict[str, str]:
    """By page, what somebody was about to do; of the core and of the features."""
    of_features = (item for feature in list_features() for item in feature.kept_forms.items())
    return {**_CORE_ACTS, **dict(of_features)}


def _sentence_of(path: str) -> str:
    """Say what a form sent to this address is."""
    try:
        endpoint, values = current_app.url_map.bind("").match(urlsplit(path).path, "POST")
    except HTTPException:  # its page has gone since
        return _OTHER
    if act := list_acts().get(endpoint):
        return f"Your request to {act.format_map(values)} was kept"
    return _SENTENCES.get(endpoint, _OTHER).format_map(values)
