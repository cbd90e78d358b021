"""What every answer gets on its way out: compression and security headers."""

import secrets
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


# Compresses pages and the interface's answers, so that their length tells another site nothing.
#
# Whoever can have a browser send requests with its cookie, and sees how long the answers are, guesses a
# secret in them letter by letter (BREACH). So what another site led to is not compressed, form tokens
# differ in each answer (``sessions/cookies.py``), and the length of a compressed answer varies at random.

LEAST_BYTES = 1400  # what fits in one packet as it is
LEVEL = 3  # a tenth larger than at 6, in half of its time: a page of 60 KB takes a millisecond or two
MOST_PADDING = 96  # bytes, in the name of the file in gzip's header, which nobody shows
TYPES = frozenset({"text/html", "application/json", "application/scim+json", "image/svg+xml"})
OWN_SITES = (None, "same-origin", "none")  # Sec-Fetch-Site; old browsers and programs send none


def register_compression(app: Flask) -> None:
    """Compress answers of ``app``; call it before any other function is registered that changes them."""
    app.after_request(compress_response)


def compress_response(response: Response) -> Response:
    """Compress a text that is sent as a whole, if its reader accepts that."""
    if response.mimetype not in TYPES or request.method == "HEAD":
        return response
    response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    if not _may_be_compressed(response):
        return response
    response.direct_passthrough = False
    text = response.get_data()
    if len(text) < LEAST_BYTES:
        return response
    response.set_data(_gzip(text))
    response.headers["Content-Encoding"] = "gzip"
    tag, _ = response.get_etag()
    if tag is not None:
        response.set_etag(tag, weak=True)  # the same text, not the same bytes
    return response


def _may_be_compressed(response: Response) -> bool:
    return (
        response.status_code != 206  # its range counts bytes as they are
        and (not response.is_streamed or response.mimetype == "image/svg+xml")
        and "Content-Encoding" not in response.headers
        and request.headers.get("Sec-Fetch-Site") in OWN_SITES
        and request.accept_encodings["gzip"] > 0
    )


def _gzip(text: bytes) -> bytes:
    """The text in gzip's format, with a name of random length in the header."""
    name = secrets.token_hex(MOST_PADDING // 2)[: secrets.randbelow(MOST_PADDING)].encode()
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    content = packer.compress(text) + packer.flush()
    head = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff"  # deflate, with a name, at no time, of no system
    tail = struct.pack("<LL", zlib.crc32(text), len(text) & 0xFFFFFFFF)
    return head + name + b"\x00" + content + tail


# Security headers on every response: pages, files, errors and redirects alike.
#
# They are added by the outermost WSGI layer, because static files and refusals of the server's own never
# pass through Flask. A response that sets one of these headers itself keeps its own value, as a drawing
# does that is served with a policy of its own.

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
