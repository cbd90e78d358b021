"""Errors of the rules of an assessment, with texts fit for a page."""

from collections.abc import Sequence
from datetime import datetime

from portal.platform.clock import LONDON
from portal.platform.errors import ConflictError, RuleError


class UnansweredItemsError(RuleError):
    """Submission of an attempt in which some items have no response."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = tuple(numbers)  # 1-based, as the learner sees them
        listed = ", ".join(map(str, self.numbers))
        super().__init__(f"Answer every question before you submit. Still to answer: {listed}.")


class AlreadySubmittedError(ConflictError):
    """Saving of an answer in an attempt that has been submitted, perhaps in another window."""

    def __init__(self) -> None:
        super().__init__("These answers were already submitted. The answer you just sent was not added.")


class AlreadyPassedError(RuleError):
    """Start of an attempt under a registration that is passed."""

    def __init__(self) -> None:
        super().__init__("You have passed this module. To take it again, choose “Take this module again”.")


class LessonsFirstError(RuleError):
    """Start of an attempt before every lesson is complete, where the module does not allow testing out."""

    def __init__(self) -> None:
        super().__init__("The assessment opens when every lesson is complete.")


class NoAttemptsLeftError(RuleError):
    """Start of an attempt beyond the number that the module allows."""

    def __init__(self) -> None:
        super().__init__(
            "You have used every attempt that this module allows. Your line manager can open one more."
        )


class AttemptsRemainError(RuleError):
    """Opening of an extra attempt for a person who needs none."""

    def __init__(self) -> None:
        super().__init__(
            "No attempt was opened: this person can still take the assessment, or has passed it."
        )


class OwnAttemptError(RuleError):
    """Opening of an extra attempt for oneself."""

    def __init__(self) -> None:
        super().__init__("No attempt was opened: you cannot open one for yourself. Ask your line manager.")


class TooSoonError(RuleError):
    """Start of an attempt before the wait after a fail, or the pause after several, is over."""

    def __init__(self, opens_at: datetime, *, is_pause: bool = False) -> None:
        self.opens_at = opens_at
        local = opens_at.astimezone(LONDON)
        sentence = f"You can try again from {local:%H:%M} on {local.day} {local:%B %Y}."
        super().__init__(
            f"{sentence} Your line manager can open an attempt before." if is_pause else sentence
        )
