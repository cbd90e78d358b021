"""The published schemas of returns and comparisons: for whoever writes or reads them, signed in or not."""

import json

from flask import Response
from flask.typing import ResponseReturnValue

from portal.domain.returns.comparison import COMPARISON_SCHEMA
from portal.domain.returns.schema import RETURN_SCHEMA, Schema
from portal.pages.layout.access import public
from portal.pages.returns.blueprint import bp

SECONDS = 3_600


@bp.get("/returns/schema.json")
@public
def show_schema() -> ResponseReturnValue:
    """Show the JSON Schema of returns; it is the same for every force and holds nothing of one."""
    return _answer_schema(RETURN_SCHEMA)


@bp.get("/returns/comparison-schema.json")
@public
def show_comparison_schema() -> ResponseReturnValue:
    """Show the JSON Schema of the coordinating unit's comparisons."""
    return _answer_schema(COMPARISON_SCHEMA)


def _answer_schema(schema: Schema) -> Response:
    text = json.dumps(schema, indent=1, ensure_ascii=False)
    answer = Response(f"{text}\n", mimetype="application/schema+json")
    answer.cache_control.public = True
    answer.cache_control.max_age = SECONDS
    return answer
