"""When many refusals are an alert: pure rules of instants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class AlertRule:
    """So many events within a window are an alert, and then none for a while."""

    count: int
    window: timedelta
    quiet: timedelta  # after an alert

    def is_alert(self, recent: Sequence[datetime], last_alert: datetime | None, at: datetime) -> bool:
        """Whether what happened ``at`` this instant completes an alert.

        Args:
            recent: The events counted, the one of this instant included.
            last_alert: When the last alert of the same kind and person was raised.
            at: This instant.
        """
        if (
            last_alert is not None and -self.window < at - last_alert < self.quiet
        ):  # one may just have overtaken
            return False
        return sum(at - self.window < moment <= at for moment in recent) >= self.count


REFUSALS = AlertRule(10, timedelta(minutes=10), timedelta(hours=1))  # of one account
FAILED_SIGN_INS = AlertRule(50, timedelta(minutes=10), timedelta(hours=1))  # in the whole force
