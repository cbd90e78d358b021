"""The hours in which reminders may be sent: not at night, and not on a bank holiday. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from portal.platform.clock import LONDON

MOST_DAYS_OFF = 60  # in a row


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The hours, in London, in which mail may be sent: from ``first`` to just before ``last``."""

    first: time = time(7)
    last: time = time(20)
    days_off: frozenset[date] = frozenset()

    def allows_sending(self, instant: datetime) -> bool:
        """Whether mail may be sent at this instant."""
        local = instant.astimezone(LONDON)
        return local.date() not in self.days_off and self.first <= local.time() < self.last

    def next_allowed(self, instant: datetime) -> datetime:
        """The first instant from this one on at which mail may be sent.

        Raises:
            ValueError: Every day of the next weeks is a day off.
        """
        if self.allows_sending(instant):
            return instant
        local = instant.astimezone(LONDON)
        day = local.date() if local.time() < self.first else local.date() + timedelta(days=1)
        for _ in range(MOST_DAYS_OFF):
            if day not in self.days_off:
                return datetime.combine(day, self.first, LONDON).astimezone(UTC)
            day += timedelta(days=1)
        raise ValueError("No day of the next weeks is left to send mail on.")


ANY_TIME = SendWindow(time.min, time.max)


def make_send_window(first: time, last: time, days_off: Collection[date]) -> SendWindow:
    """The send window of these settings."""
    return SendWindow(first, last, frozenset(days_off))
