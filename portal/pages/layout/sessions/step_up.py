"""What must come first in an open session: a second factor, and a sign-in of the last ten minutes.

Both are asked for before the view runs. A form that was sent is kept, and offered again afterwards.
"""

import re
from datetime import timedelta

from flask import Flask, abort, current_app, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import factors, services
from portal.domain.accounts.factors import RelyingParty
from portal.domain.accounts.queries import RequestSession, SessionState
from portal.domain.people.queries import viewer_of
from portal.domain.people.visibility import Viewer
from portal.pages.layout.access import is_public, permission_of, wants_recent_sign_in
from portal.pages.layout.forms import view_takes_secret
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.request_guard import SAFE_METHODS, lead_to
from portal.platform import clock
from portal.platform.permissions import concern_others

RECENT = timedelta(minutes=10)
MANY_PEOPLE = 1_000  # a file about more of them is given out only after a recent sign-in
_OWN_MACHINE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?")
SIGN_IN_AGAIN = "sign_in.sign_in_again"
OWN_FACTORS = "account.show_factors"
# All that is open to a session that lacks its second factor, beside public pages.
_WITHOUT_FACTOR = frozenset(
    {OWN_FACTORS, SIGN_IN_AGAIN, "account.add_code_device", "account.add_passkey"}
    | {"account.replace_recovery_codes", "account.choose_password"}
)
_NOT_YET = "What you sent was not carried out. Add a second factor, then send it again."
_SIGN_IN_FIRST = "What you sent was not carried out. Sign in again, then send it again."


def register_step_up(app: Flask) -> None:
    """Ask before each view for what it needs beyond a session and a permission."""
    app.before_request(redirect_without_factor)
    app.before_request(redirect_to_sign_in_again)


def needs_factor(viewer: Viewer) -> bool:
    """Whether this person may not sign in here with a password alone."""
    return cookies.current_settings().second_factor_required and concern_others(viewer.permissions)


def person_needs_factor(person_id: int) -> bool:
    """As ``needs_factor``, of a person who is not signed in yet."""
    settings = cookies.current_settings()
    if not settings.second_factor_required:
        return False
    viewer = viewer_of(person_id, line_managers=settings.line_managers_see)
    return viewer is not None and viewer.has_post and needs_factor(viewer)


def own_relying_party() -> RelyingParty:
    """The portal, as passkeys know it: its public address, or, on a machine of its own, the name used."""
    settings = cookies.current_settings()
    has_names = not settings.secure and _OWN_MACHINE.fullmatch(request.host)
    address = f"http://{request.host}" if has_names else settings.address
    return factors.relying_party(address, f"{settings.force_name} learning portal")


def lacks_factor(current: RequestSession) -> bool:
    """Whether this session was opened without the second factor that its person needs."""
    if current.factor is not None or current.viewer is None or not needs_factor(current.viewer):
        return False
    provider = cookies.current_settings().openid
    is_trusted = not provider.factor_acr and not provider.factor_amr  # whatever it says of the sign-in
    return not (current.method in services.BY_PROVIDER and is_trusted)


def is_recent(current: RequestSession) -> bool:
    """Whether the person signed in within ten minutes, with their second factor if they have one."""
    if not timedelta() <= clock.now() - current.authenticated_at <= RECENT:
        return False
    if current.method in services.BY_PROVIDER:
        return not lacks_factor(current)
    by_password_alone = current.factor is None and current.method == services.PASSWORD
    return not (by_password_alone and factors.has_factors(current.person_id))


def redirect_without_factor() -> ResponseReturnValue | None:
    """Redirect a session that lacks its second factor to where one is added, or shown if there is one."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or request.endpoint in _WITHOUT_FACTOR or is_public(view):
        return None
    current = _open_session()
    if current is None or current.must_change or not lacks_factor(current):
        return None
    by_provider = current.method in services.BY_PROVIDER
    page = SIGN_IN_AGAIN if by_provider or factors.has_factors(current.person_id) else OWN_FACTORS
    return lead_to(page, current, _NOT_YET)


def redirect_to_sign_in_again() -> ResponseReturnValue | None:
    """Redirect who sends something to a view that wants a recent sign-in, unless theirs is.

    A view that takes a secret is not even shown before: what is sent to it could not be kept.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or not wants_recent_sign_in(view):
        return None
    if request.method in SAFE_METHODS and not view_takes_secret(view):
        return None
    current = _open_session()
    if current is None or permission_of(view) not in current_user.permissions or is_recent(current):
        return None
    return lead_to(SIGN_IN_AGAIN, current, _SIGN_IN_FIRST)


def require_recent_sign_in() -> None:
    """Within a view of a file: redirect to signing in again, unless that was within ten minutes."""
    current = _open_session()
    if current is None or is_recent(current):
        return
    address = request.full_path.rstrip("?")
    abort(make_response(redirect(url_for(SIGN_IN_AGAIN, next=address, file="yes"), 303)))


def _open_session() -> RequestSession | None:
    """The session of this request, if it signs somebody in."""
    current = cookies.current_session()
    is_open = current is not None and current.state is SessionState.OPEN
    return current if is_open and current_user.is_authenticated else None
