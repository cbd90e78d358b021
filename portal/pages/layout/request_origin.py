"""States where each request comes from, for the audit trail, and gives every answer its request's id."""

from flask import Flask, request
from werkzeug.wrappers import Response

from portal.pages.layout.proxies import TRUSTED_REQUEST_ID
from portal.platform.audit.origin import (
    UNSTATED,
    Channel,
    Origin,
    current_origin,
    new_request_id,
    state_origin,
)

HEADER = "X-Request-ID"


def register_origin(app: Flask) -> None:
    """State the origin of each request before anything else looks at it; call it before other guards."""
    app.before_request(state_request_origin)
    app.after_request(name_request)
    app.teardown_request(lambda _error: state_origin(UNSTATED))


def state_request_origin() -> None:
    """State the address that sent this request, and its id: a trusted proxy's, or a new one."""
    request_id = request.environ.get(TRUSTED_REQUEST_ID) or new_request_id()
    state_origin(Origin(Channel.PAGE, address=request.remote_addr or "", request_id=request_id))


def name_request(response: Response) -> Response:
    """Tell the client the id under which the audit trail and the log know its request."""
    response.headers[HEADER] = current_origin().request_id
    return response
