"""When mail may go: not at night, and not on a bank holiday. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from portal.platform.clock import LONDON

FARTHEST = 60  # days: no run of days off is longer


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The hours of London in which mail may go: from the first, to just before the last."""

    first: time = time(7)
    last: time = time(20)
    days_off: frozenset[date] = frozenset()

    def allows_sending(self, instant: datetime) -> bool:
        """Whether mail may go at this instant."""
        there = instant.astimezone(LONDON)
        return there.date() not in self.days_off and self.first <= there.time() < self.last

    def next_allowed(self, instant: datetime) -> datetime:
        """This instant, where mail may go then, else the beginning of the next hours in which it may.

        Raises:
            ValueError: Every day of the next weeks is a day off.
        """
        if self.allows_sending(instant):
            return instant
        there = instant.astimezone(LONDON)
        day = there.date() if there.time() < self.first else there.date() + timedelta(days=1)
        for _ in range(FARTHEST):
            if day not in self.days_off:
                return datetime.combine(day, self.first, LONDON).astimezone(UTC)
            day += timedelta(days=1)
        raise ValueError("No day of the next weeks is left to send mail on.")


ANY_TIME = SendWindow(time.min, time.max)


def make_send_window(first: time, last: time, days_off: Collection[date]) -> SendWindow:
    """The hours of these settings."""
    return SendWindow(first, last, frozenset(days_off))
