"""Pages for signing in and out, and for forms held after a session ended."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import queries, services
from portal.domain.accounts.errors import SignInRefusedError
from portal.domain.accounts.factors import enrolment
from portal.domain.accounts.passwords import hashing
from portal.domain.accounts.queries import SignInCandidate
from portal.domain.accounts.sign_in import failures, held_forms
from portal.domain.accounts.sign_in.failures import SignInAttempt
from portal.pages.layout.access import public, requires, signed_in_account
from portal.pages.layout.form_widgets import mark_wrong
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.secret_fields import takes_secret
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.step_up import person_needs_factor
from portal.pages.sign_in import (
    help_views,
    oidc_views,
    opening,
    saml_views,
    second_factor_views,
    step_up_views,
)
from portal.pages.sign_in.forms import SignInForm
from portal.pages.sign_in.kept_forms import present_kept_form
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import transaction
from portal.platform.errors import TooManyError
from portal.platform.observability.logs import get_logger
from portal.platform.permissions import Permission

_log = get_logger("portal.sign_in")
bp = Blueprint("sign_in", __name__, template_folder="templates")


@bp.route("/sign-in", methods=["GET", "POST"])
@takes_secret
@public
def sign_in() -> ResponseReturnValue:
    """Show the sign-in form, and sign in."""
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")), 303)
    form = SignInForm()
    if form.validate_on_submit():
        try:
            return _sign_in_or_refuse(form.name.data or "", form.password.data or "")
        except SignInRefusedError as error:
            mark_wrong(form.name, str(error))
    return opening.render_sign_in(form, request.args.get("next"))


def _sign_in_or_refuse(typed: str, plain: str) -> ResponseReturnValue:
    """Check name and password, and sign in.

    Raises:
        SignInRefusedError: No open account has this name and password.
        TooManyError: Too many tries failed.
    """
    candidate = queries.find_account(typed)
    attempt, now = cookies.describe_current_attempt(candidate.person_id, typed), clock.now()
    try:
        failures.refuse_throttled(attempt, now)
        is_right = queries.password_opens_account(
            candidate, plain, administrators_only=not cookies.current_settings().passwords_for_everyone
        )
        if not is_right or candidate.person_id is None:
            _record_refusal(candidate, attempt, now)
            raise SignInRefusedError
        return _open_session(candidate.person_id, candidate, attempt, plain)
    except TooManyError:
        # Not audited: the audit trail cannot be emptied, and a sender can make any number of these.
        _log.warning("sign_in.throttled", address=cookies.request_origin().address)
        raise


def _record_refusal(candidate: SignInCandidate, attempt: SignInAttempt, at: datetime) -> None:
    """Record a failed sign-in; audit it, unless it is one of hundreds of invented names from one place."""
    address = cookies.request_origin().address
    with transaction():
        failures.refuse_throttled(attempt, at, lock=True)
        noisy = failures.is_noisy(attempt.place, at)
        failures.record_failure(attempt, at)
        if candidate.person_id is not None or not noisy:
            log("account.refused", actor_id=None, subject_id=candidate.person_id, address=address)
    if noisy:
        _log.warning("sign_in.fails_by_the_hundred", address=address)


def _open_session(
    person_id: int, candidate: SignInCandidate, attempt: SignInAttempt, plain: str
) -> ResponseReturnValue:
    """Ask for the second factor of who has one; else open a session, and redirect.

    After a weak password, to the page for choosing another. Who needs a second factor and has none stays out.
    """
    now, next_page = clock.now(), request.args.get("next")
    is_weak = services.is_password_weak(
        person_id, plain, candidate.password_rule, cookies.current_settings().force_name
    )
    new_hash = None if is_weak else hashing.renewed_hash(candidate.password_hash or "", plain)
    with transaction(early_release=True):
        failed = failures.refuse_throttled(attempt, now, lock=True)
        if not is_weak:
            services.accept_password(person_id, candidate.password_rule, new_hash)
        if enrolment.has_factors(person_id):  # failures count on until the factor is shown too
            return second_factor_views.await_factor(person_id, next_page, now, must_change=is_weak)
        if person_needs_factor(person_id):
            return second_factor_views.refuse_without_factor(person_id)
        if failed:
            failures.forget_failures(attempt)
        opened = opening.open_session_here(person_id, now, must_change=is_weak)
    return opening.respond_signed_in(opened, next_page, now, must_change=is_weak)


@bp.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End this browser's session, or its sign-in that awaits a second factor."""
    session, method = cookies.current_session(), None
    second_factor_views.end_pending_sign_in()
    if session is not None:
        with transaction():
            method = services.end_browser_session(session.token_hash, "signed_out", clock.now())
            log("account.signed_out", actor_id=session.person_id, subject_id=session.person_id)
    by_provider = method == services.OPENID and cookies.current_settings().oidc_issuer
    response = redirect(url_for("sign_in.leave_provider" if by_provider else "sign_in.sign_in"), 303)
    cookies.clear_session_cookies(response)
    flash("You have signed out", "success")
    return response


@bp.get("/sign-in/kept")
@requires(Permission.ACCOUNT_OWN)
def show_kept_forms() -> ResponseReturnValue:
    """Show the forms that were sent after the session had ended, to be sent again."""
    decrypted_forms = held_forms.list_waiting_forms(
        cookies.kept_tokens(), signed_in_account().person_id, clock.now()
    )
    if not decrypted_forms:
        return redirect("/", 303)
    forms = [present_kept_form(form) for form in decrypted_forms]
    return render_template("sign_in/kept.html", forms=forms)


help_views.add_help_pages(bp)
oidc_views.add_oidc_pages(bp)
saml_views.add_saml_pages(bp)
second_factor_views.add_factor_pages(bp)
step_up_views.add_step_up_pages(bp)
