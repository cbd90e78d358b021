"""Pages of one's own account."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.accounts import queries, services
from portal.domain.accounts.grants.grant_list import role_words
from portal.domain.accounts.overview.ways import method_words
from portal.pages.account import factor_views, password_views
from portal.pages.layout.access import requires, signed_in_account
from portal.pages.layout.forms import ConfirmForm
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Permission

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


password_views.add_password_pages(bp)
factor_views.add_factor_pages(bp)
