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
from typing import Any, TypeVar, cast

from flask import current_app, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain import access_tokens
from portal.domain.access_tokens import LiveToken, TokenScope
from portal.domain.accounts import sign_in
from portal.domain.accounts.sign_in import SignInAttempt
from portal.domain.accounts.tokens import account_key
from portal.domain.people.services import is_access_logged, log_access
from portal.pages.layout.access import P, View, declare_scopes
from portal.platform import clock
from portal.platform.audit import log, log_file
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import (
    ForbiddenError,
    TooManyError,
    UnauthorisedError,
    listed_words,
)

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
    token = access_tokens.find_token(match[1], now)
    if token is None:
        _count_wrong_token()
        raise UnauthorisedError("This access token does not work: it is wrong, expired or revoked.")
    if access_tokens.is_use_to_note(token, now):
        address = request.remote_addr or ""
        try_to_write(lambda: access_tokens.record_use(token, address, now), "a token was used")
    return token


def _count_wrong_token() -> None:
    """Count a wrong token of this address, for all processes.

    Raises:
        TooManyError: The address sent too many of late; this one is not counted.
    """
    place, now = sign_in.network_of(request.remote_addr or ""), clock.now()
    # A key for each address: wrong tokens from one never make another wait.
    secret = current_app.config["PORTAL"].secret_key
    key = account_key(None, f"access token from {place}", secret)
    attempt = SignInAttempt(key, place)
    try:
        sign_in.refuse_throttled(attempt, now)
    except TooManyError as error:
        raise TooManyError(THROTTLED, error.retry_after_seconds) from error
    try_to_write(lambda: sign_in.record_failure(attempt, now), "a wrong access token")


def _note_refusal(token: LiveToken) -> None:
    name, endpoint = token.name, request.endpoint or ""
    act = "access.refused"
    try_to_write(lambda: log(act, actor_id=None, endpoint=endpoint, token=name), "a token was refused")


# Views of which nothing that the portal keeps may tell who used them, or when.
#
# What a person sends to one of them is stored without a name and a time. So nothing may stand beside it
# that says who was there at that moment. Whoever notes something of requests asks
# ``is_anonymous_request`` first:
#
# - the line and the count of each request (``request_log.py``);
# - the use of a session, a form kept beyond a lapse, a refusal or a fault in the audit trail, and the
#   refusal of a form that is held for its sender (``sessions/request_guard.py``).


Declared = TypeVar("Declared", bound=Callable[..., Any])
_anonymous: set[Callable[..., Any]] = set()


def leaves_no_trace(view: Declared) -> Declared:
    """Declare that nothing is noted of a request to ``view``; put it above ``requires``.

    A fault of the portal is logged all the same, without the person.
    """
    _anonymous.add(view)
    return view


def is_anonymous_view(view: Callable[..., Any] | None) -> bool:
    """Whether nothing may be noted of a request to a view."""
    return view in _anonymous


def is_anonymous_request() -> bool:
    """Whether nothing may be noted of the current request."""
    return is_anonymous_view(current_app.view_functions.get(request.endpoint or ""))


# Records that the signed-in person sees another person's data, before the page is shown.
#
# Every page about one person calls it; ``tests/pages/audit/test_disclosures.py`` visits each of them. It
# costs a page one indexed read and, once a day, one row. Where the row cannot be written, the page is
# refused: the portal shows nobody's data to others without a trace.
#
# Pages and files of many people are not its subject: a file keeps the set of people it holds, by
# ``log_file``.


def log_disclosure(person_id: int, page: str) -> None:
    """Record this look, once a London day for each viewer and person; nothing for one's own page.

    Args:
        person_id: The person whom the page is about.
        page: Which page: person, record, account, decision, attempts, reminder.

    Raises:
        BusyError: Another transaction holds the database.
        UnwritableError: The database takes no change.
    """
    me = current_user.person_id
    if not is_access_logged(me, person_id, clock.now()):
        with transaction():
            log_access(me, person_id, page)
