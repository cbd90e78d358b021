"""Serving a medium, published or in a draft: whatever it holds, it does nothing on the portal's origin."""

from io import BytesIO

from flask import Response, send_file

from portal.domain.catalogue.media.media_types import CONTENT_TYPES, media_kind
from portal.platform.errors import NotFoundError

# A medium runs nothing, loads nothing and belongs to no origin, even when it is opened on its own.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
YEAR = 365 * 24 * 3600


def serve_medium(content: bytes, name: str, sha256: str) -> Response:
    """The response that shows a medium; its type is that of its content.

    Args:
        content: The bytes.
        name: What a download is called.
        sha256: Their hash, under which the address names them, so that a browser may keep them for good.

    Raises:
        NotFoundError: It is of no type that may be shown.
    """
    kind = media_kind(content)
    if kind is None:
        raise NotFoundError("There is no such file.")
    response = send_file(
        BytesIO(content),
        mimetype=CONTENT_TYPES[kind],
        as_attachment=kind == "pdf",  # browsers do not show a PDF inside a sandbox
        download_name=name,
        etag=sha256,
    )
    response.headers["Content-Type"] = CONTENT_TYPES[kind]
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = f"private, max-age={YEAR}, immutable"
    return response
