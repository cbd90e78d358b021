"""What is answered to a request for one file too many: see ``portal/platform/serving/lanes.py``.

A program gets a sentence, a person a page; views that can have the file made by a job offer that instead.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable

from portal.pages.layout.error_pages import SYSTEM_PATHS
from portal.platform.serving.lanes import FILES_ARE_BUSY

SENTENCE = "Other files are being sent. Try again in a minute."
RETRY_SECONDS = 60

V = TypeVar("V", bound=Callable[..., Any])
_offering: set[Callable[..., Any]] = set()


def register_busy_files(app: Flask) -> None:
    """Refuse one file too many before anything is read for it."""
    app.before_request(refuse_file_too_many)


def offers_job(view: V) -> V:
    """Note that this view itself looks at ``is_file_too_many``, and offers a person a job."""
    _offering.add(view)
    return view


def is_file_too_many() -> bool:
    """Whether so many files are being made and sent that this request is not to make another."""
    return FILES_ARE_BUSY in request.environ


def refuse_file_too_many() -> ResponseReturnValue | None:
    """Refuse such a request, unless its view can offer something to the person who sent it."""
    if not is_file_too_many():
        return None
    if request.path.startswith(SYSTEM_PATHS):  # a problem document, as for all of their errors
        raise ServiceUnavailable(SENTENCE, retry_after=RETRY_SECONDS)
    if request.accept_mimetypes.best_match(["text/plain", "text/html"]) != "text/html":
        headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
        return Response(f"{SENTENCE}\n", 503, headers, content_type="text/plain; charset=utf-8")
    if current_app.view_functions.get(request.endpoint or "") not in _offering:
        raise ServiceUnavailable(retry_after=RETRY_SECONDS)
    return None
