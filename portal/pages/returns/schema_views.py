"""The published schema of returns: for whoever writes or reads them, signed in or not."""

from flask import Response
from flask.typing import ResponseReturnValue

from portal.domain.returns.schema import write_schema
from portal.pages.layout.access import public
from portal.pages.returns.blueprint import bp

SECONDS = 3_600


@bp.get("/returns/schema.json")
@public
def show_schema() -> ResponseReturnValue:
    """Show the JSON Schema of returns; it is the same for every force and holds nothing of one."""
    answer = Response(write_schema(), mimetype="application/schema+json")
    answer.cache_control.public = True
    answer.cache_control.max_age = SECONDS
    return answer
