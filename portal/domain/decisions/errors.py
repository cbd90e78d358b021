"""Refusals of requests and decisions, in sentences for a page."""

from datetime import datetime

from portal.platform.errors import ConflictError, RuleError
from portal.platform.wording import instant


class DecidedAlreadyError(ConflictError):
    """Decision on, or withdrawal of, a request that has been answered, perhaps just now."""

    def __init__(self, outcome: str, by: str, at: datetime) -> None:
        super().__init__(f"This request was {outcome} by {by} at {instant(at)}. Nothing was changed.")


class WaitingAlreadyError(ConflictError):
    """A request that someone has already made."""

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__(f"{by} asked for this at {instant(at)}. It is waiting for a decision.")


class SecondPersonError(RuleError):
    """Decision by the person who asked, where a second person must decide."""

    def __init__(self) -> None:
        super().__init__("You asked for this yourself. A second person must decide it.")


class OwnMatterError(RuleError):
    """Decision about oneself."""

    def __init__(self) -> None:
        super().__init__("This request is about you. Someone else must decide it.")


class NotYoursError(RuleError):
    """Withdrawal of a request by someone who did not make it."""

    def __init__(self) -> None:
        super().__init__("Only the person who asked can withdraw a request.")


class FaultyError(RuleError):
    """A request with faults, which the form would have shown beside its fields."""
