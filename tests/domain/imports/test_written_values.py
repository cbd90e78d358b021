"""What other systems write is either read rightly or asked about, never guessed."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.imports.values import (
    COMPLETED,
    LEFT_OUT,
    DateOrder,
    ScoreForm,
    list_mixed,
    list_orders,
    list_score_forms,
    read_day,
    read_outcome,
    read_score,
    read_time,
)
from portal.platform.clock import LONDON

DAYS = st.dates(date(1955, 1, 1), date(2099, 12, 31))
PATTERNS = {
    DateOrder.DAY_FIRST: ["{:%d/%m/%Y}", "{:%-d/%-m/%Y}", "{:%d.%m.%Y}", "{:%d-%m-%Y}"],
    DateOrder.MONTH_FIRST: ["{:%m/%d/%Y}", "{:%-m/%-d/%Y}", "{:%m-%d-%Y}"],
}
EITHER = ["{:%Y-%m-%d}", "{:%Y%m%d}", "{:%d %b %Y}", "{:%d/%b/%Y}", "{:%-d %B %Y}", "{:%A %-d %B %Y}"]
EITHER += ["{:%d-%b-%Y}", "{:%B %-d, %Y}", "{:%Y/%m/%d}"]


@given(st.sampled_from(DateOrder), st.lists(DAYS, min_size=1, max_size=8), st.data())
def test_a_column_of_days_is_read_rightly_or_asked_about(order, days, data):
    pattern = data.draw(st.sampled_from(PATTERNS[order] + EITHER))
    texts = [pattern.format(day) for day in days]

    orders = list_orders(texts)

    chosen = order if len(orders) > 1 else [*orders, DateOrder.DAY_FIRST][0]
    assert [read_day(text, chosen) for text in texts] == [day.isoformat() for day in days]
    assert order in orders or pattern in EITHER


@given(DAYS)
def test_a_spreadsheets_number_is_asked_about_and_read(day):
    serial = str((day - date(1899, 12, 30)).days)

    assert len(list_orders([serial])) == 2
    assert (
        read_day(serial, DateOrder.DAY_FIRST)
        == read_time(f"{serial}.0", DateOrder.DAY_FIRST)
        == day.isoformat()
    )


@given(st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31)), st.sampled_from(DateOrder))
def test_a_time_is_a_time_in_london(moment, order):
    moment = moment.replace(microsecond=0)
    instant = moment.replace(tzinfo=LONDON).astimezone(UTC)
    day = f"{moment:%d/%m/%Y}" if order is DateOrder.DAY_FIRST else f"{moment:%m/%d/%Y}"

    readings = {
        read_time(text, order)
        for text in (
            f"{day} {moment:%H:%M:%S}",
            f"{day} {moment:%I:%M:%S %p}",
            f"{moment:%Y-%m-%dT%H:%M:%S}",
            f"{moment:%d/%b/%Y %I:%M:%S %p} Europe/London",
            f"{moment:%A, %-d %B %Y, %I:%M:%S %p}",
            f"{instant:%Y-%m-%d %H:%M:%S}Z",
            f"{instant:%d %B %Y %H:%M:%S} GMT",
        )
    }

    assert readings == {instant.isoformat().replace("+00:00", "Z")}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("14/Mar/2026 09:41 AM Europe/London", "2026-03-14T09:41:00Z"),
        ("14/Jul/2026 09:41 PM Europe/London", "2026-07-14T20:41:00Z"),
        ("14/Mar/2026 09:41 AM America/New_York", "2026-03-14T13:41:00Z"),
        ("14 Jul 2026 09:41 BST", "2026-07-14T08:41:00Z"),
        ("2026-07-14T09:41:00+01:00", "2026-07-14T08:41:00Z"),
        ("14/Mar/2026", "2026-03-14"),
        ("20260314", "2026-03-14"),
    ],
)
def test_days_and_times_are_read_as_training_systems_write_them(text, read):
    assert {read_time(text, order) for order in DateOrder} == {read}


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "today", "14/03/26", "14-Mar-26", "14 Mar 26 1030", "14/3", "31/02/2026", "3/2026"),
        *("1 2026", "May 2026", "May 2026 10:31", "1 2 March 2026", "14/3-2026", "2026-14-03", "2026-W11"),
        *("1772323200", "1601011212", "20260314094100", "85.00", "9" * 400, "14 Mar 2026 9.30pm"),
        *(
            "14/03/2026 10:22 EST",
            "14/Mar/2026 10:22 Mars/Phobos",
            "14 Mar 2026 10:22 GMT+3",
            "14 Mar 2026 10:22:03 GMT+3",
        ),
    ],
)
def test_what_names_no_day_of_a_whole_year_is_none(text):
    assert {read_day(text, order) or read_time(text, order) for order in DateOrder} == {None}


PIECES = [
    "14",
    "3",
    "03",
    "2026",
    "26",
    "9",
    "59",
    "1e9",
    "Mar",
    "May",
    "pm",
    "am",
    "T",
    "W",
    "Z",
    "GMT",
    "+01:00",
]
SIGNS = ["/", "-", ".", ":", ",", " ", "Europe/London", "h", "of", "th", "Monday", "٣", "\u2003", "'"]


@given(st.lists(st.sampled_from(PIECES + SIGNS), max_size=9).map("".join) | st.text(max_size=40))
def test_whatever_is_read_says_its_day_and_its_year(text):
    for order in DateOrder:
        read = read_time(text, order)
        if read and not text[:5].isdigit():
            day = datetime.fromisoformat(read).astimezone(LONDON) if "T" in read else date.fromisoformat(read)
            years = {int(number) for number in re.findall(r"\d{4}", text)}
            assert any(abs(year - day.year) <= 1 for year in years), (text, read)


def test_a_day_with_a_time_is_no_day_but_at_midnight():
    assert read_day("14/03/2026 10:22", DateOrder.DAY_FIRST) is None
    assert read_day("14/03/2026 00:00", DateOrder.DAY_FIRST) == "2026-03-14"


@given(st.integers(0, 10_000))
def test_a_score_is_the_same_however_it_is_written(ten_thousandths):
    scaled = Decimal(ten_thousandths) / 10_000
    percent = f"{scaled * 100:f}"

    readings = {
        read_score(f"{percent}%", None),
        read_score(percent, ScoreForm.PERCENT),
        read_score(f"{percent}/100", None),
        read_score(f"{scaled:f}", ScoreForm.OF_ONE),
    }

    assert {Decimal(reading) for reading in readings} == {scaled}
    assert all(len(reading) <= len("0.0001") for reading in readings)


@pytest.mark.parametrize(
    ("texts", "forms"),
    [
        (["85%", "Passed", "17/20"], []),
        (["0.85", "1"], [ScoreForm.OF_ONE]),
        (["85", "90"], [ScoreForm.PERCENT, ScoreForm.IGNORED]),
        (["1", "0"], list(ScoreForm)),
    ],
    ids=["said", "parts", "numbers", "flags"],
)
def test_bare_numbers_that_may_be_two_things_are_asked_about(texts, forms):
    assert list_score_forms(texts) == forms


@pytest.mark.parametrize("text", ["120%", "21/20", "3/0", "", "good", "1e3", "-5%"])
def test_what_is_no_score_is_none(text):
    assert {read_score(text, form) for form in (None, ScoreForm.OF_ONE, ScoreForm.PERCENT)} == {None}


def test_outcomes_are_known_words_or_asked_about():
    assert {read_outcome(text) for text in ("Passed", "COMPLETE", "completed ")} == {COMPLETED}
    words = ("Failed", "Not-completed", "in_progress", "Not started", "Not yet started", "-", "–", "N/A")
    assert {read_outcome(text) for text in words} == {LEFT_OUT}
    assert read_outcome("Exempt") is None


def test_a_months_days_say_by_themselves_that_the_day_comes_first():
    first = date(2026, 1, 1)
    days = [f"{first + timedelta(days=n):%d/%m/%Y}" for n in range(31)]

    assert list_orders(days) == [DateOrder.DAY_FIRST]
    assert len(list_orders(days[:12])) == 2


@given(st.dates(date(2026, 1, 1)), st.dates(date(2026, 1, 1)), st.lists(DAYS, max_size=5))
def test_a_column_mixes_two_orders_where_no_order_reads_it(one, other, days):
    texts = [f"{one:%d/%m/%Y}", f"{other:%m/%d/%Y}", *(f"{day:%Y-%m-%d}" for day in days)]

    mixed = list_mixed(texts)

    is_mixed = one.day > 12 and other.day > 12
    assert mixed == (tuple(texts[:2]) if is_mixed else ())
    assert list_orders(texts) or is_mixed or not any(read_day(t, DateOrder.DAY_FIRST) != t for t in texts[:2])
