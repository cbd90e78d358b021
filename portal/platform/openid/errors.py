"""What can go wrong between the portal and the force's identity provider."""


class ProviderError(Exception):
    """A sign-in that could not be finished; ``reason`` is a word for the log, and never holds a value."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ProviderUnavailableError(ProviderError):
    """The provider did not answer in time, or not as the standard says: a fault of no one who signs in."""


class TokenRefusedError(ProviderError):
    """The provider's answer or token is not one that the portal may believe."""


class ClockError(TokenRefusedError):
    """A token's times do not fit the portal's clock.

    Attributes:
        seconds: By how much the provider's clock is ahead of the portal's; negative: behind it.
    """

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__("clock")
