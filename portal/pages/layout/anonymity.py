"""Views of which nothing that the portal keeps may tell who used them, or when.

What a person sends to one of them is stored without a name and a time. So no line of the request log, no
count, no use of a session, no kept form, no held refusal and no audit entry of a fault stands beside it:
each of them would say who was there at that moment.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

Declared = TypeVar("Declared", bound=Callable[..., Any])
_anonymous: set[Callable[..., Any]] = set()


def leaves_no_trace(view: Declared) -> Declared:
    """Declare that nothing is noted of a request to ``view``; put it above ``requires``."""
    _anonymous.add(view)
    return view


def is_anonymous_request() -> bool:
    """Whether nothing may be noted of the current request."""
    return current_app.view_functions.get(request.endpoint or "") in _anonymous
