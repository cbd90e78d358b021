"""The rules of saved reports about time hold for any day: month ends, bank holidays, changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.sending import bank_holidays
from portal.features.saved_reports.rules import (
    AsOf,
    DayRule,
    Every,
    KnownRule,
    Recurrence,
    Span,
    first_working_day,
)
from portal.platform.clock import LONDON, london_day
from portal.platform.months import month_end_before

DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))
RULES = st.one_of(
    st.builds(Recurrence, st.just(Every.WEEK), st.integers(0, 6)), st.just(Recurrence(Every.MONTH))
)
AS_OF = st.builds(AsOf, st.sampled_from(DayRule), st.sampled_from(KnownRule), DAYS)
HOLIDAYS = bank_holidays()


@given(RULES, DAYS)
def test_the_next_day_is_the_first_on_which_the_rule_falls(rule: Recurrence, day: date) -> None:
    following = rule.next_after(day, HOLIDAYS)
    days = (day + timedelta(days=ahead) for ahead in range(1, 70))
    if rule.every is Every.WEEK:
        expected = next(each for each in days if each.weekday() == rule.weekday)
    else:
        expected = next(each for each in days if each == first_working_day(each, HOLIDAYS))
        assert following.weekday() < 5
        assert following not in HOLIDAYS
    assert following == expected


@given(RULES, DAYS, st.integers(0, 90))
def test_of_missed_days_the_latest_alone_is_made_up_for(rule: Recurrence, after: date, later: int) -> None:
    until, latest, day = after + timedelta(days=later), None, after
    while (day := rule.next_after(day, HOLIDAYS)) <= until:
        latest = day
    assert rule.latest_between(after, until, HOLIDAYS) == latest


@given(RULES, DAYS, st.lists(st.integers(0, 60 * 30), min_size=1, max_size=40))
def test_nothing_is_mailed_twice_or_left_out_whenever_the_job_runs(
    rule: Recurrence, begun_on: date, pauses: list[int]
) -> None:
    """Runs at any minutes, also in the hour that London has twice: each run makes up for all before it."""
    now = datetime.combine(begun_on, time(12), LONDON).astimezone(UTC)
    planned_until, mailed = begun_on, []
    for minutes in pauses:
        now += timedelta(minutes=minutes)
        today = london_day(now)
        if planned_until < today:
            due_on = rule.latest_between(planned_until, today, HOLIDAYS)
            mailed += [due_on] if due_on else []
            planned_until = today
        assert rule.next_after(max(mailed, default=begun_on), HOLIDAYS) > planned_until
    assert mailed == sorted(set(mailed))


@given(DAYS, st.times())
def test_a_mail_goes_in_the_hours_of_its_london_day(day: date, at: time) -> None:
    instant = datetime.combine(day, at, LONDON).astimezone(UTC)
    sent = SendWindow(days_off=HOLIDAYS).next_allowed(instant).astimezone(LONDON)
    assert 7 <= sent.hour < 20
    assert sent.date() not in HOLIDAYS
    assert sent.date() >= day


@given(AS_OF, DAYS, st.integers(0, 400))
def test_the_rule_gives_one_day_for_a_day_whenever_it_is_opened(
    as_of: AsOf, opened_on: date, later: int
) -> None:
    day = as_of.day_for(opened_on)
    address = as_of.address_for(opened_on, opened_on + timedelta(days=later))
    if as_of.day_rule is DayRule.FIXED:
        assert day == as_of.fixed_on
    elif as_of.day_rule is DayRule.MONTH_END:
        assert (day + timedelta(days=1)).day == 1
        assert timedelta(days=1) <= opened_on - day <= timedelta(days=31)
    else:
        assert day == opened_on
    if day == opened_on + timedelta(days=later):
        assert address == {}  # today, as known now
    else:
        assert address["as_at"] == day.isoformat()
        assert ("as_known_on" in address) == (as_of.known_rule is KnownRule.THEN)


@given(DAYS)
def test_changes_begin_before_their_day(day: date) -> None:
    assert Span.WEEK.start_before(day) == day - timedelta(days=7)
    assert Span.MONTH.start_before(day) == month_end_before(day) < day


def test_the_first_working_day_passes_over_weekends_and_bank_holidays() -> None:
    assert first_working_day(date(2026, 11, 28), HOLIDAYS) == date(2026, 11, 2)  # 1 November is a Sunday
    assert first_working_day(date(2027, 1, 1), HOLIDAYS) == date(2027, 1, 4)  # New Year, then a weekend
    assert first_working_day(date(2026, 5, 9), HOLIDAYS) == date(2026, 5, 1)
