"""Which backups are kept, and when the next is due."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.platform.backups.settings import ALL_KEPT, Kept, choose_kept, last_due_at
from portal.platform.clock import LONDON

NOW = datetime(2026, 11, 28, 7, 0, tzinfo=UTC)
MOMENTS = st.lists(
    st.integers(0, 500 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes)),
    unique=True,
    max_size=60,
)
KEPT = st.builds(Kept, st.integers(1, 10), st.integers(0, 6), st.integers(0, 6))


def test_a_nightly_backup_keeps_days_weeks_and_months():
    stored: list[datetime] = []
    for day in range(400):
        now = NOW + timedelta(days=day)
        stored.append(now)
        stored = sorted(choose_kept(stored, Kept(days=7, weeks=4, months=6), now))

    ages = [(now - moment).days for moment in reversed(stored)]
    assert ages[:7] == [0, 1, 2, 3, 4, 5, 6]
    days = [moment.astimezone(LONDON).date() for moment in stored]
    assert len({day.isocalendar()[:2] for day in days[-10:]}) >= 4
    assert len({(day.year, day.month) for day in days}) == 6
    assert 7 + 2 + 4 <= len(days) <= 7 + 4 + 6  # the newest of a week or a month may be among the days
    assert all(day.day >= 28 for day in days[:4])  # of a month, its newest


@given(MOMENTS, KEPT)
def test_the_newest_and_all_of_two_days_are_kept_and_nothing_is_made_up(moments, kept):
    chosen = choose_kept(moments, kept, NOW)

    assert chosen <= set(moments)
    assert {moment for moment in moments if NOW - moment < ALL_KEPT} <= chosen
    assert not moments or max(moments) in chosen


@given(MOMENTS, KEPT)
def test_a_second_rotation_removes_nothing_more(moments, kept):
    chosen = choose_kept(moments, kept, NOW)

    assert choose_kept(sorted(chosen), kept, NOW) == chosen


@given(MOMENTS, KEPT)
def test_each_of_the_newest_months_with_a_backup_has_one_left(moments, kept):
    def months(instants):
        return sorted({(one.astimezone(LONDON).year, one.astimezone(LONDON).month) for one in instants})

    newest = months(moments)[-kept.months :] if kept.months else []
    assert set(newest) <= set(months(choose_kept(moments, kept, NOW)))


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)), st.times())
def test_the_last_due_instant_is_that_time_in_london_within_a_day(now, at):
    at = at.replace(microsecond=0, tzinfo=None)
    due = last_due_at(now, at)

    assert timedelta() <= now - due <= timedelta(hours=25)
    local = due.astimezone(LONDON)
    assert local.time().replace(tzinfo=None) == at or (
        local.month == 3 and local.day > 24  # the hour that London leaves out
    )


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param("2026-06-01T01:14:59Z", "2026-05-31T01:15:00Z", id="a second before, in summer"),
        pytest.param("2026-06-01T01:15:00Z", "2026-06-01T01:15:00Z", id="at the second"),
        pytest.param("2026-10-25T02:15:00Z", "2026-10-25T02:15:00Z", id="the night the clocks go back"),
    ],
)
def test_due_instants(now, due):
    assert last_due_at(datetime.fromisoformat(now), time(2, 15)) == datetime.fromisoformat(due)
