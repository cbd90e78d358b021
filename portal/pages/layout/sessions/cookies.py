"""Cookies: tokens of the session, of the browser itself, and of forms kept after a session lapsed."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from functools import lru_cache
from operator import xor

from flask import Flask, current_app, g, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from config import Config
from portal.domain.accounts import queries, sign_in, tokens
from portal.domain.accounts.queries import RequestSession, SessionLimits
from portal.domain.accounts.retention import BROWSER_RETENTION
from portal.domain.accounts.services import SignInOrigin
from portal.domain.accounts.sign_in import FORM_RETENTION, SignInAttempt
from portal.domain.accounts.tokens import account_key, new_token
from portal.platform import clock
from portal.platform.network_names import name_network, parse_network_names

MOST_FORMS = 5  # kept over one lapse
_MASKED = "~"  # begins a masked token of a form; none begins with it unmasked


def current_settings() -> Config:
    """The settings of the running portal."""
    config: Config = current_app.config["PORTAL"]
    return config


def cookie_name(config: Config, suffix: str = "") -> str:
    """The name of a cookie; ``__Host-`` binds it to this host, its root path and https."""
    return f"{'__Host-' if config.secure else ''}portal{suffix}"


class FormCookie(SecureCookieSessionInterface):
    """The framework's own signed cookie (messages, the secret of forms); its signer is made once."""

    _signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The signer of the running portal."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer


def prepare_form_cookie(app: Flask, config: Config) -> None:
    """Give the framework's own signed cookie the same protection."""
    app.session_interface = FormCookie()
    app.config.update(
        SESSION_COOKIE_NAME=cookie_name(config, "-form"),
        SESSION_COOKIE_SECURE=config.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )


def session_limits() -> SessionLimits:
    """How long sessions last here."""
    config = current_settings()
    return SessionLimits(timedelta(minutes=config.idle_minutes), timedelta(hours=config.absolute_hours))


def request_origin() -> SignInOrigin:
    """Where this request comes from."""
    return SignInOrigin(
        request.remote_addr or "", tokens.describe_browser(request.headers.get("User-Agent", ""))
    )


def network_name(address: str) -> str:
    """The force's name for the network of an address; empty if it has none."""
    return name_network(address, parse_network_names(current_settings().network_names))


def current_session() -> RequestSession | None:
    """The session that this request's cookie names, looked up once."""
    if "sign_in_session" not in g:
        token = request.cookies.get(cookie_name(current_settings()), "")
        g.sign_in_session = _read_session(token) if token else None
    current: RequestSession | None = g.sign_in_session
    return current


def _read_session(token: str) -> RequestSession | None:
    by_roster = current_settings().line_managers_see
    return queries.session_of_token(token, session_limits(), clock.now(), line_managers=by_roster)


def form_token() -> str:
    """The token of this page's forms: signed once for each secret, and masked anew for each page."""
    if "masked_form_token" not in g:
        secret = session.get("csrf_token")
        token = generate_csrf() if secret is None else _sign_form_token(current_app.secret_key, secret)
        g.csrf_token, g.masked_form_token = token, mask_form_token(token)
    masked: str = g.masked_form_token
    return masked


def mask_form_token(token: str) -> str:
    """The token beside a random pad and combined with it, so that no two pages have text of it in common."""
    plain = token.encode()
    pad = secrets.token_bytes(len(plain))
    return _MASKED + urlsafe_b64encode(pad + _combine(plain, pad)).decode()


def unmask_form_token(text: str) -> str:
    """The token that ``mask_form_token`` masked; any other text unchanged."""
    if not text.startswith(_MASKED):
        return text
    try:
        both = urlsafe_b64decode(text.removeprefix(_MASKED))
        return _combine(both[: len(both) // 2], both[len(both) // 2 :]).decode()
    except ValueError:
        return text


def _combine(text: bytes, pad: bytes) -> bytes:
    return bytes(map(xor, text, pad))


@lru_cache(maxsize=4096)
def _sign_form_token(key: str, secret: str) -> str:
    return str(URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(secret))


def set_session_cookie(response: Response, token: str, form_secret: str) -> None:
    """Give the browser its session's token; its forms are bound to that session from now on."""
    session.clear()
    session["csrf_token"] = form_secret
    _set_cookie(response, "", token)


def clear_session_cookies(response: Response) -> None:
    """Take the token from the browser, and everything else but the forms' fresh secret."""
    session.clear()
    _delete_cookie(response, "")
    _delete_cookie(response, "-kept")


def kept_tokens() -> list[str]:
    """The tokens of kept forms that this browser has."""
    value = request.cookies.get(cookie_name(current_settings(), "-kept"), "")
    return [token for token in value.split(".") if token][:MOST_FORMS]


def set_kept_tokens(response: Response, tokens: list[str]) -> None:
    """Let the browser have these tokens of kept forms, the latest ones where they are too many."""
    if tokens:
        _set_cookie(response, "-kept", ".".join(tokens[-MOST_FORMS:]), FORM_RETENTION)
    else:
        _delete_cookie(response, "-kept")


def describe_current_attempt(person_id: int | None, typed: str = "") -> SignInAttempt:
    """The attempt of this request to sign in to a person's account, or to a name that nobody has."""
    account = account_key(person_id, typed, current_settings().secret_key)
    return sign_in.describe_attempt(account, request_origin().address, _browser_token())


def remember_browser(person_id: int) -> str:
    """Note in the caller's transaction that the person uses this browser; returns its token."""
    token = _browser_token() or new_token()
    sign_in.remember_browser(
        person_id, account_key(person_id, "", current_settings().secret_key), token, clock.now()
    )
    return token


def set_browser_cookie(response: Response, token: str) -> None:
    """Set the long-lived cookie with the browser's own token."""
    _set_cookie(response, "-browser", _browser_signer().dumps(token), BROWSER_RETENTION)


def _browser_token() -> str | None:
    """The token by which this browser is known; None where it has none that the portal signed."""
    try:
        return str(
            _browser_signer().loads(request.cookies.get(cookie_name(current_settings(), "-browser"), ""))
        )
    except BadData:
        return None


def _browser_signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="portal known browser")


def _set_cookie(response: Response, suffix: str, value: str, lasts: timedelta | None = None) -> None:
    config = current_settings()
    response.set_cookie(
        cookie_name(config, suffix),
        value,
        max_age=lasts,
        path="/",
        secure=config.secure,
        httponly=True,
        samesite="Lax",
    )


def _delete_cookie(response: Response, suffix: str) -> None:
    config = current_settings()
    response.delete_cookie(
        cookie_name(config, suffix), path="/", secure=config.secure, httponly=True, samesite="Lax"
    )
