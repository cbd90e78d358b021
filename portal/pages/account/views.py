"""Pages of one's own account."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from portal.domain.accounts import factors as accounts_factors
from portal.domain.accounts import queries, services, sign_in
from portal.domain.accounts.account_list import method_words
from portal.domain.accounts.errors import (
    LastFactorError,
    LinkSpentError,
    PasskeyRefusedError,
    PasswordRefusedError,
)
from portal.domain.accounts.factors import LONGEST_LABEL, FactorKind, OwnFactor
from portal.domain.accounts.grants import role_words
from portal.domain.accounts.passwords import PASSWORD_LENGTH
from portal.domain.accounts.queries import Account
from portal.domain.accounts.services import UsedLink
from portal.pages.layout.access import public, requires, signed_in_account
from portal.pages.layout.fields import button, text_as_typed
from portal.pages.layout.forms import (
    ConfirmForm,
    GovCode,
    GovPassword,
    PortalForm,
    SecretField,
    mark_wrong,
    takes_secret,
)
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.sessions import cookies, passkey_requests
from portal.pages.layout.sessions.step_up import (
    lacks_factor,
    needs_factor,
    own_relying_party,
    person_needs_factor,
)
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

# Forms for setting and changing a password, and for adding a second factor.

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
    send = button("Set password")


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
    send = button("Change password")


class ChoosePasswordForm(PortalForm):
    """A new password in place of a weak one."""

    password = SecretField(
        "New password",
        description=NEW_PASSWORD_HINT,
        widget=GovPassword(autocomplete="new-password", label_classes="govuk-label--s"),
        validators=[InputRequired("Enter a new password")],
    )
    send = button("Save and continue")


def _label_field(example: str) -> StringField:
    return text_as_typed(
        "Name (optional)",
        f"To tell it from others, such as {example}.",
        checks=[Length(max=LONGEST_LABEL, message=f"Name must be {LONGEST_LABEL} characters or fewer")],
        width=20,
        bold=True,
        autocomplete=None,
        filters=[lambda text: (text or "").strip()],
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
    send = button("Set up")


class AddPasskeyForm(PortalForm):
    """The name of a new passkey; a script fills in the passkey."""

    label = _label_field("“Laptop” or “Security key”")


# Pages of one's own second factors: passkeys, one-time codes and recovery codes.

KIND_WORDS = {FactorKind.CODE: "One-time codes", FactorKind.PASSKEY: "Passkey"}


def add_factor_pages(bp: Blueprint) -> None:
    """Add these pages to the account's blueprint."""
    root = "/account/factors"
    for path, view, methods in (
        ("", show_factors, ["GET"]),
        ("/codes", add_code_device, ["GET", "POST"]),
        ("/passkeys", add_passkey, ["GET", "POST"]),
        ("/recovery-codes", replace_recovery_codes, ["POST"]),
        ("/<reference>/remove", remove_factor, ["GET", "POST"]),
    ):
        bp.add_url_rule(root + path, view.__name__, view, methods=methods)


@requires(Permission.ACCOUNT_OWN)
def show_factors() -> ResponseReturnValue:
    """Show one's second factors, and what can be done with them."""
    me = signed_in_account()
    factors = accounts_factors.list_factors(me.person_id)
    return render_template(
        "account/factors.html",
        form=ConfirmForm(),
        factors=factors,
        codes=accounts_factors.count_unused_codes(me.person_id),
        kind_words=KIND_WORDS,
        is_missing=lacks_factor(me.session),
        needs_one=needs_factor(me.viewer),
        may_have_passkeys=own_relying_party().may_have_passkeys,
        next=request.args.get("next"),
    )


@takes_secret
@requires(Permission.ACCOUNT_OWN, recent=True)
def add_code_device() -> ResponseReturnValue:
    """Show the secret of a new device for one-time codes; add it once its first code is right."""
    me, form, key = signed_in_account(), AddCodeDeviceForm(), _secret_key()
    secret = _read_sealed(form.sealed.data or "", me) if form.is_submitted() else None
    if secret is None:
        secret = accounts_factors.new_secret()
    if form.validate_on_submit():
        code, now = accounts_factors.normalise_code(form.code.data or ""), clock.now()
        step = accounts_factors.matching_step(secret, code, now, None)
        if step is not None:
            with transaction():
                session_token = accounts_factors.add_code_device(
                    me.person_id,
                    form.label.data,
                    secret,
                    step,
                    now,
                    key=key,
                    session_hash=me.session.token_hash,
                )
            return _continue_after_adding(me, "One-time codes are set up", session_token)
        mark_wrong(
            form.code,
            "The code is not right. Check that the clock of your phone is right, and enter the newest code",
        )
    form.sealed.data = b64encode(accounts_factors.encrypt_secret(secret, me.person_id, key)).decode()
    return render_template(
        "account/add_codes.html",
        form=form,
        secret=accounts_factors.secret_in_groups(secret),
        drawing=_draw_code(secret, me),
        next=request.args.get("next"),
    )


def _read_sealed(text: str, me: Account) -> str | None:
    """The secret that the page was shown with: it comes back encrypted, so that nothing is stored before."""
    try:
        return accounts_factors.decrypt_secret(b64decode(text), me.person_id, _secret_key())
    except (Base64Error, ValueError):
        return None


def _draw_code(secret: str, me: Account) -> Markup:
    """The QR code that sets up an app, as SVG without styles or scripts."""
    import segno  # most processes draw none

    address = accounts_factors.provisioning_address(
        secret, me.viewer.staff_number, f"{cookies.current_settings().force_name} learning portal"
    )
    code = segno.make(address, error="m", micro=False)
    svg = code.svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None)
    return Markup(svg)  # noqa: S704 - the library's own drawing, which repeats no text


@takes_secret
@requires(Permission.ACCOUNT_OWN, recent=True)
def add_passkey() -> ResponseReturnValue:
    """Have the browser make a passkey, and add it."""
    me, form = signed_in_account(), AddPasskeyForm()
    problem = ""
    if form.validate_on_submit():
        now = clock.now()
        try:
            with transaction():
                passkey = passkey_requests.accept_new_passkey(now)
                session_token = accounts_factors.add_passkey(
                    me.person_id, form.label.data, passkey, now, session_hash=me.session.token_hash
                )
        except PasskeyRefusedError as error:
            passkey_requests.log_refusal(error)
            problem = "The passkey could not be added. Try again"
        else:
            return _continue_after_adding(me, "The passkey is added", session_token)
    known = accounts_factors.list_credential_ids(me.person_id)
    return render_template(
        "account/add_passkey.html",
        form=form,
        problem=problem,
        options=passkey_requests.creation_options(me, known),
        next=request.args.get("next"),
    )


def _continue_after_adding(me: Account, message: str, session_token: str) -> ResponseReturnValue:
    """Show recovery codes with the first factor; otherwise return to the list.

    The browser gets the session's new token, unless that is empty.
    """
    has_codes = accounts_factors.count_unused_codes(me.person_id) > 0
    if has_codes:
        response = make_response(redirect(url_for("account.show_factors"), 303))
    else:
        flash(f"{message}. Now keep your recovery codes", "success")
        response = make_response(_show_new_codes(me))
    if session_token:
        cookies.set_session_cookie(response, session_token, me.session.csrf_secret)
    if has_codes:
        flash(message, "success")  # last: the browser's messages went with its old token
    return response


@requires(Permission.ACCOUNT_OWN, recent=True)
def replace_recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes, and show them this once."""
    me = signed_in_account()
    if not accounts_factors.has_factors(me.person_id):
        return redirect(url_for("account.show_factors"), 303)
    return _show_new_codes(me)


def _show_new_codes(me: Account) -> ResponseReturnValue:
    with transaction():
        codes = accounts_factors.replace_codes(me.person_id, _secret_key(), clock.now())
    asked = request.args.get("next")
    target = safe_next(asked) if asked else url_for("account.show_factors")
    if cookies.kept_tokens():
        target = url_for("sign_in.show_kept_forms")
    return render_template("account/recovery_codes.html", codes=codes, me=me, target=target)


@requires(Permission.ACCOUNT_OWN, recent=True)
def remove_factor(reference: str) -> ResponseReturnValue:
    """Ask for confirmation, then remove one of one's own factors."""
    me, factor = signed_in_account(), _own_factor(reference)
    if request.method == "GET":
        return render_template("account/remove_factor.html", factor=factor, form=ConfirmForm())
    try:
        with transaction():
            accounts_factors.remove_factor(me.person_id, reference, needs_one=needs_factor(me.viewer))
    except LastFactorError as error:
        flash(str(error), "error")
    else:
        flash(f"Removed: {factor.label}", "success")
    return redirect(url_for("account.show_factors"), 303)


def _own_factor(reference: str) -> OwnFactor:
    factors = accounts_factors.list_factors(signed_in_account().person_id)
    factor = next((one for one in factors if one.reference == reference), None)
    if factor is None:
        raise NotFoundError("There is no such factor.")
    return factor


def _secret_key() -> str:
    return cookies.current_settings().secret_key


# Pages that set a password: from a link, by choice, or because the old one is too weak.


def add_password_pages(bp: Blueprint) -> None:
    """Add these pages to the account's blueprint."""
    for path, view in (
        ("/set-password/<token>", set_password),
        ("/account/password", change_password),
        ("/account/new-password", choose_password),
    ):
        bp.add_url_rule(path, view.__name__, view, methods=["GET", "POST"])


def _force_words() -> tuple[str, ...]:
    return (cookies.current_settings().force_name,)


@takes_secret
@public
def set_password(token: str) -> ResponseReturnValue:
    """Set a password from a single-use link; this browser becomes a known one."""
    form = NewPasswordForm()
    if queries.person_of_link(token, clock.now()) is None:
        return _render_spent_link()
    if form.validate_on_submit():
        try:
            with transaction():
                link = services.set_password_from_link(
                    token, form.password.data or "", clock.now(), _force_words()
                )
                browser_token = cookies.remember_browser(link.person_id)
                session = _open_session_to_enrol(link)
        except LinkSpentError:
            return _render_spent_link()
        except PasswordRefusedError as error:
            mark_wrong(form.password, str(error))
        else:
            return _respond_password_set(session, browser_token)
    response = make_response(render_template("account/set_password.html", form=form))
    # The address contains the token; "no-referrer" would also hide the origin, which our own form must show.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def _open_session_to_enrol(link: UsedLink) -> tuple[str, str] | None:
    """Sign in who needs a second factor and has none, in the caller's transaction: the link stood in for it.

    The session opens nothing but the pages where one is added (step_up.py), until it is. A link that anybody
    could ask for at the sign-in page opens none, or whoever reads somebody's mail would add their own factor.
    """
    if (
        not link.may_enrol
        or accounts_factors.has_factors(link.person_id)
        or not person_needs_factor(link.person_id)
    ):
        return None
    return services.open_session(link.person_id, cookies.request_origin(), clock.now())


def _respond_password_set(session: tuple[str, str] | None, browser_token: str) -> ResponseReturnValue:
    if session is None:
        response = redirect(url_for("sign_in.sign_in"), 303)
        cookies.clear_session_cookies(response)
        flash("Your password is set. Sign in with it.", "success")
    else:
        response = redirect(url_for("account.show_factors"), 303)
        cookies.clear_session_cookies(response)
        cookies.set_session_cookie(response, *session)
        flash("Your password is set.", "success")
    cookies.set_browser_cookie(response, browser_token)
    return response


def _render_spent_link() -> ResponseReturnValue:
    return render_template(
        "account/spent_link.html", sign_in_help=cookies.current_settings().sign_in_help
    ), 404


@takes_secret
@requires(Permission.ACCOUNT_OWN)
def change_password() -> ResponseReturnValue:
    """Change the signed-in person's password; every other browser is signed out."""
    form, me = ChangePasswordForm(), signed_in_account()
    if form.validate_on_submit():
        if not _is_own_password(me, form.current.data or ""):
            mark_wrong(form.current, "The current password is not right")
        else:
            try:
                return _change_and_continue(me, form.password.data or "", url_for("account.show_own_account"))
            except PasswordRefusedError as error:
                mark_wrong(form.password, str(error))
    return render_template("account/change_password.html", form=form)


def _is_own_password(me: Account, plain: str) -> bool:
    """Whether this is the account's password; failures make one wait as at sign-in.

    Raises:
        TooManyError: Too many tries failed.
    """
    attempt, now = cookies.describe_current_attempt(me.person_id), clock.now()
    sign_in.refuse_throttled(attempt, now)
    is_right = queries.is_own_password(me.person_id, plain)
    with transaction():
        failures = sign_in.refuse_throttled(attempt, now, lock=True)
        if not is_right:
            sign_in.record_failure(attempt, now)
            log("account.refused", actor_id=me.person_id, subject_id=me.person_id, reason="current password")
        elif failures and not accounts_factors.has_factors(
            me.person_id
        ):  # else until the factor is shown too
            sign_in.forget_failures(attempt)
    return is_right


@takes_secret
@requires(Permission.ACCOUNT_OWN)
def choose_password() -> ResponseReturnValue:
    """Choose another password after signing in with a weak one; then go on to the requested page."""
    form, me = ChoosePasswordForm(), signed_in_account()
    if not me.session.must_change:
        return redirect(safe_next(request.args.get("next")), 303)
    if form.validate_on_submit():
        form_hashes = sign_in.list_waiting_hashes(cookies.kept_tokens(), me.person_id, clock.now())
        target = url_for("sign_in.show_kept_forms") if form_hashes else safe_next(request.args.get("next"))
        try:
            return _change_and_continue(me, form.password.data or "", target, keep_forms=True)
        except PasswordRefusedError as error:
            mark_wrong(form.password, str(error))
    return render_template("account/choose_password.html", form=form, next=request.args.get("next"))


def _change_and_continue(
    me: Account, plain: str, target: str, *, keep_forms: bool = False
) -> ResponseReturnValue:
    """Set the password, keep this browser signed in and redirect.

    Raises:
        PasswordRefusedError: It is too short, too long or too easy to guess.
    """
    with transaction():
        token, form_secret = services.change_password(
            me.person_id,
            plain,
            cookies.request_origin(),
            clock.now(),
            _force_words(),
            session_hash=me.session.token_hash,
            keep_forms=keep_forms,
        )
        browser_token = cookies.remember_browser(me.person_id)
    response = redirect(target, 303)
    cookies.set_session_cookie(response, token, form_secret)
    cookies.set_browser_cookie(response, browser_token)
    flash("Your password is changed. You are signed out everywhere else.", "success")
    return response


bp = Blueprint("account", __name__, template_folder="templates")


@bp.get("/account")
@requires(Permission.ACCOUNT_OWN)
def show_own_account() -> ResponseReturnValue:
    """Show one's name and roles, and where one is signed in."""
    me = signed_in_account()
    return render_template(
        "account/own.html",
        form=ConfirmForm(),
        me=me,
        roles=sorted(role_words(role) for role in me.viewer.roles),
        sessions=queries.list_open_sessions(me.person_id, cookies.session_limits(), clock.now()),
        method_words=method_words,
    )


@bp.post("/account/sessions/<reference>/end")
@requires(Permission.ACCOUNT_OWN)
def end_session(reference: str) -> ResponseReturnValue:
    """End one of one's own sessions."""
    me = signed_in_account()
    with transaction():
        services.end_session(me.person_id, reference, clock.now(), by=me.person_id)
    flash("That browser is signed out", "success")
    return redirect(url_for("account.show_own_account"), 303)


@bp.post("/account/sessions/end")
@requires(Permission.ACCOUNT_OWN)
def end_sessions() -> ResponseReturnValue:
    """End all of one's own sessions, this one too."""
    me = signed_in_account()
    with transaction():
        services.end_sessions(me.person_id, "ended_elsewhere", me.person_id, clock.now())
    response = redirect(url_for("sign_in.sign_in"), 303)
    cookies.clear_session_cookies(response)
    flash("You are signed out everywhere", "success")
    return response


add_password_pages(bp)
add_factor_pages(bp)
