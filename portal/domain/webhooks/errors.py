"""What a webhook refuses."""

from portal.platform.errors import RuleError


class WebhookError(RuleError):
    """A webhook cannot be set so; ``field`` names what to change."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)
