"""Errors at ``/scim/``, in the form of RFC 7644, section 3.12: status, keyword and a sentence."""

from typing import Any

from portal.domain.scim.errors import TakenError, VersionError
from portal.platform.errors import (
    BadInputError,
    BusyError,
    ConflictError,
    NotFoundError,
    PortalError,
    RuleError,
    UnwritableError,
)

SCIM_PATH = "/scim/"
MEDIA_TYPE = "application/scim+json"
RETRY_SECONDS = {429: 60, 503: 5}  # after which a provider may send again
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


class ScimError(PortalError):
    """A request that the protocol refuses, with its status and the keyword of the standard."""

    def __init__(self, status: int, scim_type: str, detail: str) -> None:
        self.status, self.scim_type = status, scim_type
        super().__init__(detail)


def status_and_type_of(error: PortalError) -> tuple[int, str] | None:
    """The status and keyword of an error; None where the status is that of any other address."""
    if isinstance(error, ScimError):
        return error.status, error.scim_type
    return next(((status, name) for kind, status, name in _KINDS if isinstance(error, kind)), None)


def build_document(status: int, scim_type: str, detail: str) -> dict[str, Any]:
    """The body of an error."""
    document: dict[str, Any] = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": detail,
    }
    return document | {"scimType": scim_type} if scim_type else document
