"""Kind of error to status and page.

Each page says what happened, that nothing was lost, what to do, and a reference that support finds in
the log. None shows a stack or blames the person.
"""

import errno
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from flask import Flask, Response, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.http import HTTP_STATUS_CODES

from portal.feature import Feature
from portal.pages.layout.request_log import note_in_line
from portal.pages.layout.sessions.request_guard import OtherPersonError
from portal.platform.errors import (
    BadInputError,
    BusyError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PortalError,
    RuleError,
    TooManyError,
    UnauthorisedError,
    UnwritableError,
)
from portal.platform.isolation.messages import MEBIBYTE
from portal.platform.observability.logs import get_logger
from portal.platform.wording import minutes_words, plural, size_words

STATUS_OF = {
    BadInputError: 400,
    UnauthorisedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    RuleError: 409,
    TooManyError: 429,
    BusyError: 503,
    UnwritableError: 503,
}
# Other systems call these: their errors are problem documents (RFC 9457), not pages.
SYSTEM_PATH = "/api/"
PAGES = frozenset({400, 403, 404, 405, 409, 413, 429, 500, 503})
SENTENCES = {  # of a problem document where nothing else is said
    400: "The request is malformed.",
    404: "There is nothing at this address that this token may see.",
    405: "This address does not know this method.",
    413: "The request is too large.",
    415: "This address does not know this media type.",
    429: "Too many requests. Wait as long as the header Retry-After says.",
    500: "The portal could not answer. Tell support the reference.",
    503: "The portal cannot answer now. Try again in a few minutes.",
}
UPGRADE_SECONDS = 60  # after which a program may try again
_log = get_logger("portal.pages")
_LINE = re.compile(r"Line (\d+): ")
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# Shown when the frame of the page cannot be drawn either, for example without a database.
_LAST_RESORT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sorry, there is a problem – Learning portal</title></head>
<body><main><h1>Sorry, there is a problem</h1>
<p>The portal could not answer. What you had saved before is kept. Try again in a few minutes.</p>
<p>Reference for support: <strong>{reference}</strong></p></main></body></html>
"""


class UpgradingError(PortalError):
    """The database is of another release than this server: pages are refused until both are of one."""

    def __init__(self) -> None:
        super().__init__("The portal is being upgraded. Nothing was changed. Try again in a few minutes.")


@dataclass(frozen=True)
class Failure:
    """What a page needs in order to tell of an error."""

    status: int
    template: str
    said: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    words: dict[str, Any] = field(default_factory=dict)


def _answer(failure: Failure) -> ResponseReturnValue:
    """The page of a failure; the line of the request in the log has the reference that the page shows."""
    raw = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    reference = f"{raw[:4]}-{raw[4:]}"
    note_in_line(reference=reference)
    if is_for_systems():
        return _problem_document(failure, reference)
    try:
        body = render_template(failure.template, reference=reference, said=failure.said, **failure.words)
    except Exception:
        if failure.status < 500:
            raise
        _log.exception("error_page.not_drawn", reference=reference)
        body = _LAST_RESORT.format(reference=reference)
    response = make_response(body, failure.status)
    response.headers.update(failure.headers)
    return response


def _problem_document(failure: Failure, reference: str) -> ResponseReturnValue:
    """A failure for another system to read: its status, what to do, and the reference for support."""
    said = failure.said or (SENTENCES.get(failure.status, "The portal could not answer."),)
    if form := _find_form():
        detail = f"{' '.join(said)} Reference for support: {reference}."
        return form.answer(failure.status, failure.words.get("keyword", ""), detail, failure.headers)
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTP_STATUS_CODES.get(failure.status, "Error"),
        "status": failure.status,
        "detail": " ".join(said),
        "reference": reference,
    }
    if len(said) > 1 or _LINE.match(said[0]):
        problem["errors"] = [_fault_of(sentence) for sentence in said]
    response = make_response(problem, failure.status)
    response.headers.update(failure.headers)
    response.mimetype = "application/problem+json"
    return response


class _ErrorForm(NamedTuple):
    """The functions of a feature's ``ErrorForm``."""

    classify: Callable[[PortalError], tuple[int, str] | None]
    answer: Callable[[int, str, str, Mapping[str, str]], Response]


_FORMS = "portal.error_forms"


def tell_in_forms_of(app: Flask, features: Iterable[Feature]) -> None:
    """Tell errors at the addresses of these features in the forms that they have for them."""
    app.extensions[_FORMS] = [(each, feature) for feature in features for each in feature.error_forms]


def _find_form() -> _ErrorForm | None:
    """The form in which errors at this address are told, if a feature has one."""
    for form, feature in current_app.extensions.get(_FORMS, ()):
        if request.path.startswith(form.path):
            return _ErrorForm(feature.load(form.classify), feature.load(form.answer))
    return None


def is_for_systems() -> bool:
    """Whether this address is one that other systems call."""
    return request.path.startswith(SYSTEM_PATH) or _find_form() is not None


def _fault_of(sentence: str) -> dict[str, Any]:
    """A fault of a request, with the line of its file if it names one."""
    match = _LINE.match(sentence)
    return {"line": int(match[1]), "detail": sentence[match.end() :]} if match else {"detail": sentence}


def wait_words(seconds: int) -> str:
    """How long to wait, never shorter than is true.

    >>> wait_words(45), wait_words(61)
    ('45 seconds', '2 minutes')
    """
    return plural(seconds, "second") if seconds <= 60 else minutes_words(-(-seconds // 60))


def _too_many(seconds: int | None, said: tuple[str, ...] = ()) -> Failure:
    headers = {"Retry-After": str(seconds)} if seconds else {}
    wait = wait_words(seconds) if seconds else "a few minutes"
    return Failure(429, "errors/429.html", said, headers, {"wait": wait})


def _limit_words() -> str:
    """How much the page takes, in whole megabytes from one on: a form has a little more than its file."""
    most = request.max_content_length or 0
    return size_words(most if most < MEBIBYTE else most - most % MEBIBYTE)


def _challenge(error: UnauthorisedError) -> dict[str, str]:
    code = f', error="{error.code}"' if error.code else ""
    return {"WWW-Authenticate": f'Bearer realm="portal"{code}'}


def portal_error(error: PortalError) -> ResponseReturnValue:
    """The page of an error of the domain, in the words that the error was given."""
    status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 409)
    if isinstance(error, TooManyError):
        return _answer(_too_many(error.retry_after_seconds, (str(error),)))
    if isinstance(error, UpgradingError):
        said_to_systems = (str(error),) if is_for_systems() else ()
        return _answer(
            Failure(503, "errors/upgrading.html", said_to_systems, {"Retry-After": str(UPGRADE_SECONDS)})
        )
    if isinstance(error, UnauthorisedError):
        return _answer(Failure(401, "errors/403.html", (str(error),), _challenge(error)))
    said = tuple(error.reasons) if isinstance(error, BadInputError) else (str(error),)
    form = _find_form()
    if form and (found := form.classify(error)):
        return _answer(Failure(found[0], "", said, {}, {"keyword": found[1]}))
    # Whether a thing exists is not told to those who may not see it, so a 404 has always the same words.
    page = status if status in PAGES else 409
    return _answer(Failure(status, f"errors/{page}.html", () if status == 404 else said))


def http_error(error: HTTPException) -> ResponseReturnValue:
    """The page of a refusal by the framework; what is not an error passes unchanged."""
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    if error.code == 429:
        after = headers.get("Retry-After", "")
        return _answer(_too_many(int(after) if after.isdigit() else None))
    if error.code == 413:
        return _answer(Failure(413, "errors/413.html", words={"limit": _limit_words()}))
    page = error.code if error.code in PAGES else 500 if error.code > 500 else 400
    return _answer(Failure(error.code, f"errors/{page}.html", (), headers))


def server_error(error: InternalServerError) -> ResponseReturnValue:
    """The one plain page for a fault of the portal; ``log_fault`` has logged where it happened."""
    return _answer(Failure(500, "errors/500.html"))


def disk_error(error: OSError) -> ResponseReturnValue:
    """The page for a disk on which nothing can be written; any other fault of the system is a fault."""
    if error.errno not in DISK_FULL:
        raise error
    _log.error("disk.unwritable", code=os.strerror(error.errno or 0))
    return portal_error(UnwritableError())


def csrf_error(error: CSRFError) -> ResponseReturnValue:
    """The page for a form that was open too long or was not the portal's own."""
    _log.warning("form_token.refused", reason=error.description)
    is_of_other = isinstance(error, OtherPersonError)
    return _answer(Failure(400, f"errors/{'form_of_other' if is_of_other else 'form_too_old'}.html"))


def log_fault(_fault: object) -> None:
    """Log a fault of the portal, in place of the framework, which would log the path as well."""
    _log.exception("request.failed", endpoint=request.endpoint)


def register(app: Flask) -> None:
    """Give every error of ``app`` its page."""
    app.log_exception = log_fault  # type: ignore[method-assign,assignment]
    app.register_error_handler(PortalError, portal_error)
    app.register_error_handler(OSError, disk_error)
    app.register_error_handler(CSRFError, csrf_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(InternalServerError, server_error)
