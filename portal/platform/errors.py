"""Errors whose text is fit for a page and a terminal; the edge gives each kind its status code."""


class PortalError(Exception):
    """Something that the person can be told in a sentence."""


class NotFoundError(PortalError):
    """There is no such thing, or the person may not know that there is."""


class ForbiddenError(PortalError):
    """The person is known and may not do this."""


class ConflictError(PortalError):
    """The data has moved on since the person looked."""


class RuleError(PortalError):
    """A rule of the domain refuses the act; nothing was changed."""


class BusyError(PortalError):
    """Another transaction held the database for longer than one waits; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "The portal is busy: another change holds the database. Nothing was changed. "
            "Try again in a few minutes."
        )


class UnwritableError(PortalError):
    """The disk is full or the database takes no change; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "The portal cannot save anything at the moment, so this was not done. Try again in a few minutes."
        )


class TooManyError(PortalError):
    """Asked too often; ``retry_after_seconds`` says when to come back."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class BadInputError(PortalError):
    """A file or a command's input is refused; ``reasons`` has a sentence for each fault."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("\n".join(reasons))
