"""The desk's first page: every module, what is published and what is in work."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.access import requires
from portal.authoring import queries
from portal.authoring.views.blueprint import bp
from portal.permissions import Permission


@bp.get("")
@requires(Permission.AUTHORING_VIEW)
def desk() -> ResponseReturnValue:
    """Every module."""
    return render_template("authoring/desk.html", modules=queries.desk())
