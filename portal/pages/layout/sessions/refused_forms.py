"""Answers to refused forms are held for an hour and shown by an address of their own.

A browser that goes back to the answer to a form asks to send the form again, and what was typed is gone. So
such an answer is held, encrypted, and the browser is led to it: going back, it finds the form as it was. An
answer to a form with a secret is never held, nor one to a form that leaves no trace.
"""

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from zlib import compress, decompress

from flask import Flask, g, make_response, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.domain.accounts.sign_in import held_forms
from portal.domain.accounts.sign_in.tokens import new_token
from portal.pages.layout.anonymity import is_anonymous_request
from portal.pages.layout.sessions import cookies, request_guard
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BusyError, UnwritableError

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
    address = request_guard.requested_address()
    forms = held_forms.list_waiting_forms([_key_of(match[1].decode())], current_user.person_id, clock.now())
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
    name, address = new_token(), request_guard.requested_address()
    try:
        with transaction():
            held_forms.hold_form(
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
        and not request_guard.has_secret()  # last: it reads the form, which may have been too large to read
    )


def _key_of(name: str) -> str:
    """The key of a held refusal: its name in the address opens it in the same session only."""
    session = request.cookies.get(cookies.cookie_name(cookies.current_settings()), "")
    return sha256(f"{session} {name}".encode()).hexdigest()
