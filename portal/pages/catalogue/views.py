"""Pages of the published modules, the glossary and the sources; and media files."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.domain.catalogue import version_cache
from portal.domain.learning import queries as learning_queries
from portal.pages.layout.access import requires
from portal.pages.layout.pdf_files import serve_medium
from portal.platform import clock
from portal.platform.permissions import Permission

bp = Blueprint("catalogue", __name__, template_folder="templates")


@bp.get("/modules", endpoint="library")
@requires(Permission.LEARN)
def list_modules() -> ResponseReturnValue:
    """List every published module, in the order in which directives require them."""
    return render_template("catalogue/library.html", modules=learning_queries.modules_in_order(clock.today()))


@bp.get("/glossary")
@requires(Permission.LEARN)
def show_glossary() -> ResponseReturnValue:
    """Show the glossary in alphabetical order."""
    return render_template("catalogue/glossary.html", terms=version_cache.glossary_terms())


@bp.get("/sources")
@requires(Permission.LEARN)
def show_sources() -> ResponseReturnValue:
    """Show every source on which the modules are based."""
    return render_template("catalogue/sources.html", sources=version_cache.list_sources())


@bp.get("/media/<sha256>/<name>")
@requires(Permission.LEARN)
def send_media(sha256: str, name: str) -> ResponseReturnValue:
    """Send a published media file; its address includes its hash, so browsers may keep it for ever."""
    return serve_medium(version_cache.media_content(sha256, name), name, sha256)
