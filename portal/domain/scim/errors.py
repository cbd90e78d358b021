"""Errors of provisioning."""

from portal.platform.errors import ConflictError


class TakenError(ConflictError):
    """Another user or group has the identifier already."""


class VersionError(ConflictError):
    """The resource changed since the provider read it; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("It has changed since you read it. Read it again.")
