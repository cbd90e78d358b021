"""The API's routes, its description for systems at ``/api/openapi.json``, and for people at ``/api``."""

from flask import Blueprint, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from portal.pages.api import file_operations, read_operations, write_operations
from portal.pages.api.openapi import PROBLEMS, RATE_HEADERS, describe_api
from portal.pages.api.operations import ROOT, add_operation
from portal.pages.api.rate_limits import PER_MINUTE, add_rate_headers
from portal.pages.layout.access import public

OPERATIONS = (*read_operations.OPERATIONS, *file_operations.OPERATIONS, *write_operations.OPERATIONS)

bp = Blueprint("api", __name__, template_folder="templates")
bp.url_value_preprocessor(write_operations.allow_large_file)
bp.after_request(add_rate_headers)
for operation in OPERATIONS:
    add_operation(bp, operation)


@bp.get("/api/openapi.json")
@public
def describe() -> ResponseReturnValue:
    """The description of the API in OpenAPI 3.1."""
    config = current_app.config["PORTAL"]
    return jsonify(describe_api(OPERATIONS, force=config.force_name, address=config.address))


@bp.get("/api")
@public
def show_api() -> ResponseReturnValue:
    """The same description as a page."""
    return render_template(
        "api/index.html",
        operations=OPERATIONS,
        root=ROOT,
        address=current_app.config["PORTAL"].address,
        problems=PROBLEMS,
        rate_headers=RATE_HEADERS,
        per_minute=PER_MINUTE,
    )
