"""Views of which nothing that the portal keeps may tell who used them, or when.

What a person sends to one of them is stored without a name and a time. So nothing may stand beside it that
says who was there at that moment. Whoever notes something of requests asks ``is_anonymous_request`` first:

- the line and the count of each request (``request_log.py``);
- the use of a session, a form kept beyond a lapse, a refusal or a fault in the audit trail
  (``sessions/request_guard.py``);
- the refusal of a form that is held for its sender (``sessions/refused_forms.py``).
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

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
