"""The rule that a module must be passed again: which of its passes count until when. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class MinimumVersionRule:
    """A recorded minimum version of a module, as the table ``minimum_version`` has it."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None
    activity_id: int
    number: int  # of the least version that counts
    announced_on: date
    from_on: date

    def is_met(self, version: int | None, achieved_on: date) -> bool:
        """Whether a record goes on counting.

        Args:
            version: The number of the version that was passed; None for a record of another source, such as
                prior learning, which counts if it was achieved when the rule was announced or later.
            achieved_on: Its day.
        """
        return achieved_on >= self.announced_on if version is None else version >= self.number


def last_counted_day(
    rules: Iterable[MinimumVersionRule], version: int | None, achieved_on: date, day: date
) -> date:
    """The last day on which a record counts by the rules announced on ``day``; ``date.max``: no end."""
    ends = (
        rule.from_on - timedelta(days=1)
        for rule in rules
        if rule.announced_on <= day and not rule.is_met(version, achieved_on)
    )
    return min(ends, default=date.max)
