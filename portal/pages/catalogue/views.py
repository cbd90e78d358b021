"""Pages of what is published: the glossary, the sources, and media files; the library is with learning."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.domain.catalogue import queries
from portal.pages.layout.access import requires
from portal.pages.layout.media_response import served
from portal.platform.permissions import Permission

bp = Blueprint("catalogue", __name__, template_folder="templates")


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
    return served(queries.medium(sha256, name), name, sha256)
