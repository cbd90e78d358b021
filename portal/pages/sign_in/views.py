"""Pages for signing in and out, and for forms held after a session ended."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import factors, passwords, queries, services
from portal.domain.accounts import sign_in as accounts_sign_in
from portal.domain.accounts.errors import SignInRefusedError
from portal.domain.accounts.queries import SignInCandidate
from portal.domain.accounts.sign_in import SignInAttempt, record_request
from portal.pages.layout.access import public, requires, signed_in_account
from portal.pages.layout.forms import mark_wrong, takes_secret
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.step_up import person_needs_factor
from portal.pages.sign_in import oidc_views, opening, second_factor_views, step_up_views
from portal.pages.sign_in.forms import LinkRequestForm, SignInForm, present_kept_form
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import transaction
from portal.platform.errors import TooManyError
from portal.platform.observability.logs import get_logger
from portal.platform.permissions import Permission

# Pages for people who cannot sign in: whom to ask, and a link by mail.

_log = get_logger("portal.sign_in")


def add_help_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of signing in."""
    for path, view, methods in (
        ("/sign-in/help", sign_in_help, ["GET"]),
        ("/sign-in/help", request_link, ["POST"]),
        ("/sign-in/help/sent", link_requested, ["GET"]),
    ):
        bp.add_url_rule(path, view.__name__, view, methods=methods)


@public
def sign_in_help() -> ResponseReturnValue:
    """Say what to do if one cannot sign in, and offer a link by mail."""
    return _render_help(LinkRequestForm(formdata=None))


@public
def request_link() -> ResponseReturnValue:
    """Note that somebody asked for a link by mail; the answer is the same for every name.

    A worker finds out later who gets a mail, so that neither the words nor the time of the answer tell.
    """
    form = LinkRequestForm()
    if not cookies.current_settings().smtp_host:
        return redirect(url_for("sign_in.sign_in_help"), 303)
    if not form.validate_on_submit():
        return _render_help(form)
    address = cookies.request_origin().address
    with transaction():
        is_within_limit = record_request(form.name.data or "", address, clock.now())
    if not is_within_limit:
        _log.warning("links_by_mail.throttled", address=address)
    return redirect(url_for("sign_in.link_requested"), 303)


@public
def link_requested() -> ResponseReturnValue:
    """Say what happens after a link was asked for, whether or not there is such an account."""
    settings = cookies.current_settings()
    return render_template("sign_in/link_requested.html", sign_in_help=settings.sign_in_help)


def _render_help(form: LinkRequestForm) -> ResponseReturnValue:
    settings = cookies.current_settings()
    return render_template(
        "sign_in/help.html",
        form=form,
        relay=bool(settings.smtp_host),
        sign_in_help=settings.sign_in_help,
        provider_label=settings.provider_label,
        passwords_for_everyone=settings.passwords_for_everyone,
    )


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
        accounts_sign_in.refuse_throttled(attempt, now)
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
        accounts_sign_in.refuse_throttled(attempt, at, lock=True)
        noisy = accounts_sign_in.is_noisy(attempt.place, at)
        accounts_sign_in.record_failure(attempt, at)
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
    new_hash = None if is_weak else passwords.renewed_hash(candidate.password_hash or "", plain)
    with transaction(early_release=True):
        failed = accounts_sign_in.refuse_throttled(attempt, now, lock=True)
        if not is_weak:
            services.accept_password(person_id, candidate.password_rule, new_hash)
        if factors.has_factors(person_id):  # failures count on until the factor is shown too
            return second_factor_views.await_factor(person_id, next_page, now, must_change=is_weak)
        if person_needs_factor(person_id):
            return second_factor_views.refuse_without_factor(person_id)
        if failed:
            accounts_sign_in.forget_failures(attempt)
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
    decrypted_forms = accounts_sign_in.list_waiting_forms(
        cookies.kept_tokens(), signed_in_account().person_id, clock.now()
    )
    if not decrypted_forms:
        return redirect("/", 303)
    forms = [present_kept_form(form) for form in decrypted_forms]
    return render_template("sign_in/kept.html", forms=forms)


add_help_pages(bp)
oidc_views.add_oidc_pages(bp)
second_factor_views.add_factor_pages(bp)
step_up_views.add_step_up_pages(bp)
