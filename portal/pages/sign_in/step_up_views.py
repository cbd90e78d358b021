"""Signing in again in an open session, before what matters most is carried out."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import factors, identities, queries, services, sign_in
from portal.domain.accounts.errors import CodeRefusedError, FactorMissingError, PasskeyRefusedError
from portal.domain.accounts.factors import FactorKind
from portal.domain.accounts.queries import Account
from portal.domain.accounts.sign_in import renew_session
from portal.pages.layout.access import requires, signed_in_account
from portal.pages.layout.forms import mark_wrong, takes_secret
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.sessions import cookies, passkey_requests
from portal.pages.layout.sessions.step_up import is_recent, lacks_factor, needs_factor
from portal.pages.sign_in import opening
from portal.pages.sign_in.forms import SignInAgainForm
from portal.pages.sign_in.opening import BegunSignIn
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import transaction
from portal.platform.openid.claims import ProviderSubject
from portal.platform.permissions import Permission
from portal.platform.write_lock import BUSY_SECONDS

WRONG = "The password or the code is not right"


def add_step_up_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of signing in."""
    bp.add_url_rule("/sign-in/again", sign_in_again.__name__, sign_in_again, methods=["GET", "POST"])
    bp.add_url_rule("/sign-in/again/file", show_waiting_file.__name__, show_waiting_file, methods=["GET"])


@takes_secret
@requires(Permission.ACCOUNT_OWN)
def sign_in_again() -> ResponseReturnValue:
    """Ask the signed-in person to show again who they are; then lead them back to what they were doing."""
    me, form = signed_in_account(), SignInAgainForm()
    if request.method == "GET" and is_recent(me.session) and not lacks_factor(me.session):
        return _lead_back(me)
    if not factors.has_factors(me.person_id):
        del form.code
    if request.method == "POST" and passkey_requests.FIELD in request.form:
        try:
            return _renew_by_passkey(me)
        except PasskeyRefusedError as error:
            passkey_requests.log_refusal(error)
            return _render(me, form, str(error))
    if form.validate_on_submit():
        try:
            return _renew_by_password(
                me, form.password.data or "", form.code.data if "code" in form else None
            )
        except CodeRefusedError:
            mark_wrong(form.password, WRONG if "code" in form else "The password is not right")
    return _render(me, form)


def _render(me: Account, form: SignInAgainForm, problem: str = "") -> ResponseReturnValue:
    settings = cookies.current_settings()
    ids = factors.list_credential_ids(me.person_id)
    by_provider = me.session.method in services.BY_PROVIDER and settings.provider_label
    return render_template(
        "sign_in/again.html",
        form=form,
        problem=problem,
        next=request.args.get("next"),
        file=request.args.get("file"),
        kept=bool(cookies.kept_tokens()),
        passkey_options=passkey_requests.sign_in_options(passkey_requests.AGAIN, ids) if ids else "",
        provider_label=settings.provider_label if by_provider else "",
        provider_endpoint=opening.provider_endpoint(),
        with_password=not by_provider and queries.get_account_state(me.person_id, clock.now()).has_password,
        with_codes="code" not in form or _has_codes(me),
    )


def _has_codes(me: Account) -> bool:
    kinds = {factor.kind for factor in factors.list_factors(me.person_id)}
    return FactorKind.CODE in kinds or factors.count_unused_codes(me.person_id) > 0


def _renew_by_passkey(me: Account) -> ResponseReturnValue:
    now = clock.now()
    with transaction():
        passkey_requests.accept_answer(passkey_requests.AGAIN, now, person_id=me.person_id)
        token = _renew(me, services.PASSKEY, FactorKind.PASSKEY)
    return _lead_back(me, token)


def _renew_by_password(me: Account, plain: str, code: str | None) -> ResponseReturnValue:
    """Check the password, and the code unless the person has no second factor; failures count as at sign-in.

    Raises:
        CodeRefusedError: One of them is not right; never says which.
        TooManyError: Too many tries failed.
    """
    attempt, now, key = cookies.describe_current_attempt(me.person_id), clock.now(), _secret_key()
    sign_in.refuse_throttled(attempt, now)
    is_right, token, factor = queries.is_own_password(me.person_id, plain), "", None
    with transaction():
        failed = sign_in.refuse_throttled(attempt, now, lock=True)
        if is_right and code is not None:
            factor = factors.accept_code(me.person_id, code, key, now)
            is_right = factor is not None
        if not is_right:
            sign_in.record_failure(attempt, now)
            log("account.refused", actor_id=me.person_id, subject_id=me.person_id, reason="sign in again")
        else:
            token = _renew(me, services.PASSWORD, factor)
            if failed:
                sign_in.forget_failures(attempt)
    if not is_right:
        raise CodeRefusedError
    return _lead_back(me, token)


def renew_by_provider(
    subject: ProviderSubject, begun: BegunSignIn, *, method: str, factor: str | None, is_new: bool
) -> ResponseReturnValue:
    """Go on in the open session, whose person has just signed in again at the force's provider.

    Args:
        subject: Who signed in there.
        begun: What was begun here.
        method: How the provider was asked.
        factor: The second factor that the provider vouches for, if any.
        is_new: Whether they showed who they are just now, rather than being signed in there.
    """
    now = clock.now()
    if not current_user.is_authenticated:
        return redirect(url_for("sign_in.sign_in", next=begun.next_page), 303)
    me = signed_in_account()
    identity = identities.find_identity(me.person_id, subject.issuer)
    if identity is None or identity.subject != subject.subject:
        return _refuse_again("You signed in there as somebody else.", begun)
    if not is_new:
        return _refuse_again("Your sign-in there was not a new one. Sign in there again.", begun)
    if factor is None and needs_factor(me.viewer):
        return _refuse_again(str(FactorMissingError()), begun)
    with transaction(wait_seconds=BUSY_SECONDS):
        token = renew_session(me.session.token_hash, me.person_id, now, method=method, factor=factor)
    return opening.respond_renewed(me, token, begun.next_page, now, is_file=begun.is_file)


def _refuse_again(reason: str, begun: BegunSignIn) -> ResponseReturnValue:
    flash(reason, "error")
    return redirect(url_for("sign_in.sign_in_again", next=begun.next_page), 303)


def _secret_key() -> str:
    return cookies.current_settings().secret_key


def _renew(me: Account, method: str, factor: FactorKind | None) -> str:
    """Note in the caller's transaction that the person signed in again; returns the session's new token."""
    kind = str(factor) if factor else None
    return renew_session(me.session.token_hash, me.person_id, clock.now(), method=method, factor=kind)


def _lead_back(me: Account, token: str = "") -> ResponseReturnValue:
    """Go on with the form, the page or the file that had to wait, with the session's new token."""
    is_file = bool(request.args.get("file"))
    return opening.respond_renewed(me, token, request.args.get("next"), clock.now(), is_file=is_file)


@requires(Permission.ACCOUNT_OWN)
def show_waiting_file() -> ResponseReturnValue:
    """Offer the file for which the person signed in again."""
    return render_template("sign_in/waiting_file.html", address=safe_next(request.args.get("next")))
