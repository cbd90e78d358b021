"""What receivers write into ``Retry-After``, and what nobody should."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.platform.outbound import LONGEST_WAIT, NO_WAIT, read_retry_after

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("007", 7),
        ("Mon, 20 Apr 2026 12:10:00 GMT", 600),
        ("Monday, 20-Apr-26 12:10:00 GMT", 600),
        ("Mon Apr 20 12:10:00 2026", 600),
        ("Mon, 20 Apr 2026 13:10:00 +0100", 600),
        ("Mon, 20 Apr 2026 11:59:59 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("1.5", 0), ("-1", 0), ("+1", 0), ("1e3", 0), ("0x10", 0), ("٣", 0), ("", 0), ("soon", 0),
        ("60, 120", 0),
        ("Mon, 99 Apr 2026 12:10:00 GMT", 0),
        ("Mon, 20 Apr 99999 12:10:00 GMT", 0),
        ("Mon, 20 Apr 2026 12:10:00 +9999999999", 0),
    ],
)  # fmt: skip
def test_seconds_and_dates_are_understood_and_nothing_else(text, seconds):
    assert read_retry_after(text, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["9" * 10, "9" * 60_000, "Fri, 31 Dec 9999 23:59:59 GMT"], ids=len)
def test_a_wait_without_end_has_one(text):
    assert read_retry_after(text, NOW) == LONGEST_WAIT


@given(
    st.text()
    | st.integers().map(str)
    | st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT"))
)
def test_any_text_is_a_wait_within_the_limits(text):
    assert NO_WAIT <= read_retry_after(text, NOW) <= LONGEST_WAIT
