"""The page between the two factors, and signing in with a passkey alone."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import factors, queries, services, sign_in
from portal.domain.accounts.errors import CodeRefusedError, PasskeyRefusedError
from portal.domain.accounts.factors import FactorKind
from portal.domain.accounts.sign_in import AwaitedFactor
from portal.pages.layout.access import public
from portal.pages.layout.forms import mark_wrong, takes_secret
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.sessions import cookies, passkey_requests
from portal.pages.sign_in import opening
from portal.pages.sign_in.forms import CodeForm, SignInForm
from portal.pages.sign_in.opening import OpenedSession
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import transaction

PENDING = "second_factor"  # in the signed cookie of this browser: the token of the sign-in under way
TOO_LATE = "You took longer than 10 minutes, so start again."


def add_factor_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of signing in."""
    bp.add_url_rule("/sign-in/factor", enter_factor.__name__, enter_factor, methods=["GET", "POST"])
    bp.add_url_rule("/sign-in/passkey", use_passkey.__name__, use_passkey, methods=["POST"])


def await_factor(
    person_id: int, next_page: str | None, at: datetime, *, must_change: bool
) -> ResponseReturnValue:
    """In the caller's transaction: ask this browser, whose password was right, for the second factor."""
    session[PENDING] = sign_in.begin(person_id, at, must_change=must_change)
    return redirect(url_for("sign_in.enter_factor", next=next_page), 303)


def end_pending_sign_in() -> None:
    """End the sign-in of this browser that awaits a second factor, if any: a copy of its cookie, too."""
    token = session.get(PENDING)
    if token:
        with transaction():
            sign_in.finish(token)


def refuse_without_factor(person_id: int) -> ResponseReturnValue:
    """In the caller's transaction: say whom to ask, since a password alone does not let this person add one.

    Otherwise whoever guessed or stole the password would add their own.
    """
    log("account.refused", actor_id=None, subject_id=person_id, reason="no second factor")
    return render_template(
        "sign_in/no_factor.html", sign_in_help=cookies.current_settings().sign_in_help
    ), 403


@takes_secret
@public
def enter_factor() -> ResponseReturnValue:
    """Ask for the second factor after the password, and sign in."""
    next_page, token = request.args.get("next"), session.get(PENDING, "")
    if current_user.is_authenticated:
        return redirect(safe_next(next_page), 303)
    awaited = sign_in.find(token, clock.now()) if token else None
    if awaited is None:
        flash(TOO_LATE, "error")
        return redirect(url_for("sign_in.sign_in", next=next_page), 303)
    form = CodeForm()
    if request.method == "POST" and passkey_requests.FIELD in request.form:
        try:
            return _finish(awaited, token, next_page, passkey=True)
        except PasskeyRefusedError as error:
            passkey_requests.log_refusal(error)
            mark_wrong(form.code, str(error))
    elif form.validate_on_submit():
        try:
            return _finish(awaited, token, next_page, code=form.code.data or "")
        except CodeRefusedError as error:
            mark_wrong(form.code, str(error))
    return _render_factor(form, awaited, next_page)


def _render_factor(form: CodeForm, awaited: AwaitedFactor, next_page: str | None) -> ResponseReturnValue:
    ids = factors.list_credential_ids(awaited.person_id)
    return render_template(
        "sign_in/factor.html",
        form=form,
        next=next_page,
        passkey_options=passkey_requests.sign_in_options(known=ids) if ids else "",
        sign_in_help=cookies.current_settings().sign_in_help,
    )


def _finish(
    awaited: AwaitedFactor, token: str, next_page: str | None, *, code: str = "", passkey: bool = False
) -> ResponseReturnValue:
    """Check the second factor, and sign in.

    Raises:
        CodeRefusedError: The code is not right. The failure counts as that of a password.
        PasskeyRefusedError: The passkey's answer is not one to believe.
        TooManyError: Too many tries failed.
    """
    person_id, now = awaited.person_id, clock.now()
    attempt = cookies.describe_current_attempt(person_id)
    sign_in.refuse_throttled(attempt, now)
    with transaction():
        failed = sign_in.refuse_throttled(attempt, now, lock=True)
        if passkey:
            passkey_requests.accept_answer(passkey_requests.SIGN_IN, now, person_id=person_id)
            factor: FactorKind | None = FactorKind.PASSKEY
        else:
            key = cookies.current_settings().secret_key
            factor = factors.accept_code(person_id, code, key, now)
        if factor is None:
            sign_in.record_failure(attempt, now)
            log("account.refused", actor_id=None, subject_id=person_id, reason="second factor")
        else:
            opened = _open(awaited, token, now, factor, failed=failed)
    if factor is None:
        raise CodeRefusedError
    if opened is None:
        flash(TOO_LATE, "error")
        return redirect(url_for("sign_in.sign_in", next=next_page), 303)
    return opening.respond_signed_in(opened, next_page, now, must_change=awaited.must_change)


def _open(
    awaited: AwaitedFactor, token: str, at: datetime, factor: FactorKind, *, failed: int
) -> OpenedSession | None:
    """Open the session; None if another request did so, or the account was closed meanwhile."""
    only = not cookies.current_settings().passwords_for_everyone
    if not sign_in.finish(token) or not queries.is_open_account(awaited.person_id, administrators_only=only):
        return None
    if failed:
        sign_in.forget_failures(cookies.describe_current_attempt(awaited.person_id))
    return opening.open_session_here(
        awaited.person_id, at, must_change=awaited.must_change, factor=str(factor)
    )


@takes_secret  # where the passkey is refused, the page offers the password
@public
def use_passkey() -> ResponseReturnValue:
    """Sign in with a passkey alone: its device was there, and its owner unlocked it."""
    next_page, now = request.args.get("next"), clock.now()
    if current_user.is_authenticated:
        return redirect(safe_next(next_page), 303)
    only = not cookies.current_settings().passwords_for_everyone
    try:
        with transaction():
            person_id = passkey_requests.accept_answer(passkey_requests.SIGN_IN, now)
            if not queries.is_open_account(person_id, administrators_only=only):
                raise PasskeyRefusedError("account_not_open")
            opened = opening.open_session_here(
                person_id, now, method=services.PASSKEY, factor=str(FactorKind.PASSKEY)
            )
    except PasskeyRefusedError as error:
        passkey_requests.log_refusal(error)
        form = SignInForm(formdata=None)
        mark_wrong(form.name, str(error))
        return opening.render_sign_in(form, next_page)
    return opening.respond_signed_in(opened, next_page, now)
