"""Refuses a request whose length can be read in two ways, before anything reads its body."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ANSWER = b"The request gives its length twice. Send it again with one Content-Length."


class OneLength:
    """A WSGI layer: Content-Length beside Transfer-Encoding is how one request is smuggled in another."""

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on, or answer 400."""
        if environ.get("HTTP_TRANSFER_ENCODING") and environ.get("CONTENT_LENGTH"):
            start_response(
                "400 Bad Request",
                [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(ANSWER)))],
            )
            return [ANSWER]
        return self.application(environ, start_response)


def wrap_lengths(app: Flask) -> None:
    """Put the layer in front of ``app``."""
    app.wsgi_app = OneLength(app.wsgi_app)  # type: ignore[method-assign]
