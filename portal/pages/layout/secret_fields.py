"""Fields that hold a secret, and the views that take one: what they are sent is never kept or shown again.

A form with a ``SecretField`` can only be made in a view that declares ``@takes_secret``: where the
declaration is forgotten, the page cannot even be opened.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import current_app, has_request_context, request
from wtforms import PasswordField

Declared = TypeVar("Declared", bound=Callable[..., Any])

_views: set[Callable[..., Any]] = set()
# What a field of a secret is called, should it be no SecretField; the form's own token is none.
_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|(^|[_-])(code|otp|pin)s?($|[_-])", re.IGNORECASE)


def takes_secret(view: Declared) -> Declared:
    """Declare that ``view`` is sent passwords or codes. Write it above ``@requires`` or ``@public``."""
    _views.add(view)
    return view


def view_takes_secret(view: Callable[..., Any]) -> bool:
    """Whether ``view`` declares it."""
    return view in _views


def any_is_secret(names: Iterable[str]) -> bool:
    """Whether one of these fields is a secret by its name.

    >>> any_is_secret(["force-csrf_token", "note", "postcode"]), any_is_secret(["recovery_code"])
    (False, True)
    """
    return any(not is_form_token(name) and _SECRET_NAME.search(name) for name in names)


def is_form_token(name: str) -> bool:
    """Whether a field of this name has the form's own token, with or without the form's prefix."""
    return name == "csrf_token" or name.endswith("-csrf_token")


class SecretField(PasswordField):  # type: ignore[misc]
    """A password or a code.

    Raises:
        RuntimeError: It is made in a view that does not declare ``@takes_secret``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_request_context() and not view_takes_secret(
            current_app.view_functions[request.endpoint or ""]
        ):
            raise RuntimeError(f"The view {request.endpoint} takes a secret: declare @takes_secret.")
