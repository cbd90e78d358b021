"""What stands before every change: the site it comes from, the form's token, and forms sent too late."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from zlib import compress, decompress

from flask import Flask, current_app, flash, g, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from config import Config
from portal.domain.accounts import passwords, queries, services, sign_in
from portal.domain.accounts.queries import Account, RequestSession, SessionState
from portal.domain.accounts.tokens import new_token
from portal.pages.layout.access import is_public, scopes_of
from portal.pages.layout.bearer import is_anonymous_request
from portal.pages.layout.forms import any_is_secret, is_form_token, view_takes_secret
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import transaction, try_to_write, wait_briefly
from portal.platform.errors import BusyError, UnwritableError
from portal.platform.observability.logs import get_logger
from portal.platform.serving.lanes import LANE, Lane

_log = get_logger("portal.pages")
Declared = TypeVar("Declared", bound=Callable[..., Any])

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
LARGEST_FORM_KEPT = 512 * 1024  # the longest lesson, each of its letters written as three
NOTE_USE_EVERY = timedelta(minutes=1)
CHOOSE_PASSWORD = "account.choose_password"  # noqa: S105 - the name of a view
NOT_CARRIED_OUT_YET = "What you sent was not carried out. Choose a new password, then send it again."
NOT_CARRIED_OUT = "You had been signed out, so what you sent was not carried out. Sign in and send it again."
ENTER_AGAIN = (
    "You had been signed out, so what you sent was not carried out. The portal never keeps passwords or "
    "codes: sign in, then enter them again."
)


class FormGuard(CSRFProtect):  # type: ignore[misc]  # the library has no types
    """Checks the token of a form, which is masked differently on every page."""

    def _get_csrf_token(self) -> str | None:
        token = super()._get_csrf_token()
        return cookies.unmask_form_token(token) if token else None


csrf = FormGuard()


class OtherPersonError(CSRFError):  # type: ignore[misc]
    """A form was opened by one person, who signed out, and sent while another is signed in here."""


_open_to_other_sites: set[Callable[..., Any]] = set()


def accepts_other_sites(view: Declared) -> Declared:
    """Declare that another site's page may send forms to ``view``, which then believes nothing but the form.

    No cookie of the portal counts there, and none is set: it can change nothing in the name of a session.
    """
    _open_to_other_sites.add(view)
    return view


def register_sessions(app: Flask, config: Config) -> None:
    """Bind sign-in, the cookies, and what is checked before every change."""
    csrf.init_app(app)
    cookies.prepare_form_cookie(app, config)
    # Makes the hash that unknown names are compared with, before anyone signs in.
    passwords.password_matches(None, "")
    # The guard asks for a form's token itself, after it has seen whose session the token must be of.
    # A token lasts as long as its session, and the guard's own check of the origin replaces the referrer's.
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    login_manager = LoginManager()
    login_manager.session_protection = None
    login_manager.request_loader(load_account)
    login_manager.unauthorized_handler(handle_unauthorized)
    login_manager.init_app(app, add_context_processor=False)  # the layout is given the viewer
    app.jinja_env.globals["csrf_token"] = cookies.form_token
    app.jinja_env.filters["network_name"] = cookies.network_name
    app.context_processor(lambda: {"csrf_token": cookies.form_token})
    app.before_request(guard_unsafe_request)
    app.before_request(redirect_weak_password)
    app.after_request(finish_request)


def guard_unsafe_request() -> ResponseReturnValue | None:
    """Refuse a change that is not from the portal's own page; keep one whose session has lapsed."""
    if request.method in SAFE_METHODS:
        if request.environ.get(LANE) != Lane.FILES:  # no page waits for its threads
            wait_briefly()
        return None
    if not request.endpoint or _is_for_systems() or _is_open_to_other_sites():
        return None
    _refuse_other_sites()
    current = cookies.current_session()
    if current is not None and current.state is SessionState.LAPSED and _can_be_kept(current):
        return _keep_form(current.person_id, url_for("sign_in.sign_in"))
    if current is not None and current.state is SessionState.OPEN:
        _bind_forms(current)
    return _check_form_token(current)


def _check_form_token(current: RequestSession | None) -> ResponseReturnValue | None:
    """Refuse a form without the session's token; accept or keep one that an earlier session opened."""
    try:
        csrf.protect(apply_exemptions=True)
    except CSRFError:
        if _from_before_a_lapse(current):
            g.csrf_valid = True  # where form objects look
        elif owner_id := _owner_before_sign_out(current):
            return _keep_form(owner_id, url_for("sign_in.show_kept_forms"))
        else:
            raise
    return None


def _is_for_systems() -> bool:
    """Whether the route is called with an access token: no cookie counts there, so no form is forged."""
    return bool(scopes_of(current_app.view_functions[request.endpoint or ""]))


def _is_open_to_other_sites() -> bool:
    return current_app.view_functions[request.endpoint or ""] in _open_to_other_sites


def redirect_weak_password() -> ResponseReturnValue | None:
    """Redirect a user who signed in with a weak password to the page for choosing another.

    A form sent meanwhile is kept until they have chosen.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or request.endpoint == CHOOSE_PASSWORD or is_public(view) or _is_for_systems():
        return None
    current = cookies.current_session()
    if current is None or current.state is not SessionState.OPEN or not current.must_change:
        return None
    return lead_to(CHOOSE_PASSWORD, current, NOT_CARRIED_OUT_YET)


def lead_to(endpoint: str, current: RequestSession, not_carried_out: str) -> ResponseReturnValue:
    """Redirect to a page that must come first; it leads back, also to a form that was sent meanwhile.

    Args:
        endpoint: Of the page.
        current: The session of the request.
        not_carried_out: Says of a form that could not be kept that it is to be sent again.
    """
    if _is_by_script():
        return "", 403
    if request.method in SAFE_METHODS:
        return redirect(url_for(endpoint, next=requested_address()), 303)
    if _is_form_to_keep():
        return _keep_form(current.person_id, url_for(endpoint))
    flash(not_carried_out, "error")
    return redirect(url_for(endpoint, next=_page_of_form()), 303)


def _page_of_form() -> str | None:
    """The page with the form that was sent, where it has the form's own address."""
    rule = request.url_rule
    return requested_address() if rule is not None and "GET" in (rule.methods or ()) else None


def load_account(_request: object) -> Account | None:
    """The account of this request, for flask-login; notes at most once a minute that it was seen.

    Nothing is noted for a view that leaves no trace.
    """
    account = queries.account_of_session(cookies.current_session())
    if account is None:
        return None
    _bind_forms(account.session)
    now = clock.now()
    if now - account.session.seen_at >= NOTE_USE_EVERY and not is_anonymous_request():
        token = account.session.token_hash
        note = partial(services.record_session_use, token, now)
        try_to_write(note, "a session was used", early_release=True)
    return account


def _bind_forms(found: RequestSession) -> None:
    if session.get("csrf_token") != found.csrf_secret:
        session["csrf_token"] = found.csrf_secret


def _refuse_other_sites() -> None:
    """Refuse what a browser says came from another site; the form's token guards where it says nothing."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise CSRFError("The form was sent from another site.")
    origin = request.headers.get("Origin")
    if origin is None:
        return
    config = cookies.current_settings()
    public = urlsplit(config.address)
    own = {f"{public.scheme}://{public.netloc}"}
    if not config.secure:  # on a loopback host, which has several names
        own.add(f"http://{request.host}")
    if origin not in own:
        raise CSRFError("The form was sent from another site.")


def _form_secret() -> str:
    """The secret that the form's token was made with; empty where the token is not genuine."""
    signer = URLSafeTimedSerializer(current_app.secret_key or "", salt="wtf-csrf-token")
    try:
        return str(signer.loads(cookies.unmask_form_token(request.form.get("csrf_token", ""))))
    except BadData:
        return ""


def _token_made_with(secrets: list[str]) -> bool:
    """Whether the form's token is genuine and was made with one of these secrets."""
    secret = _form_secret()
    return any(hmac.compare_digest(secret, other) for other in secrets)


def _from_before_a_lapse(found: RequestSession | None) -> bool:
    """Whether the form was opened in a session of the same person that lapsed and that nobody ended."""
    if found is None or found.state is not SessionState.OPEN:
        return False
    return _token_made_with(
        queries.list_lapsed_form_secrets(found.person_id, cookies.session_limits(), clock.now())
    )


def _owner_before_sign_out(current: RequestSession | None) -> int | None:
    """The person for whom to keep a form that they opened before they signed out, in this browser.

    It is carried out only if they say so in their new session, for a sign-out ends what an old page may do.

    Raises:
        OtherPersonError: Somebody else is signed in here. Who sent the form is not known: nothing is kept.
    """
    secret = _form_secret()
    if not secret or _is_by_script() or not _is_form_to_keep():
        return None
    owner_id = queries.find_signed_out_person(secret, cookies.session_limits(), clock.now())
    if owner_id is None or not cookies.describe_current_attempt(owner_id).is_from_known_browser:
        return None
    is_open = current is not None and current.state is SessionState.OPEN
    if is_open and current is not None and current.person_id != owner_id:
        raise OtherPersonError("The form was opened by somebody who has signed out.")
    return owner_id


def _is_by_script() -> bool:
    """Whether a page's script sent this, not a person with a button: nobody waits for its page."""
    return request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"


def _can_be_kept(found: RequestSession) -> bool:
    """Whether this is a form to keep, and truly of the lapsed session."""
    return not _is_by_script() and _is_form_to_keep() and _token_made_with([found.csrf_secret])


def _is_form_to_keep() -> bool:
    """Whether this is a form of a signed-in page, small enough, without a secret, and not anonymous."""
    view = current_app.view_functions[request.endpoint or ""]
    fits = 0 < (request.content_length or 0) <= LARGEST_FORM_KEPT
    if is_public(view) or request.mimetype != "application/x-www-form-urlencoded" or not fits:
        return False
    return not has_secret() and not is_anonymous_request()


def has_secret() -> bool:
    """Whether this request carries a password or a code."""
    view = current_app.view_functions[request.endpoint or ""]
    return view_takes_secret(view) or any_is_secret(request.form)


def requested_address() -> str:
    """The address asked for, as the browser wrote it."""
    query = request.query_string.decode("latin-1")
    path = quote(request.path, safe="/:@!$&'()*+,;=~")
    return f"{path}?{query}" if query else path


def _keep_form(person_id: int, next_page: str) -> ResponseReturnValue:
    """Keep this form for the person, and redirect to the page that leads them back to it."""
    fields = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "kept_form" and not is_form_token(name)
    ]
    tokens, address, body = cookies.kept_tokens(), requested_address(), urlencode(fields)
    response = redirect(next_page, 303)
    waiting = sign_in.list_waiting_forms(tokens, person_id, clock.now())
    if not any((form.path, form.body) == (address, body) for form in waiting):  # sent twice, kept once
        with transaction():
            token = sign_in.hold_form(person_id, address, body, clock.now())
        cookies.set_kept_tokens(response, [*tokens, token])
    return response


def handle_unauthorized() -> ResponseReturnValue:
    """Ask to sign in first, and come back to the page that was asked for; a script is told by the code."""
    if _is_by_script():
        return "", 401
    if request.method in SAFE_METHODS:
        return redirect(url_for("sign_in.sign_in", next=requested_address()), 303)
    secret = has_secret()
    flash(ENTER_AGAIN if secret else NOT_CARRIED_OUT, "error")
    page = _page_of_form() if secret else None
    return redirect(url_for("sign_in.sign_in", next=page), 303)


def finish_request(response: Response) -> Response:
    """Forget a kept form once it is carried out; note a refusal or a fault in the audit trail."""
    account = g.get("_login_user")
    if not isinstance(account, Account) or is_anonymous_request():
        return response
    if response.status_code == 403:
        _note_outcome("access.refused", account)
    elif response.status_code == 500:
        _note_outcome("request.failed", account)
    elif request.method not in SAFE_METHODS and response.status_code < 400 and request.form.get("kept_form"):
        _forget_kept(response, account, request.form["kept_form"])
    return response


def _note_outcome(action: str, account: Account) -> None:
    """Record in the audit trail that a request came to nothing; in the log if it takes no entry."""
    endpoint = request.endpoint or ""
    try:
        with transaction():
            log(action, actor_id=account.person_id, endpoint=endpoint)
    except (BusyError, UnwritableError):
        _log.warning("audit.not_written", action=action, viewer=account.person_id, endpoint=endpoint)


def _forget_kept(response: Response, account: Account, hashed_token: str) -> None:
    waiting = sign_in.list_waiting_hashes(cookies.kept_tokens(), account.person_id, clock.now())
    if hashed_token in waiting:
        with transaction():
            sign_in.delete_form(hashed_token, account.person_id)
    if set(waiting) <= {hashed_token}:
        cookies.set_kept_tokens(response, [])


# Answers to refused forms are held for an hour and shown by an address of their own.
#
# A browser that goes back to the answer to a form asks to send the form again, and what was typed is
# gone. So such an answer is held, encrypted, and the browser is led to it: going back, it finds the form
# as it was. An answer to a form with a secret is never held, nor one to a form that leaves no trace.

ARGUMENT = "refused"
MOST_BYTES = 256 * 1024  # of a page, compressed
_IN_ADDRESS = re.compile(rb"(?:^|&)refused=([A-Za-z0-9_-]*)")
_REFUSAL = re.compile(rb"<title>\s*Error: ")


def register_refused_forms(app: Flask) -> None:
    """Hold refusals of ``app``; call it before whatever else looks at requests, or ends answers."""
    app.before_request(find_held_refusal)
    app.after_request(hold_refusal)


def find_held_refusal() -> ResponseReturnValue | None:
    """Show the refusal that an address names; without it, lead to the form. No view sees the argument."""
    match = _IN_ADDRESS.search(request.query_string)
    if match is None or not current_user.is_authenticated:
        return None
    request.query_string = _IN_ADDRESS.sub(b"", request.query_string).lstrip(b"&")
    if request.method != "GET":
        return None
    address = requested_address()
    forms = sign_in.list_waiting_forms([_key_of(match[1].decode())], current_user.person_id, clock.now())
    if not forms or forms[0].path != address:
        return redirect(f"/{address.lstrip('/')}", 303)  # two slashes would lead to another host
    status, packed = json.loads(forms[0].body)
    return make_response(decompress(b64decode(packed)), status, {"Content-Type": "text/html; charset=utf-8"})


def hold_refusal(response: Response) -> Response:
    """Hold the page that refuses a form, and lead the browser to it; send it as it is if it cannot."""
    if not _is_refusal(response):
        return response
    packed = b64encode(compress(response.get_data())).decode()
    if len(packed) > MOST_BYTES:
        return response
    name, address = new_token(), requested_address()
    try:
        with transaction():
            sign_in.hold_form(
                current_user.person_id,
                address,
                json.dumps([200, packed]),  # at its own address it is a page like others, no failure
                clock.now(),
                token=_key_of(name),
            )
    except (BusyError, UnwritableError):
        return response
    response.status_code = 303
    response.set_data(b"")
    response.location = f"{address}{'&' if '?' in address else '?'}{ARGUMENT}={name}"
    return response


def _is_refusal(response: Response) -> bool:
    """Whether this answers a form that a signed-in person sent from a page, without a secret, by an error."""
    return (
        request.method == "POST"
        and request.endpoint is not None
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and response.mimetype == "text/html"
        and not response.is_streamed
        and not is_anonymous_request()
        and "_login_user" in g
        and current_user.is_authenticated
        and _REFUSAL.search(response.get_data()) is not None
        and not has_secret()  # last: it reads the form, which may have been too large to read
    )


def _key_of(name: str) -> str:
    """The key of a held refusal: its name in the address opens it in the same session only."""
    session = request.cookies.get(cookies.cookie_name(cookies.current_settings()), "")
    return sha256(f"{session} {name}".encode()).hexdigest()
