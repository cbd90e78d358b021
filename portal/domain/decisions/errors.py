"""What the rules of requests and decisions refuse, in words fit for a page."""

from datetime import datetime

from portal.platform.errors import ConflictError, RuleError
from portal.platform.wording import instant


class DecidedAlreadyError(ConflictError):
    """Decision on, or withdrawal of, a request that has its answer, perhaps from somebody else just now."""

    def __init__(self, outcome: str, by: str, at: datetime) -> None:
        super().__init__(f"This request was {outcome} by {by} at {instant(at)}. Nothing was changed.")


class WaitingAlreadyError(ConflictError):
    """A request for what somebody has asked for already."""

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__(f"{by} asked for this at {instant(at)}. It waits for a decision.")


class SecondPersonError(RuleError):
    """Decision of what a second person must decide."""

    def __init__(self) -> None:
        super().__init__("You asked for this yourself. A second person must decide it.")


class OwnMatterError(RuleError):
    """Decision about oneself."""

    def __init__(self) -> None:
        super().__init__("This request is about you. Somebody else must decide it.")


class NotYoursError(RuleError):
    """Withdrawal of a request by somebody who did not ask for it."""

    def __init__(self) -> None:
        super().__init__("Only the person who asked can withdraw a request.")


class FaultyError(RuleError):
    """Dates or a subject that no decision may have; the page says so beside the field beforehand."""
