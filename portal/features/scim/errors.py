"""Errors of provisioning, in the form of RFC 7644, section 3.12: status, keyword and a sentence."""

from collections.abc import Mapping
from typing import Any

from flask import Response, make_response

from portal.platform.errors import (
    BadInputError,
    BusyError,
    ConflictError,
    NotFoundError,
    PortalError,
    RuleError,
    UnwritableError,
)

MEDIA_TYPE = "application/scim+json"
RETRY_SECONDS = {429: 60, 503: 5}  # after which a provider may send again


class TakenError(ConflictError):
    """Another user or group has the identifier already."""


class VersionError(ConflictError):
    """The resource changed since the provider read it; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("It has changed since you read it. Read it again.")


class ScimError(PortalError):
    """A request that the protocol refuses, with its status and the keyword of the standard."""

    def __init__(self, status: int, scim_type: str, detail: str) -> None:
        self.status, self.scim_type = status, scim_type
        super().__init__(detail)


_KINDS: tuple[tuple[type[PortalError], int, str], ...] = (
    (VersionError, 412, ""),
    (TakenError, 409, "uniqueness"),
    (ConflictError, 409, ""),
    (BadInputError, 400, "invalidValue"),
    (RuleError, 400, "invalidValue"),
    (NotFoundError, 404, ""),
    (BusyError, 503, ""),
    (UnwritableError, 503, ""),
)


def status_and_type_of(error: PortalError) -> tuple[int, str] | None:
    """The status and keyword of an error; None where the status is that of any other address."""
    if isinstance(error, ScimError):
        return error.status, error.scim_type
    return next(((status, name) for kind, status, name in _KINDS if isinstance(error, kind)), None)


def answer(status: int, scim_type: str, detail: str, headers: Mapping[str, str]) -> Response:
    """The response that tells an error."""
    document: dict[str, Any] = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": detail,
    }
    response = make_response(document | {"scimType": scim_type} if scim_type else document, status)
    response.headers.update(headers)
    if status in RETRY_SECONDS:
        response.headers.setdefault("Retry-After", str(RETRY_SECONDS[status]))
    response.mimetype = MEDIA_TYPE
    return response
