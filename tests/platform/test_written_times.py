"""Days and times are read as people write them, first of all as our own pages and files write them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.domain.audit_desk.queries import exact_time
from portal.domain.reports.parameters import Position, parse_position, write_as_iso
from portal.domain.reports.sentences import known_on_field
from portal.platform import wording as say
from portal.platform.clock import LONDON, end_of_day, format_utc, london_day, read_day, read_instant

TODAY = date(2026, 6, 1)
DUE = date(2026, 4, 30)
AFTER_ALL = datetime(2038, 6, 1, 12, tzinfo=UTC)  # later than all INSTANTS
NOON = datetime(2026, 4, 30, 11, tzinfo=UTC)
DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
AUTUMN = st.integers(0, 4 * 60 * 60).map(  # the night in which London has an hour twice
    lambda second: datetime(2026, 10, 24, 23, tzinfo=UTC) + timedelta(seconds=second)
)


@pytest.mark.parametrize(
    "text",
    [
        *("30 April 2026", "30 Apr 2026", " 30th  april 2026 ", "30 April\xa02026.", "30th of April, 2026"),
        *("Thursday 30 April 2026", "Thu, 30 Apr 26", "30-Apr-2026", "April 30, 2026"),
        *("30/4/2026", "30/04/26", "30.4.2026", "30-04-2026", "2026-04-30", "2026/4/30"),
    ],
)
def test_a_day_is_read_as_people_write_it(text):
    assert read_day(text, TODAY) == DUE


def test_days_beside_today_have_words():
    assert [read_day(text, DUE) for text in ("today", "Yesterday ", "tomorrow")] == [
        DUE,
        date(2026, 4, 29),
        date(2026, 5, 1),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "31 April 2026",
        "2026-13-01",
        "April 2026",
        "4/30/2026",
        "30 aprilly 2026",
        "30 ap 2026",
        "soon",
    ],
)
def test_what_names_no_day_is_none(text):
    assert read_day(text, TODAY) is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "12:00 on 30 April 2026",
            "12:00:00 on 2026-04-30",
            "at 12.00 on 30/4/2026",
            "noon on 30 April 2026",
        ),
        *("30 Apr 2026 at 12:00", "30 April 2026, 12:00", "30/4/2026 12:00", "2026-04-30 12:00:00"),
        *("12pm on 30 April 2026", "30 April 2026 at 12.00 pm", "12:00 BST on 30 April 2026"),
        *("2026-04-30T11:00:00Z", "2026-04-30T12:00:00+01:00", "2026-04-30T12:00:00 01:00"),
    ],
)
def test_a_time_on_a_day_is_read_in_london(text):
    assert read_instant(text, TODAY) == NOON


@pytest.mark.parametrize(
    "text",
    [
        *("9:00", "9 on 30 April 2026", "25:00 on 30 April 2026", "13pm on 30 April 2026"),
        *("9:00 on 31 April 2026", "2026-04-30T12:00:00", "30 April 2026", "soon"),
    ],
)
def test_what_names_no_instant_is_none(text):
    assert read_instant(text, TODAY) is None


@given(DAYS)
def test_a_day_is_read_as_every_page_and_file_writes_it(day):
    assert read_day(say.date(day), TODAY) == read_day(day.isoformat(), TODAY) == day
    assert read_day(f"{day:%-d %b %Y}", TODAY) == read_day(f"{day:%d/%m/%Y}", TODAY) == day


@given(INSTANTS | AUTUMN)
@example(end_of_day(DUE))
@example(end_of_day(date(2000, 1, 1)))
def test_an_instant_is_read_as_every_page_and_file_writes_it(instant):
    minute = instant.replace(second=0, microsecond=0)
    position = Position(london_day(instant), instant, london_day(instant), latest=False)

    assert read_instant(say.instant(instant), TODAY) == minute
    assert read_instant(exact_time(instant), TODAY) == instant.replace(microsecond=0)
    assert read_instant(format_utc(instant), TODAY) == instant
    assert parse_position("", known_on_field(position), now=AFTER_ALL, newest=None).as_known_on == instant
    if instant != end_of_day(london_day(instant)):  # the field then has the day alone
        assert write_as_iso(known_on_field(position), TODAY) == format_utc(instant)
    in_a_sheet = instant.astimezone(LONDON)
    if not in_a_sheet.fold:
        assert read_instant(f"{in_a_sheet:%Y-%m-%d %H:%M:%S}", TODAY) == instant.replace(microsecond=0)
