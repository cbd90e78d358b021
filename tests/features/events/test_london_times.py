"""London times of events: the hour that does not exist, the one that comes twice, and series across both."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.features.events.places import (
    MissingTimeError,
    RepeatedTimeError,
    instant_in_london,
    read_time,
    repeat_in_london,
)
from portal.platform.clock import LONDON

FORWARD, BACK = date(2026, 3, 29), date(2026, 10, 25)
days = st.dates(date(2025, 1, 1), date(2035, 12, 31))
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(days, times, st.booleans())
def test_an_instant_reads_back_as_the_time_that_was_typed_or_the_time_does_not_exist(
    day: date, at: time, second: bool
) -> None:
    try:
        instant = instant_in_london(day, at, second=second)
    except MissingTimeError:
        assert day.month == 3
        assert at.hour == 1
        return

    local = instant.astimezone(LONDON)
    assert (local.date(), local.time()) == (day, at)


@given(days, times)
def test_a_choice_is_needed_only_for_the_hour_that_comes_twice(day: date, at: time) -> None:
    try:
        instant_in_london(day, at)
    except RepeatedTimeError:
        first, second = (instant_in_london(day, at, second=which) for which in (False, True))
        assert second - first == timedelta(hours=1)
        assert (day.month, at.hour) == (10, 1)
    except MissingTimeError:
        pass


@given(days, times.filter(lambda at: at.hour != 1), st.integers(1, 8), st.integers(1, 12))
def test_each_date_of_a_series_has_the_same_london_time(day: date, at: time, weeks: int, count: int) -> None:
    instants = repeat_in_london(day, at, weeks=weeks, count=count)

    assert [instant.astimezone(LONDON).time() for instant in instants] == [at] * count
    local_days = [instant.astimezone(LONDON).date() for instant in instants]
    gaps = {later - earlier for earlier, later in pairwise(local_days)}
    assert gaps <= {timedelta(weeks=weeks)}


def test_the_hour_that_the_clocks_skip_is_refused_with_its_day() -> None:
    with pytest.raises(
        MissingTimeError, match=r"On 29 March 2026 the clocks go forward .* 01:30 does not exist"
    ):
        instant_in_london(FORWARD, time(1, 30))


def test_the_hour_that_comes_twice_is_asked_about() -> None:
    with pytest.raises(
        RepeatedTimeError, match="On 25 October 2026 the clocks go back, so 01:30 comes twice"
    ):
        instant_in_london(BACK, time(1, 30))
    assert instant_in_london(BACK, time(1, 30), second=False) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert instant_in_london(BACK, time(1, 30), second=True) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("9:30", time(9, 30)),
        ("09.30", time(9, 30)),
        ("2pm", time(14)),
        ("2.15 pm", time(14, 15)),
        ("midday", time(12)),
        ("25:00", None),
        ("9:30 BST", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_time_is_read_as_people_write_it(text: str, at: time | None) -> None:
    assert read_time(text) == at
