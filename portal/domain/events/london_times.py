"""Converts London times of day to instants, also in the two nights on which the clocks change."""

import re
from datetime import UTC, date, datetime, time, timedelta

from portal.platform.clock import LONDON, read_london_time
from portal.platform.errors import RuleError
from portal.platform.wording import date as date_words

_NAMED_ZONE = re.compile(r"gmt|bst|z$", re.IGNORECASE)


class MissingTimeError(RuleError):
    """A time of day that does not exist on a day, because the clocks go forward over it."""


class RepeatedTimeError(RuleError):
    """A time of day that comes twice on a day, without a choice between the two."""


def read_time(text: str) -> time | None:
    """Read a time of day such as "9:30", "09.30" or "2pm"; None: the text is no time.

    >>> read_time("9.30am"), read_time("half past nine")
    (datetime.time(9, 30), None)
    """
    if _NAMED_ZONE.search(text):
        return None
    instant = read_london_time(f"{text} on 1 January 2026")  # in winter London has each time once
    return None if instant is None else instant.time()


def instant_in_london(day: date, at: time, *, second: bool | None = None) -> datetime:
    """The instant of a London time on a day, in UTC.

    Args:
        day: The London day.
        at: The time of day.
        second: Of two equal times, whether the second is meant (after the clocks went back); None: no
            choice, which is refused only where there are two.

    Raises:
        MissingTimeError: The clocks go forward over this time.
        RepeatedTimeError: There are two, and ``second`` is None.
    """
    first, second_instant = (
        datetime.combine(day, at, LONDON).replace(fold=fold).astimezone(UTC) for fold in (0, 1)
    )
    if first.astimezone(LONDON).replace(tzinfo=None) != datetime.combine(day, at):
        raise MissingTimeError(
            f"On {date_words(day)} the clocks go forward from 01:00 to 02:00, so {at:%H:%M} does not exist. "
            "Enter another time."
        )
    if first != second_instant and second is None:
        raise RepeatedTimeError(
            f"On {date_words(day)} the clocks go back, so {at:%H:%M} comes twice. Select which one you mean."
        )
    return second_instant if second else first


def repeat_in_london(
    day: date, at: time, *, weeks: int, count: int, second: bool | None = None
) -> list[datetime]:
    """Repeat a London time every few weeks, at the same time of day even if the clocks change.

    Args:
        day: The first day.
        at: The time of day.
        weeks: From one date to the next.
        count: Number of dates.
        second: As for ``instant_in_london``.

    Raises:
        MissingTimeError: The time does not exist on one of the days.
        RepeatedTimeError: It comes twice on one of the days, and ``second`` is None.
    """
    days = [day + timedelta(weeks=weeks * number) for number in range(count)]
    return [instant_in_london(date_of_event, at, second=second) for date_of_event in days]
