"""Pages that set a password: from a link, by choice, or because the old one is too weak."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.accounts import queries, services
from portal.domain.accounts.errors import LinkSpentError, PasswordRefusedError
from portal.domain.accounts.factors import enrolment
from portal.domain.accounts.queries import Account
from portal.domain.accounts.services import UsedLink
from portal.domain.accounts.sign_in import failures as sign_in_failures
from portal.domain.accounts.sign_in import held_forms
from portal.pages.account.forms import ChangePasswordForm, ChoosePasswordForm, NewPasswordForm
from portal.pages.layout.access import public, requires, signed_in_account
from portal.pages.layout.form_widgets import mark_wrong
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.secret_fields import takes_secret
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.step_up import person_needs_factor
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import transaction
from portal.platform.permissions import Permission


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
    if not link.may_enrol or enrolment.has_factors(link.person_id) or not person_needs_factor(link.person_id):
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
    sign_in_failures.refuse_throttled(attempt, now)
    is_right = queries.is_own_password(me.person_id, plain)
    with transaction():
        failures = sign_in_failures.refuse_throttled(attempt, now, lock=True)
        if not is_right:
            sign_in_failures.record_failure(attempt, now)
            log("account.refused", actor_id=me.person_id, subject_id=me.person_id, reason="current password")
        elif failures and not enrolment.has_factors(me.person_id):  # else until the factor is shown too
            sign_in_failures.forget_failures(attempt)
    return is_right


@takes_secret
@requires(Permission.ACCOUNT_OWN)
def choose_password() -> ResponseReturnValue:
    """Choose another password after signing in with a weak one; then go on to the requested page."""
    form, me = ChoosePasswordForm(), signed_in_account()
    if not me.session.must_change:
        return redirect(safe_next(request.args.get("next")), 303)
    if form.validate_on_submit():
        form_hashes = held_forms.list_waiting_hashes(cookies.kept_tokens(), me.person_id, clock.now())
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
