"""Refusals of disposals, holds and requests about data, in sentences for a page."""

from portal.platform.errors import ConflictError, RuleError


class NothingDueError(RuleError):
    """A disposal of a class of which no row is due."""

    def __init__(self) -> None:
        super().__init__("Nothing of this class is due today, or all of it is held.")


class UnderWayError(ConflictError):
    """A disposal of a class of which another waits or runs."""

    def __init__(self) -> None:
        super().__init__("A disposal of this class waits or runs already. Nothing was changed.")


class LongerPeriodError(ConflictError):
    """A disposal that was asked for under a shorter period than the one that counts now."""

    def __init__(self) -> None:
        super().__init__(
            "The period of this class was made longer since this was asked for. Nothing was removed:"
            " refuse this request and ask again."
        )


class HeldError(RuleError):
    """An erasure of data under a hold."""

    def __init__(self) -> None:
        super().__init__(
            "A legal hold stands, so nothing was erased. Refuse the request and say so, or wait until the"
            " hold is lifted."
        )


class AnsweredError(ConflictError):
    """A second answer to a request about data."""

    def __init__(self) -> None:
        super().__init__("This request was answered already. Nothing was changed.")
