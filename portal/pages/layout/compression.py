"""Compresses pages and the interface's answers, so that their length tells another site nothing.

Whoever can have a browser send requests with its cookie, and sees how long the answers are, guesses a secret
in them letter by letter (BREACH). So what another site led to is not compressed, form tokens differ in each
answer (``sessions/cookies.py``), and the length of a compressed answer varies at random.
"""

import secrets
import struct
import zlib

from flask import Flask, request
from werkzeug.wrappers import Response

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
