"""What every way of signing in ends with: the page that offers them, and the session of this browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import flash, make_response, redirect, render_template, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.domain.accounts import services, sign_in
from portal.domain.accounts.queries import Account
from portal.domain.learning.my_learning import load_my_learning
from portal.domain.people.queries import viewer_of
from portal.pages.layout.navigation import first_page
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.sessions import cookies, passkey_requests
from portal.pages.sign_in.forms import SignInForm
from portal.platform.openid.claims import PendingSignIn
from portal.platform.permissions import Permission

_OWN_LEARNING = "/learning"


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that was opened, and what its browser gets."""

    person_id: int
    token: str
    form_secret: str
    browser_token: str


def render_sign_in(
    form: SignInForm, next_page: str | None, *, problem: str = "", status: int = 200
) -> Response:
    """The page that offers every way of signing in.

    Args:
        form: For a password.
        next_page: Where to go afterwards, as the address says it.
        problem: Why the force's own sign-in is not possible at the moment.
        status: Of the answer.
    """
    settings = cookies.current_settings()
    page = render_template(
        "sign_in/sign_in.html",
        form=form,
        next=next_page,
        kept=bool(cookies.kept_tokens()),
        problem=problem,
        provider_label=settings.provider_label,
        provider_endpoint=provider_endpoint(),
        passwords_for_everyone=settings.passwords_for_everyone,
        passkey_options=passkey_requests.sign_in_options(),
    )
    return make_response(page, status)


def provider_endpoint() -> str:
    """The page that begins a sign-in at the force's provider."""
    return cookies.current_settings().provider_begins_at


def open_session_here(
    person_id: int,
    at: datetime,
    *,
    must_change: bool = False,
    method: str = services.PASSWORD,
    provider_sid: str | None = None,
    factor: str | None = None,
) -> OpenedSession:
    """Open a session for this browser in the caller's transaction, instead of the one that it had."""
    earlier = cookies.current_session()
    if earlier is not None:
        services.end_browser_session(earlier.token_hash, "lapsed", at)
    token, form_secret = services.open_session(
        person_id,
        cookies.request_origin(),
        at,
        must_change=must_change,
        method=method,
        provider_sid=provider_sid,
        factor=factor,
    )
    browser_token = cookies.remember_browser(person_id)
    return OpenedSession(person_id, token, form_secret, browser_token)


def target_after_sign_in(person_id: int, next_page: str | None, at: datetime) -> str:
    """Where the person goes on: to a form that is held for them, or to the page asked for, or their first."""
    waiting = sign_in.list_waiting_hashes(cookies.kept_tokens(), person_id, at)
    if waiting:
        return url_for("sign_in.show_kept_forms")
    target = safe_next(next_page)
    if target != "/":
        return target
    viewer = viewer_of(person_id, line_managers=cookies.current_settings().line_managers_see)
    return first_page(viewer.permissions) if viewer is not None else target


def _tell_what_is_overdue(person_id: int, at: datetime) -> None:
    """Tell somebody who begins with the work of others that training of their own is overdue."""
    viewer = viewer_of(person_id, line_managers=cookies.current_settings().line_managers_see)
    if viewer is None or first_page(viewer.permissions) == _OWN_LEARNING:
        return
    learning = load_my_learning(person_id, at)
    if Permission.LEARN in viewer.permissions and learning.overdue_rows:
        link = Markup('<a class="govuk-notification-banner__link" href="{}">Go to My learning</a>')
        flash(Markup("{}. {}").format(learning.heading_sentence, link.format(_OWN_LEARNING)), "own")


def respond_signed_in(
    opened: OpenedSession, next_page: str | None, at: datetime, *, must_change: bool = False
) -> Response:
    """Redirect to what waits for the person: a held form, or the page that was asked for."""
    target = target_after_sign_in(opened.person_id, next_page, at)
    response = redirect(url_for("account.choose_password", next=target) if must_change else target, 303)
    cookies.set_session_cookie(response, opened.token, opened.form_secret)
    cookies.set_browser_cookie(response, opened.browser_token)
    if target != _OWN_LEARNING:
        _tell_what_is_overdue(opened.person_id, at)  # last: a new session begins without messages
    return response


def respond_renewed(
    me: Account, token: str, next_page: str | None, at: datetime, *, is_file: bool = False
) -> Response:
    """Redirect to what had to wait until the person had signed in again.

    Args:
        me: Who.
        token: The new token of their session; empty: it keeps the one that it has.
        next_page: Where to go, as the address says it.
        at: This instant.
        is_file: Whether that is a file: it is offered by a link, since it would show no page.
    """
    target = target_after_sign_in(me.person_id, next_page, at)
    if is_file:
        target = url_for("sign_in.show_waiting_file", next=target)
    response = redirect(target, 303)
    if token:
        cookies.set_session_cookie(response, token, me.session.csrf_secret)
    return response


# Sign-ins that this browser has begun at the provider, in its signed cookie until they end.

KEY = "oidc"
LASTS = timedelta(hours=1)  # somebody may have to set up a second factor on the way
MOST_PENDING = 3  # tabs; a cookie holds 4 KiB
LONGEST_NEXT = 600  # characters of an address to go to afterwards


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """A sign-in that this browser has begun at the provider."""

    pending: PendingSignIn
    next_page: str | None
    again: bool  # in an open session, whose person shows again who they are
    is_file: bool  # the page to go to is a file


def remember(begun: BegunSignIn, at: datetime) -> None:
    """Keep what the end of this sign-in must meet; the oldest goes where there are too many."""
    kept = [*_list_unexpired(at), _as_values(begun, at)]
    session[KEY] = kept[-MOST_PENDING:]


def take(state: str, at: datetime) -> BegunSignIn | None:
    """The sign-in of this state, once; None where this browser began none."""
    kept = _list_unexpired(at)
    match = next((values for values in kept if values["state"] == state), None)
    if match is None:
        return None
    session[KEY] = [values for values in kept if values is not match]
    pending = PendingSignIn(match["state"], match["nonce"], match["verifier"])
    return BegunSignIn(pending, match["next"], bool(match.get("again")), bool(match.get("file")))


def _as_values(begun: BegunSignIn, at: datetime) -> Mapping[str, Any]:
    pending, next_page = begun.pending, begun.next_page
    return {
        "state": pending.state,
        "nonce": pending.nonce,
        "verifier": pending.code_verifier,
        "next": next_page if next_page and len(next_page) <= LONGEST_NEXT else None,
        "again": begun.again,
        "file": begun.is_file,
        "at": int(at.timestamp()),
    }


def _list_unexpired(at: datetime) -> list[Mapping[str, Any]]:
    oldest = (at - LASTS).timestamp()
    return [values for values in session.get(KEY, []) if values["at"] >= oldest]
