"""Months tried on any day: the corresponding day of another, first and last days, and lists of months."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.platform.months import (
    add_months,
    first_of_month,
    last_of_month,
    list_full_months,
    list_months,
    month_end_before,
)

DAYS = st.dates(date(1900, 1, 1), date(2400, 12, 31))
ONE_DAY = timedelta(days=1)


@given(DAYS, st.integers(-1_200, 1_200))
def test_the_corresponding_day_has_the_same_number_unless_the_month_lacks_it(day, months):
    other = add_months(day, months)

    assert (other.year - day.year) * 12 + other.month - day.month == months
    assert other.day == day.day or (other.day < day.day and (other + ONE_DAY).day == 1)


def test_beyond_the_calendar_is_its_first_or_last_day():
    assert add_months(date(1, 1, 1), -1) == date.min
    assert add_months(date(9999, 12, 31), 1) == date.max
    assert last_of_month(date(9999, 12, 1)) == date.max


@given(DAYS)
def test_a_month_begins_after_the_end_of_the_one_before_and_ends_before_the_next(day):
    first = first_of_month(day)

    assert month_end_before(day) + ONE_DAY == first <= day <= last_of_month(day)
    assert last_of_month(day) + ONE_DAY == add_months(first, 1)


@given(DAYS, st.integers(1, 40))
def test_full_months_are_those_that_ended_by_the_day(day, count):
    months = list_full_months(count, day)

    assert len(months) == count
    assert months == [add_months(months[0], place) for place in range(count)]
    assert add_months(months[-1], 1) <= day + ONE_DAY < add_months(months[-1], 2)
    assert list_months(1, day)[0] in (months[-1], add_months(months[-1], 1))


@pytest.mark.parametrize(
    ("day", "months", "ends"),
    [
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2025, 11, 30), 1, date(2025, 12, 30)),
        (date(2025, 12, 31), 2, date(2026, 2, 28)),
        (date(9999, 6, 1), 12, date.max),
    ],
)
def test_months_keep_the_day_or_take_the_last(day, months, ends):
    assert add_months(day, months) == ends
