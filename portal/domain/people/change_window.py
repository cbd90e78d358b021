"""What lies between two positions of reports, a day and an instant of knowledge each, in the order of time.

Whoever reads changes again and again keeps a position and goes on from there. The way to the later position
leads over each stamp and each midnight in turn, so the changes on it do not depend on where it is cut.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from portal.platform import clock


class WindowPoint(NamedTuple):
    """A position on the way, and how it was reached: at a stamp or, without one, at midnight."""

    day: date
    known_on: datetime
    stamp: datetime | None = None

    @property
    def reached_at(self) -> datetime:
        """The instant of the stamp, or of the beginning of the day in London."""
        return self.stamp or clock.end_of_day(self.day - timedelta(days=1)) + timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ChangeWindow:
    """From one position, whose changes were read already, to a later one or the same."""

    since_on: date
    since_at: datetime
    until_on: date
    until_at: datetime

    @property
    def empty(self) -> bool:
        """Whether nothing can have changed."""
        return self.since_on == self.until_on and self.since_at == self.until_at

    @property
    def start(self) -> WindowPoint:
        """The position whose changes were read already."""
        return WindowPoint(self.since_on, self.since_at)

    def order_points(self, days: Collection[date], stamps: Collection[datetime]) -> Iterator[WindowPoint]:
        """The points of the way at which something may change, in the order of time.

        Args:
            days: On which something begins, or the day after it ended.
            stamps: Of facts. One that lies ahead of the clock counts on the last day of the window.
        """
        midnights = [(day, False, self.since_at) for day in days if self.since_on < day <= self.until_on]
        recorded = [
            (min(max(clock.london_day(stamp), self.since_on), self.until_on), True, stamp)
            for stamp in stamps
            if self.since_at < stamp <= self.until_at
        ]
        known_on = self.since_at
        for day, is_stamp, stamp in sorted(midnights + recorded):
            known_on = stamp if is_stamp else known_on
            yield WindowPoint(day, known_on, stamp if is_stamp else None)
