"""Security headers on every response: pages, files, errors and redirects alike.

They are added by the outermost WSGI layer, because static files and refusals of the server's own
never pass through Flask. A response that sets one of these headers itself keeps its own value, as a
drawing does that is served with a policy of its own.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# No page has an inline script, style or handler, so nothing inline is allowed.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Pages hold personal data: nothing is kept unless a response says that it may be.
    "Cache-Control": "no-store",
}

STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"


def security_headers(*, https: bool) -> dict[str, str]:
    """What every answer carries, the server's own refusals too."""
    return {**HEADERS, "Strict-Transport-Security": STRICT_TRANSPORT} if https else dict(HEADERS)


class SecurityHeaders:
    """The outermost WSGI layer: adds each header that a response does not carry already."""

    def __init__(self, application: "WSGIApplication", *, https: bool) -> None:
        self.application = application
        self.headers = security_headers(https=https)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on, and its answer back with the headers."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            present = {name.lower() for name, _ in headers}
            added = [pair for pair in self.headers.items() if pair[0].lower() not in present]
            return start_response(status, headers + added, *error)

        return self.application(environ, start)


def wrap_headers(app: Flask, *, https: bool) -> None:
    """Make the headers the outermost layer of ``app``; call it last, after every other wrapper."""
    app.wsgi_app = SecurityHeaders(app.wsgi_app, https=https)  # type: ignore[method-assign]
