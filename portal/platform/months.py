"""Arithmetic with the months of the calendar. A month is named by its first day. Pure."""

from calendar import monthrange
from datetime import date, timedelta


def add_months(day: date, months: int) -> date:
    """The corresponding day so many months later (earlier, if negative), or the last day of that month.

    Days beyond the calendar become its first or last.

    >>> add_months(date(2024, 2, 29), 12), add_months(date(2026, 1, 31), 1)
    (datetime.date(2025, 2, 28), datetime.date(2026, 2, 28))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def first_of_month(day: date) -> date:
    """The first day of the month that a day is in."""
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    """The last day of the month that a day is in."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def month_end_before(day: date) -> date:
    """The last day of the month before that of ``day``.

    >>> month_end_before(date(2028, 3, 31)).isoformat()
    '2028-02-29'
    """
    return day.replace(day=1) - timedelta(days=1)


def list_months(count: int, as_at: date) -> list[date]:
    """The latest months that had begun on a day, the earliest first."""
    return [add_months(first_of_month(as_at), back) for back in range(1 - count, 1)]


def list_full_months(count: int, as_at: date) -> list[date]:
    """The latest months that had ended by the end of a day, the earliest first."""
    return list_months(count, month_end_before(as_at + timedelta(days=1)))
