"""Pages of getting in: sign-in, the link to set a password, one's own account."""

from typing import cast
from urllib.parse import parse_qsl

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Field

from portal import clock
from portal.access import public, requires
from portal.accounts import administer, browser, grant_pages, queries, services, tidying
from portal.accounts.addresses import safe_next
from portal.accounts.errors import LinkSpentError, PasswordRefusedError, SignInRefusedError
from portal.accounts.forms import ChangePasswordForm, ConfirmForm, NewPasswordForm, SignInForm
from portal.accounts.queries import Account
from portal.accounts.tokens import name_hash
from portal.accounts.wording import role_words
from portal.audit.services import log
from portal.db import transaction
from portal.errors import TooManyError
from portal.permissions import Permission

bp = Blueprint("accounts", __name__, template_folder="templates")


def account() -> Account:
    """The signed-in account."""
    return cast(Account, current_user._get_current_object())


def _wrong(field: Field, text: str) -> None:
    field.errors = (*field.errors, text)


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Ask who is there, and let them in."""
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")), 303)
    form = SignInForm()
    if form.validate_on_submit():
        try:
            return _signed_in(form.name.data or "", form.password.data or "")
        except SignInRefusedError as error:
            _wrong(form.name, str(error))
    return render_template(
        "accounts/sign_in.html",
        form=form,
        next=request.args.get("next"),
        kept=bool(browser.kept_tokens()),
        sign_in_help=browser.settings().sign_in_help,
    )


def _signed_in(typed: str, plain: str) -> ResponseReturnValue:
    """Let the person in, or raise.

    Raises:
        SignInRefusedError: No open account has this name and password.
        TooManyError: Too many tries failed.
    """
    origin, hashed_name = browser.origin(), name_hash(typed, browser.settings().secret_key)
    try:
        with transaction():
            services.admit(hashed_name, origin.address, clock.now())
    except TooManyError:
        # Not in the audit trail: it cannot be emptied, and these cost the sender nothing.
        current_app.logger.warning("sign-in throttled address=%s", origin.address)
        raise
    found = queries.match(typed, plain)
    if found.person_id is None or not found.admitted:
        with transaction():
            log("account.refused", actor_id=None, subject_id=found.person_id, address=origin.address)
        raise SignInRefusedError
    person_id = found.person_id
    before, now = browser.seen(), clock.now()
    with transaction():
        if before is not None:
            services.leave_session(before.token_hash, "lapsed", now)
        services.renew_hash(person_id, plain)
        token, form_secret = services.open_session(person_id, hashed_name, origin, now)
        tidying.tidy(browser.limits(), now)
    waiting = queries.kept_forms(browser.kept_tokens(), person_id, now)
    target = url_for(".kept") if waiting else safe_next(request.args.get("next"))
    response = redirect(target, 303)
    browser.sign_in(response, token, form_secret)
    return response


@bp.get("/sign-in/help")
@public
def sign_in_help() -> ResponseReturnValue:
    """Say whom to ask."""
    return render_template("accounts/sign_in_help.html", sign_in_help=browser.settings().sign_in_help)


@bp.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End this browser's session."""
    found = browser.seen()
    if found is not None:
        with transaction():
            services.leave_session(found.token_hash, "signed_out", clock.now())
            log("account.signed_out", actor_id=found.person_id, subject_id=found.person_id)
    response = redirect(url_for(".sign_in"), 303)
    browser.sign_out(response)
    flash("You have signed out", "success")
    return response


@bp.get("/sign-in/kept")
@requires(Permission.ACCOUNT_OWN)
def kept() -> ResponseReturnValue:
    """Give back what was sent after the session had lapsed."""
    waiting = queries.kept_forms(browser.kept_tokens(), account().person_id, clock.now())
    if not waiting:
        return redirect("/", 303)
    forms = [
        {
            "path": form.path,
            "held_at": form.held_at,
            "token_hash": form.token_hash,
            "fields": [
                (name, value)
                for name, value in parse_qsl(form.body.decode("utf-8", "replace"), keep_blank_values=True)
                if name not in {"csrf_token", "kept_form"}
            ],
        }
        for form in waiting
    ]
    return render_template("accounts/kept.html", forms=forms)


@bp.route("/set-password/<token>", methods=["GET", "POST"])
@public
def set_password(token: str) -> ResponseReturnValue:
    """Set a password from a single-use link."""
    form = NewPasswordForm()
    if queries.link_person(token, clock.now()) is None:
        return _spent_link()
    if form.validate_on_submit():
        try:
            with transaction():
                about = (browser.settings().force_name,)
                services.use_link(token, form.password.data or "", clock.now(), about)
        except LinkSpentError:
            return _spent_link()
        except PasswordRefusedError as error:
            _wrong(form.password, str(error))
        else:
            response = redirect(url_for(".sign_in"), 303)
            browser.sign_out(response)
            flash("Your password is set. Sign in with it.", "success")
            return response
    response = make_response(render_template("accounts/set_password.html", form=form))
    # The address holds the token; "no-referrer" would also hide the origin that our own form must show.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def _spent_link() -> ResponseReturnValue:
    return render_template("accounts/spent_link.html", sign_in_help=browser.settings().sign_in_help), 404


@bp.get("/account")
@requires(Permission.ACCOUNT_OWN)
def own() -> ResponseReturnValue:
    """Who one is here, and where one is signed in."""
    me = account()
    return render_template(
        "accounts/own.html",
        form=ConfirmForm(),
        me=me,
        roles=sorted(role_words(role) for role in me.viewer.roles),
        sessions=queries.open_sessions(me.person_id, browser.limits(), clock.now()),
    )


@bp.route("/account/password", methods=["GET", "POST"])
@requires(Permission.ACCOUNT_OWN)
def change_password() -> ResponseReturnValue:
    """Change one's own password; every other browser is signed out."""
    form, me = ChangePasswordForm(), account()
    if form.validate_on_submit():
        if not _own_password(me, form.current.data or ""):
            _wrong(form.current, "The current password is not right")
        else:
            try:
                return _changed(me, form.password.data or "")
            except PasswordRefusedError as error:
                _wrong(form.password, str(error))
    return render_template("accounts/change_password.html", form=form)


def _own_password(me: Account, plain: str) -> bool:
    """Whether this is the account's password; tries are throttled as those of signing in are.

    Raises:
        TooManyError: Too many tries failed.
    """
    name = name_hash(f"person {me.person_id}", browser.settings().secret_key)
    address = browser.origin().address
    with transaction():
        services.admit(name, address, clock.now())
    right = queries.own_password(me.person_id, plain)
    with transaction():
        if right:
            services.forget_failures(name, address)
        else:
            log("account.refused", actor_id=me.person_id, subject_id=me.person_id, reason="current password")
    return right


def _changed(me: Account, plain: str) -> ResponseReturnValue:
    about = (browser.settings().force_name,)
    with transaction():
        token, form_secret = services.change_password(
            me.person_id, plain, browser.origin(), clock.now(), about
        )
    response = redirect(url_for(".own"), 303)
    browser.sign_in(response, token, form_secret)
    flash("Your password is changed. You are signed out everywhere else.", "success")
    return response


@bp.post("/account/sessions/<reference>/end")
@requires(Permission.ACCOUNT_OWN)
def end_session(reference: str) -> ResponseReturnValue:
    """End one of one's own sessions."""
    with transaction():
        services.end_session(account().person_id, reference, clock.now())
    flash("That browser is signed out", "success")
    return redirect(url_for(".own"), 303)


@bp.post("/account/sessions/end")
@requires(Permission.ACCOUNT_OWN)
def end_sessions() -> ResponseReturnValue:
    """Sign out everywhere, here too."""
    me = account()
    with transaction():
        services.end_sessions(me.person_id, "ended_elsewhere", me.person_id, clock.now())
    response = redirect(url_for(".sign_in"), 303)
    browser.sign_out(response)
    flash("You are signed out everywhere", "success")
    return response


administer.register(bp)
grant_pages.register(bp)
