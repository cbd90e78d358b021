"""The frame of every page: its navigation, the person signed in, and a warning when the clock is wrong."""

from typing import Any

from flask import Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts.queries import RequestSession
from portal.pages.layout.access import public
from portal.pages.layout.navigation import first_page, navigation_of
from portal.pages.layout.sessions.cookies import session_limits
from portal.pages.layout.sessions.request_guard import NOTE_USE_EVERY
from portal.platform import clock
from portal.platform.db import newest_stamp
from portal.platform.permissions import Permission
from portal.platform.wording import instant


def register_frame(app: Flask, *, force_name: str) -> None:
    """Give the templates of ``app`` the values of the frame, and the portal its first page."""
    app.context_processor(lambda: _frame_values(force_name))
    app.jinja_env.globals["clock_alarm"] = clock_alarm
    app.add_url_rule("/", "home", redirect_home)


def _frame_values(force_name: str) -> dict[str, Any]:
    account = current_user._get_current_object()  # once, not at each word of the page that asks
    signed_in = account.is_authenticated
    permissions = account.permissions if signed_in else frozenset()
    return {
        "force_name": force_name,
        "viewer": account if signed_in else None,
        "home_url": first_page(permissions) if signed_in else "/",
        "navigation": navigation_of(permissions, request.path),
        "session_seconds": session_seconds(account.session) if signed_in else None,
    }


def session_seconds(session: RequestSession) -> tuple[int, int]:
    """In how many seconds this session ends if nothing is opened, and in how many it ends in any case."""
    limits = session_limits()
    idle = limits.idle - NOTE_USE_EVERY  # its last use may be noted so much too early
    left = session.created_at + limits.absolute - clock.now()
    return int(idle.total_seconds()), max(int(left.total_seconds()), 0)


@public
def redirect_home() -> ResponseReturnValue:
    """Redirect to the page with which a person's work begins."""
    if not current_user.is_authenticated:
        return redirect(url_for("sign_in.sign_in"))
    return redirect(first_page(current_user.permissions))


def clock_alarm() -> str:
    """Warning for administrators that the server's clock is or was wrong; else empty.

    Reads the database, so a template calls it only on the few pages that show it.
    """
    if Permission.JOB_VIEW not in current_user.permissions:
        return ""
    newest, now = newest_stamp(), clock.now()
    if newest is None or not clock.is_ahead(newest, now):
        return ""
    return (
        f"The server’s clock says {instant(now)}, but the newest entry was recorded at {instant(newest)}. "
        "Ask the people who run the portal to check the clock today, and to follow docs/runbook/clock.md."
    )
