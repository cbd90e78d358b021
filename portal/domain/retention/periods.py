"""When a period of retention is over, in London days. Pure.

A row whose period begins on a day is kept to the end of the corresponding day so many months later; where
that month has no such day, to the end of its last day. It is due from the day after.
"""

from datetime import date, timedelta

from portal.platform.months import add_months
from portal.platform.wording import plural


def kept_until(began_on: date, months: int) -> date:
    """The last day on which a row is kept whose period of so many months began on a day."""
    return add_months(began_on, months)


def is_due(began_on: date, months: int, today: date) -> bool:
    """Whether the period was over before today."""
    return kept_until(began_on, months) < today


def newest_due_day(months: int, today: date) -> date:
    """The newest day on which a period may have begun that was over before today.

    Exactly the rows that began on this day or before are due, so one comparison finds them.

    >>> newest_due_day(12, date(2025, 3, 1))
    datetime.date(2024, 2, 29)
    """
    day = add_months(today - timedelta(days=1), -months)
    while day < date.max and is_due(day + timedelta(days=1), months, today):
        day += timedelta(days=1)
    return day


def period_words(months: int) -> str:
    """A period in words.

    >>> period_words(84), period_words(18), period_words(1)
    ('7 years', '1 year 6 months', '1 month')
    """
    years, rest = divmod(months, 12)
    parts = [plural(years, "year")] * bool(years) + [plural(rest, "month")] * bool(rest)
    return " ".join(parts)
