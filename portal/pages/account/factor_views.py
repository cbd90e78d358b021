"""Pages of one's own second factors: passkeys, one-time codes and recovery codes."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from portal.domain.accounts.factors import enrolment, one_time_codes, recovery_codes
from portal.domain.accounts.factors.enrolment import FactorKind, OwnFactor
from portal.domain.accounts.factors.errors import LastFactorError, PasskeyRefusedError
from portal.domain.accounts.queries import Account
from portal.pages.account.forms import AddCodeDeviceForm, AddPasskeyForm
from portal.pages.layout.access import requires, signed_in_account
from portal.pages.layout.form_widgets import mark_wrong
from portal.pages.layout.forms import ConfirmForm
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.secret_fields import takes_secret
from portal.pages.layout.sessions import cookies, passkey_requests
from portal.pages.layout.sessions.step_up import lacks_factor, needs_factor, own_relying_party
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

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
    factors = enrolment.list_factors(me.person_id)
    return render_template(
        "account/factors.html",
        form=ConfirmForm(),
        factors=factors,
        codes=recovery_codes.count_unused_codes(me.person_id),
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
        secret = one_time_codes.new_secret()
    if form.validate_on_submit():
        code, now = one_time_codes.normalise_code(form.code.data or ""), clock.now()
        step = one_time_codes.matching_step(secret, code, now, None)
        if step is not None:
            with transaction():
                session_token = enrolment.add_code_device(
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
    form.sealed.data = b64encode(one_time_codes.encrypt_secret(secret, me.person_id, key)).decode()
    return render_template(
        "account/add_codes.html",
        form=form,
        secret=one_time_codes.secret_in_groups(secret),
        drawing=_draw_code(secret, me),
        next=request.args.get("next"),
    )


def _read_sealed(text: str, me: Account) -> str | None:
    """The secret that the page was shown with: it comes back encrypted, so that nothing is stored before."""
    try:
        return one_time_codes.decrypt_secret(b64decode(text), me.person_id, _secret_key())
    except (Base64Error, ValueError):
        return None


def _draw_code(secret: str, me: Account) -> Markup:
    """The QR code that sets up an app, as SVG without styles or scripts."""
    import segno  # most processes draw none

    address = one_time_codes.provisioning_address(
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
                session_token = enrolment.add_passkey(
                    me.person_id, form.label.data, passkey, now, session_hash=me.session.token_hash
                )
        except PasskeyRefusedError as error:
            passkey_requests.log_refusal(error)
            problem = "The passkey could not be added. Try again"
        else:
            return _continue_after_adding(me, "The passkey is added", session_token)
    known = enrolment.list_credential_ids(me.person_id)
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
    has_codes = recovery_codes.count_unused_codes(me.person_id) > 0
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
    if not enrolment.has_factors(me.person_id):
        return redirect(url_for("account.show_factors"), 303)
    return _show_new_codes(me)


def _show_new_codes(me: Account) -> ResponseReturnValue:
    with transaction():
        codes = recovery_codes.replace_codes(me.person_id, _secret_key(), clock.now())
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
            enrolment.remove_factor(me.person_id, reference, needs_one=needs_factor(me.viewer))
    except LastFactorError as error:
        flash(str(error), "error")
    else:
        flash(f"Removed: {factor.label}", "success")
    return redirect(url_for("account.show_factors"), 303)


def _own_factor(reference: str) -> OwnFactor:
    factors = enrolment.list_factors(signed_in_account().person_id)
    factor = next((one for one in factors if one.reference == reference), None)
    if factor is None:
        raise NotFoundError("There is no such factor.")
    return factor


def _secret_key() -> str:
    return cookies.current_settings().secret_key
