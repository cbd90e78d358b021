"""The rules of a saved report about time: its day, what was known, and when it is mailed. Pure.

Every day is a London day. Nothing here asks the clock.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from portal.platform.months import add_months, month_end_before

SATURDAY = 5
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class DayRule(StrEnum):
    """The day whose position a saved report shows."""

    TODAY = "today"
    MONTH_END = "month-end"  # the last day of the month before
    FIXED = "fixed"


class KnownRule(StrEnum):
    """What the position knows."""

    NOW = "now"  # all that is known when it is opened
    THEN = "then"  # what was known at the end of its day


class Span(StrEnum):
    """How far a saved report of changes looks back from its day."""

    WEEK = "week"
    MONTH = "month"  # to the last day of the month before
    FIXED = "fixed"  # to the position that was chosen when it was saved

    def start_before(self, day: date) -> date:
        """The day from which changes up to ``day`` are shown, where it is not fixed."""
        return day - timedelta(days=7) if self is Span.WEEK else month_end_before(day)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The as-of rule of a saved report."""

    day_rule: DayRule = DayRule.TODAY
    known_rule: KnownRule = KnownRule.NOW
    fixed_on: date | None = None

    def day_for(self, opened_on: date) -> date:
        """The day whose position the report shows when it is opened on, or mailed for, ``opened_on``."""
        if self.day_rule is DayRule.FIXED and self.fixed_on is not None:
            return self.fixed_on
        return month_end_before(opened_on) if self.day_rule is DayRule.MONTH_END else opened_on

    def address_for(self, opened_on: date, today: date) -> dict[str, str]:
        """The position as arguments of a report's address; empty for today as known now."""
        day = self.day_for(opened_on)
        if day == today:
            return {}
        known = {"as_known_on": day.isoformat()} if self.known_rule is KnownRule.THEN else {}
        return {"as_at": day.isoformat(), **known}


class Every(StrEnum):
    """How often a report is mailed."""

    WEEK = "week"
    MONTH = "month"  # on the first working day


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The days on which a report is mailed."""

    every: Every
    weekday: int = 0  # of a weekly one: 0 is Monday

    def next_after(self, day: date, holidays: Collection[date]) -> date:
        """The first of its days after ``day``."""
        if self.every is Every.WEEK:
            return day + timedelta(days=(self.weekday - day.weekday() - 1) % 7 + 1)
        first = first_working_day(day, holidays)
        return first if first > day else first_working_day(add_months(day, 1), holidays)

    def latest_between(self, after: date, until: date, holidays: Collection[date]) -> date | None:
        """The last of its days after ``after`` and up to ``until``; None if there is none."""
        if self.every is Every.WEEK:
            latest = until - timedelta(days=(until.weekday() - self.weekday) % 7)
        else:
            latest = first_working_day(until, holidays)
            if latest > until:
                latest = first_working_day(month_end_before(until), holidays)
        return latest if after < latest else None


def first_working_day(day: date, holidays: Collection[date]) -> date:
    """The first day of the month of ``day`` that is neither a weekend nor a holiday.

    >>> first_working_day(date(2027, 1, 31), {date(2027, 1, 1)}).isoformat()
    '2027-01-04'
    """
    first = day.replace(day=1)
    while first.weekday() >= SATURDAY or first in holidays:
        first += timedelta(days=1)
    return first
