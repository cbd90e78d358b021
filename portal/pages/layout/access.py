"""Who may call a route, and how often: declared on each, or the application does not start."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, cast

from flask import Flask, abort, current_app
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user

from config import current_settings
from portal.domain.access_tokens import TokenScope
from portal.domain.accounts.queries import Account
from portal.feature import find_parts
from portal.platform.permissions import Permission

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]

_declared: dict[Callable[..., Any], Permission | None] = {}
_scopes: dict[Callable[..., Any], frozenset[TokenScope]] = {}  # of routes for other systems
_with_recent_sign_in: set[Callable[..., Any]] = set()


class ViewLimiter(Limiter):
    """A limiter whose every limit is declared on a view, so that other pages need no check."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


def name_asker() -> str:
    """The signed-in person; only where nobody is signed in the address, which a whole station may share."""
    return str(current_user.person_id) if current_user.is_authenticated else get_remote_address()


# Counted in each process's memory: these limits keep each process from making too many large files.
# What keeps somebody from guessing is counted in the database instead: sign-ins, staff numbers.
limiter = ViewLimiter(name_asker, storage_uri="memory://", strategy="moving-window")


def requires(permission: Permission, *, recent: bool = False) -> Callable[[View[P]], View[P]]:
    """Let a view run only for a signed-in account that holds ``permission``.

    Args:
        permission: Which.
        recent: Whether what is sent to it is carried out only for who signed in within ten minutes; others
            sign in again first (portal/pages/layout/sessions/step_up.py).
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if not current_user.is_authenticated:
                manager = cast(Any, current_app).login_manager
                return cast(ResponseReturnValue, manager.unauthorized())
            if permission not in current_user.permissions:
                abort(403)
            return view(*args, **kwargs)

        _declared[guarded] = permission
        if recent:
            _with_recent_sign_in.add(guarded)
        return guarded

    return guard


def public(view: View[P]) -> View[P]:
    """Declare that anyone may call ``view``."""
    _declared[view] = None
    return view


def declare_scopes(view: Callable[..., Any], scopes: frozenset[TokenScope]) -> None:
    """Declare that ``view`` is called with an access token of one of these scopes; see ``bearer.py``."""
    _scopes[view] = scopes


def scopes_of(view: Callable[..., Any]) -> frozenset[TokenScope]:
    """The scopes of access tokens that ``view`` accepts; none where people call it."""
    return _scopes.get(view, frozenset())


def permission_of(view: Callable[..., Any]) -> Permission | None:
    """The permission ``view`` declares, None where it is public; KeyError where it declares neither."""
    return _declared[view]


def wants_recent_sign_in(view: Callable[..., Any]) -> bool:
    """Whether what is sent to ``view`` is carried out only for who signed in just now."""
    return view in _with_recent_sign_in


def is_public(view: Callable[..., Any]) -> bool:
    """Whether ``view`` declares that anyone may call it."""
    return view in _declared and _declared[view] is None


def refuse_undeclared_routes(app: Flask) -> None:
    """Stop start-up if any endpoint says neither ``@requires``, ``@public`` nor ``@accepts_token``."""
    missing = sorted(
        name
        for name, view in app.view_functions.items()
        if name != "static" and view not in _declared and view not in _scopes
    )
    if missing:
        raise RuntimeError(f"Routes without declared access: {', '.join(missing)}")


def signed_in_account() -> Account:
    """The signed-in account."""
    return cast(Account, current_user._get_current_object())


def list_parts(place: str) -> list[Callable[..., Any]]:
    """What features that are on show to the signed-in person at a place of a page."""
    permissions = current_user.permissions
    parts = find_parts(current_settings().features_on, place)
    return [show for part, show in parts if not part.permission or part.permission in permissions]
