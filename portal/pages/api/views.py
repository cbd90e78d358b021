"""The API's routes, its description for systems at ``/api/openapi.json``, and for people at ``/api``."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from portal.pages.api import endpoints
from portal.pages.api.operations import ROOT, Operation, Parameter, add_operation
from portal.pages.api.rate_limits import PER_MINUTE, add_rate_headers
from portal.pages.layout.access import public

# The description of the API in OpenAPI 3.1, made from the declarations of its operations.

PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string", "description": "Always about:blank."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "description": "The status."},
        "detail": {"type": "string", "description": "What went wrong, and what to do."},
        "reference": {"type": "string", "description": "By which support finds it in the log."},
        "errors": {
            "type": "array",
            "description": "Each fault of a request with several.",
            "items": {
                "type": "object",
                "properties": {
                    "detail": {"type": "string", "description": "What is wrong."},
                    "line": {"type": "integer", "description": "The line of the file it is in."},
                },
                "required": ["detail"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["type", "title", "status", "detail", "reference"],
    "additionalProperties": False,
}
PROBLEMS = {
    400: "The request is malformed, or rows of its file are bad; nothing was changed.",
    401: "There is no access token that works.",
    403: "The token may not do this.",
    404: "There is none, or the token may not see it.",
    409: "Others changed the data meanwhile; nothing was changed. Try again.",
    413: "The file is larger than 50 MB.",
    415: "The body is neither CSV nor XLSX.",
    429: "Too many requests, or too many wrong tokens from this address.",
    500: "A fault of the portal.",
    503: "The portal cannot write now, or too many files are being made; nothing was changed. Try again.",
}
USUAL_PROBLEMS, BODY_PROBLEMS = (400, 401, 403, 404, 429, 500, 503), (409, 413, 415)
RATE_HEADERS = {
    "RateLimit-Policy": "How many requests a token may make in how many seconds.",
    "RateLimit": "How many are left, and in how many seconds there are more.",
}


def describe_api(operations: Sequence[Operation], *, force: str, address: str) -> dict[str, Any]:
    """The OpenAPI document.

    Args:
        operations: All of them.
        force: The name of the force.
        address: Of the portal.
    """
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {"Problem": PROBLEM}
    for operation in operations:
        paths.setdefault(ROOT + operation.shown_path, {})[operation.method.lower()] = _describe(operation)
        schemas.update({} if operation.file_type else operation.answer_shape.schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Learning portal of {force}",
            "version": "1",
            "description": "People, directives, status, completions and records for other systems.",
        },
        "servers": [{"url": address}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token, which an administrator makes at /tokens.",
                }
            },
            "schemas": schemas,
        },
    }


def _describe(operation: Operation) -> dict[str, Any]:
    scopes = " or ".join(operation.scopes)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Scope of the token: {scopes}.",
        "parameters": [_describe_parameter(parameter) for parameter in operation.all_parameters],
        "responses": _describe_answers(operation),
    }
    if operation.media_types:
        content = {media_type: {"schema": {"type": "string"}} for media_type in operation.media_types}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _describe_parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.meaning,
        "required": parameter.place == "path",
        "schema": parameter.schema,
    }


def _describe_answers(operation: Operation) -> dict[str, Any]:
    headers = {name: _header(meaning) for name, meaning in RATE_HEADERS.items()}
    if operation.method == "GET":
        headers["ETag"] = _header("Of this answer, for If-None-Match.")
    content: dict[str, Any] = {"application/json": {"schema": operation.answer_shape.reference}}
    if operation.file_type:
        content = {operation.file_type: {"schema": {"type": "string"}}}
    answers: dict[str, Any] = {
        str(status): {"description": HTTPStatus(status).phrase, "headers": headers, "content": content}
        for status in operation.statuses
    }
    if operation.method == "GET":
        answers["304"] = {"description": "It is what If-None-Match names."}
    for status in (*USUAL_PROBLEMS, *(BODY_PROBLEMS if operation.media_types else ())):
        answers[str(status)] = {
            "description": PROBLEMS[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return answers


def _header(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "schema": {"type": "string"}}


OPERATIONS = (*endpoints.READ_OPERATIONS, *endpoints.FILE_OPERATIONS, *endpoints.WRITE_OPERATIONS)

bp = Blueprint("api", __name__, template_folder="templates")
bp.url_value_preprocessor(endpoints.allow_large_file)
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
