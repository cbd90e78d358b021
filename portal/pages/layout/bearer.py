"""Routes for other systems: who calls is said by an access token, never by a cookie.

    @bp.get("/api/v1/people")
    @accepts_token(TokenScope.READ, TokenScope.WRITE)
    def list_people() -> ResponseReturnValue: ...

Such a route needs no form's token, since a browser sends a token to nobody by itself. Every error of its
address is a problem document (RFC 9457), see ``error_pages.py``.
"""

import re
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, cast

from flask import current_app, g, request
from flask.typing import ResponseReturnValue

from portal.domain.access_tokens import queries, services
from portal.domain.access_tokens.models import TokenScope
from portal.domain.access_tokens.queries import LiveToken
from portal.domain.accounts.sign_in import failures, throttle
from portal.domain.accounts.sign_in.failures import SignInAttempt
from portal.domain.accounts.sign_in.tokens import account_key
from portal.pages.layout.access import P, View, declare_scopes
from portal.platform import clock
from portal.platform.audit.services import log, log_file
from portal.platform.db import try_to_write
from portal.platform.errors import ForbiddenError, TooManyError, UnauthorisedError, listed_words

_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)  # RFC 6750, section 2.1
THROTTLED = "Too many wrong access tokens came from this address. Check which token your system sends."


def accepts_token(*scopes: TokenScope) -> Callable[[View[P]], View[P]]:
    """Let a view run only for a request with an access token that works and has one of these scopes.

    A wrong or absent token is answered with 401, a token of another scope with 403, and many wrong tokens
    from one address with 429. A right token is never made to wait: its 256 random bits cannot be guessed.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            token = g.access_token = _read_token()
            if token.scope not in scopes:
                _note_refusal(token)
                raise ForbiddenError(
                    f"The scope of this token is {token.scope}. This address needs {listed_words(scopes)}."
                )
            return view(*args, **kwargs)

        declare_scopes(guarded, frozenset(scopes))
        return guarded

    return guard


def current_token() -> LiveToken:
    """The token with which this request came."""
    return cast(LiveToken, g.access_token)


def log_token_act(action: str, *, subject_id: int | None = None, **detail: Any) -> None:
    """Add an audit event of this request's token to the caller's transaction; see ``log``."""
    log(action, actor_id=None, subject_id=subject_id, token=current_token().name, **detail)


def log_token_read(people: Collection[int], *, subject_id: int | None, **detail: Any) -> None:
    """Add an audit event of data that this request's token read, with whose it was; see ``log_file``."""
    name = current_token().name
    log_file("data.read", people, actor_id=None, subject_id=subject_id, token=name, **detail)


def _read_token() -> LiveToken:
    """The token of this request's ``Authorization`` header.

    Raises:
        UnauthorisedError: There is none, or it does not work.
        TooManyError: It does not work, like too many before it from this address.
    """
    match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    now = clock.now()
    if match is None:
        raise UnauthorisedError("Send an access token: Authorization: Bearer <token>.", "")
    token = queries.find_token(match[1], now)
    if token is None:
        _count_wrong_token()
        raise UnauthorisedError("This access token does not work: it is wrong, expired or revoked.")
    if services.is_use_to_note(token, now):
        address = request.remote_addr or ""
        try_to_write(lambda: services.record_use(token, address, now), "a token was used")
    return token


def _count_wrong_token() -> None:
    """Count a wrong token of this address, for all processes.

    Raises:
        TooManyError: The address sent too many of late; this one is not counted.
    """
    place, now = throttle.network_of(request.remote_addr or ""), clock.now()
    # A key for each address: wrong tokens from one never make another wait.
    secret = current_app.config["PORTAL"].secret_key
    key = account_key(None, f"access token from {place}", secret)
    attempt = SignInAttempt(key, place)
    try:
        failures.refuse_throttled(attempt, now)
    except TooManyError as error:
        raise TooManyError(THROTTLED, error.retry_after_seconds) from error
    try_to_write(lambda: failures.record_failure(attempt, now), "a wrong access token")


def _note_refusal(token: LiveToken) -> None:
    name, endpoint = token.name, request.endpoint or ""
    act = "access.refused"
    try_to_write(lambda: log(act, actor_id=None, endpoint=endpoint, token=name), "a token was refused")
