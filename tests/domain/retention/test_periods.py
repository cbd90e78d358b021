"""When a period is over, tried on any day and any length: months, leap days and years without one."""

from calendar import isleap
from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from portal.domain.retention.classes import is_due, kept_until, newest_due_day, period_words
from portal.domain.retention.services import answer_due_on

DAYS = st.dates(date(1900, 1, 1), date(2400, 12, 31))
MONTHS = st.integers(1, 1_200)
ONE_DAY = timedelta(days=1)
LEAP_DAY = date(2024, 2, 29)


@given(DAYS, DAYS, MONTHS)
@example(LEAP_DAY, date(2025, 3, 1), 12)
@example(LEAP_DAY, date(2025, 2, 28), 12)
@example(LEAP_DAY, date(2028, 2, 29), 48)
@example(date(2025, 8, 31), date(2026, 3, 1), 6)
def test_one_comparison_finds_exactly_what_is_due(began_on, today, months):
    assert (began_on <= newest_due_day(months, today)) == is_due(began_on, months, today)


@given(DAYS, MONTHS)
def test_nothing_goes_on_the_last_day_of_its_period_and_all_on_the_next(began_on, months):
    last = kept_until(began_on, months)

    assert not is_due(began_on, months, last)
    assert is_due(began_on, months, last + ONE_DAY)


@given(DAYS, MONTHS, st.integers(0, 400))
def test_what_is_due_stays_due_and_what_began_earlier_is_due_too(today, months, more):
    newest = newest_due_day(months, today)

    assert newest_due_day(months, today + timedelta(days=more)) >= newest
    assert newest_due_day(months + 1, today) <= newest
    assert is_due(newest - timedelta(days=more), months, today)


@given(st.integers(1904, 2396).filter(isleap), st.integers(1, 40))
def test_a_leap_day_is_kept_to_the_end_of_february_in_years_without_one(year, years):
    last = kept_until(date(year, 2, 29), 12 * years)

    assert (last.month, last.day) == (2, 29 if isleap(year + years) else 28)


@given(DAYS)
def test_an_answer_is_due_in_the_next_month_and_never_later_than_31_days(received_on):
    due = answer_due_on(received_on)

    assert (due.year * 12 + due.month) - (received_on.year * 12 + received_on.month) == 1
    assert timedelta(days=28) <= due - received_on <= timedelta(days=31)


def test_the_ends_of_the_calendar_are_no_fault():
    assert newest_due_day(1, date(1, 3, 1)) == date(1, 1, 31)
    assert not is_due(date(9999, 12, 31), 1, date(2026, 6, 1))
    assert [period_words(months) for months in (12, 25)] == ["1 year", "2 years 1 month"]
