"""Pages of what is published: the library, the glossary, the sources, and media files."""

from io import BytesIO

from flask import Blueprint, render_template, send_file
from flask.typing import ResponseReturnValue

from portal.access import requires
from portal.catalogue import queries
from portal.catalogue.media import TYPES, kind_of
from portal.errors import NotFoundError
from portal.permissions import Permission

bp = Blueprint("catalogue", __name__, template_folder="templates")

# A medium runs nothing, loads nothing and belongs to no origin, even when it is opened on its own.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
YEAR = 365 * 24 * 3600


@bp.get("/modules")
@requires(Permission.LEARN)
def library() -> ResponseReturnValue:
    """Every published module."""
    return render_template("catalogue/library.html", modules=queries.published_modules())


@bp.get("/glossary")
@requires(Permission.LEARN)
def glossary() -> ResponseReturnValue:
    """Every term, in alphabetical order."""
    return render_template("catalogue/glossary.html", terms=queries.terms())


@bp.get("/sources")
@requires(Permission.LEARN)
def sources() -> ResponseReturnValue:
    """Every source that the modules draw on."""
    return render_template("catalogue/sources.html", sources=queries.sources())


@bp.get("/media/<sha256>/<name>")
@requires(Permission.LEARN)
def medium(sha256: str, name: str) -> ResponseReturnValue:
    """A published media file: under its hash, so that a browser may keep it for good."""
    content = queries.medium(sha256, name)
    kind = kind_of(content)
    if kind is None:
        raise NotFoundError("There is no such file.")
    response = send_file(
        BytesIO(content),
        mimetype=TYPES[kind],
        as_attachment=kind == "pdf",  # browsers do not show a PDF inside a sandbox
        download_name=name,
        etag=sha256,
    )
    response.headers["Content-Type"] = TYPES[kind]
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = f"private, max-age={YEAR}, immutable"
    return response
