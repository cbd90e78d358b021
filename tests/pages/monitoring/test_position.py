"""The position of a report: read as people write it, never in the future, and stable afterwards."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from portal.domain.reports.parameters import PositionError, parse_position
from tests.domain.status.facts import make_record
from tests.page_reading import words
from tests.pages.monitoring.reading import csv_rows
from tests.pages.monitoring.world import APRIL, REPORT, TODAY, enter, make_world

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
NEWEST = datetime(2026, 5, 10, 9, 0, 0, 1, tzinfo=UTC)


def asked(as_at="", as_known_on=""):
    return parse_position(as_at, as_known_on, now=NOW, newest=NEWEST)


@pytest.mark.parametrize("text", ["31 April 2026", "2026-13-01", "April 2026", "4/30/2026", "0"])
def test_what_names_no_day_is_refused_with_an_example(text):
    with pytest.raises(PositionError, match="Enter a date, such as 30 April 2026"):
        asked(text)


def test_empty_means_today_as_known_by_the_newest_stamp():
    found = asked()

    assert (found.as_at, found.as_known_on) == (date(2026, 6, 1), NEWEST)
    assert (found.past, found.forecast, found.address) == (False, False, {})


def test_while_a_change_is_written_nothing_later_than_the_newest_stamp_is_known():
    written = {"now": NOW, "newest": NEWEST, "ahead": NEWEST + timedelta(seconds=1)}
    meanwhile = (NEWEST + timedelta(milliseconds=500)).isoformat()

    assert parse_position("", "", **written).as_known_on == NEWEST
    assert parse_position("", NEWEST.isoformat(), **written).as_known_on == NEWEST
    with pytest.raises(PositionError, match="must be now or earlier"):
        parse_position("", meanwhile, **written)


def test_a_day_of_knowledge_means_its_end_in_london():
    assert asked("", "30 April 2026").as_known_on == datetime(2026, 4, 30, 22, 59, 59, 999999, tzinfo=UTC)
    assert asked("", "15/2/2026").as_known_on == datetime(2026, 2, 15, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-04-30T12:00:00+01:00", "2026-04-30T12:00:00 01:00", "2026-04-30T11:00:00Z"]
)
def test_an_instant_is_read_with_its_offset_even_if_the_address_lost_the_plus(text):
    assert asked("", text).as_known_on == datetime(2026, 4, 30, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hour", "second"),
    [("12:00 on 30 April 2026", 11, 0), ("9:00 on 30/4/2026", 8, 0), ("09:00:07.5 on 2026-04-30", 8, 7.5)],
)
def test_a_time_on_a_day_is_read_as_london_time(text, hour, second):
    day = datetime(2026, 4, 30, hour, tzinfo=UTC)
    assert asked("", text).as_known_on == day + timedelta(seconds=second)


@pytest.mark.parametrize(
    "text", ["25:00 on 30 April 2026", "9:00 on 31 April 2026", "9:00", "9 on 30 April 2026"]
)
def test_what_names_no_time_is_refused_with_an_example(text):
    with pytest.raises(PositionError, match="such as 9:00 on 15 May 2026"):
        asked("", text)


@time_machine.travel(TODAY, tick=False)
def test_a_time_in_words_leads_to_its_instant_and_is_shown_again_exactly(client):
    enter(client, make_world(), "D6001")
    words = {"10:15 on 1 May 2026": "2026-05-01T09:15:00Z", "10:15:00.000001 on 1 May 2026": None}
    for written, instant in words.items():
        page = client.press(client.page(REPORT), "Show position", as_at="30 April 2026", as_known_on=written)
        assert page.form_with("Show position").fields["as_known_on"] == [written]
        assert "using records entered by 10:15 on 1 May 2026." in page.text
        if instant:
            assert page.links["CSV with every requirement"].endswith(
                f"as_known_on={instant.replace(':', '%3A')}"
            )


@pytest.mark.parametrize("text", ["2026-05-20", "2026-06-01", "2026-06-01T09:30:00Z"])
def test_knowledge_past_the_newest_stamp_is_that_stamp(text):
    assert asked("", text).as_known_on == NEWEST


@pytest.mark.parametrize(
    ("as_at", "as_known_on", "reason"),
    [
        ("2 June 2026", "", "cannot be shown for a future date"),
        ("", "2 June 2026", "must be now or earlier"),
        ("", "2026-06-01T09:30:01Z", "must be now or earlier"),
        ("", "2026-04-30T12:00:00", "such as 9:00 on 15 May 2026"),
    ],
)
def test_the_future_and_an_instant_without_offset_are_refused(as_at, as_known_on, reason):
    with pytest.raises(PositionError, match=reason):
        asked(as_at, as_known_on)


def test_a_day_after_what_was_known_is_a_forecast():
    assert asked("2026-04-30", "2026-04-15").forecast
    assert not asked("2026-04-30", "2026-04-30").forecast


@pytest.mark.slow
@time_machine.travel(TODAY, tick=False)
def test_the_due_date_as_known_then_and_as_known_now(client):
    enter(client, make_world(), "D6001")
    page = client.page(REPORT)

    then, now = client.page(page.links["as known then"]), client.page(page.links["as known now"])

    assert then.h1 == "On 30 April 2026, 20% were complete: 1 of 5 people"
    assert now.h1 == "On 30 April 2026, 40% were complete: 2 of 5 people"
    assert "Position on 30 April 2026, using records entered by that day." in then.text
    assert "as known at the end of that day (23:59)" in then.text
    assert "With records added since, that day is 40%: 2 of 5." in then.text
    assert "See the 1 person whose status changed" in then.text
    assert "O'Brien, Tom: Not started, as known now Complete" in then.text
    assert "O'Brien, Tom" in then.links
    assert client.page(then.links["See that position"]).h1 == now.h1
    assert client.page(then.links["Show today"]).h1 == "40% complete: 2 of 5 people"
    assert then.form_with("Show position").fields["as_at"] == ["30 April 2026"]
    assert then.form_with("Show position").fields["as_known_on"] == ["30 April 2026"]


@pytest.mark.slow
@time_machine.travel(TODAY, tick=False)
def test_the_form_takes_words_and_the_links_below_carry_the_position(client):
    enter(client, make_world(), "D6001")

    page = client.press(client.page(REPORT), "Show position", as_at="30/4/2026", as_known_on="30 April 2026")

    assert page.h1.startswith("On 30 April 2026, 20%")
    assert client.page(page.links["Person"]).h1 == page.h1
    rows = [
        row
        for row in client.get(page.links["CSV with every requirement"]).get_data(as_text=True).split("\r\n")
        if "C1" in row
    ]
    assert all(",not_started," in row for row in rows)
    assert len(rows) == 2


@time_machine.travel(TODAY, tick=False)
@pytest.mark.parametrize("field", ["as_at", "as_known_on"])
def test_a_refused_position_is_said_beside_its_field_and_gives_no_file(client, field):
    enter(client, make_world(), "D6001")

    page = client.page(f"{REPORT}?{field}=2+June+2026&role=response&page=2", 400)

    assert page.title.startswith("Error: ")
    assert page.all("a", href=f"#{field}")
    form = page.form_with("Show position")
    assert (form.fields[field], form.fields["role"]) == (["2 June 2026"], ["response"])
    assert client.page(page.links["Show today"]).h1 == "Response: 25% complete, 1 of 4 people"
    again = client.press(page, "Show position", as_at="30 April 2026", as_known_on="")
    assert again.h1 == "Response, on 30 April 2026: 25% were complete, 1 of 4 people"
    refused = client.page(f"{REPORT}/completions.csv?{field}=2026-06-02", 400)
    assert "future date" in refused.text or "must be now or earlier" in refused.text


@time_machine.travel(TODAY, tick=False)
@pytest.mark.parametrize(
    "path",
    [
        *(
            "/monitoring?as_at=2027-01-01",
            "/monitoring?as_known_on=2031-01-01",
        ),
        *("/monitoring?as_at=soon", "/people/D1001?as_at=soon", f"{REPORT}?as_known_on=soon"),
        *(f"{REPORT}?as_at=soon", f"{REPORT}?as_known_on=2025-12-31", f"{REPORT}/changes?as_at=soon"),
        f"{REPORT}/changes?from_as_at=2+June+2026&from_as_known_on=soon",
    ],
)
def test_under_a_refused_date_there_is_no_figure(client, path):
    enter(client, make_world(), "D6001")

    page = client.page(path, 400)

    assert page.h1 == "Choose another date"
    main = words(page.all("main")[0])
    assert not re.search(r"\d+ (?:people|person|of)|%|overdue|status changed", main, re.IGNORECASE), main


@time_machine.travel(TODAY, tick=False)
def test_a_forecast_says_so_on_page_and_file(client):
    enter(client, make_world(), "D6001")

    page = client.page(f"{REPORT}?as_at=2026-04-30&as_known_on=2026-04-15")

    assert "Forecast: position on 30 April 2026, using records entered by 15 April 2026." in page.text
    response = client.get(page.links["CSV with every requirement"])
    assert "OIC-2026-completions-2026-04-30-forecast.csv" in response.headers["Content-Disposition"]


def test_a_position_as_known_on_an_instant_never_changes(client):
    with time_machine.travel(TODAY, tick=False):
        world = make_world()
        enter(client, world, "D6001")
        printed = csv_rows(client)[0]["as_known_on"]
        pinned = [
            f"{REPORT}/completions.csv?as_at=2026-04-30&as_known_on={known}"
            for known in ((APRIL + timedelta(hours=1)).isoformat(), printed)
        ]
        before = [client.get(path).data for path in pinned]

        make_record(world.people["S1"], world.activities[1], date(2026, 4, 2))

        after = [client.get(path).data for path in pinned]
        late = [row for row in csv_rows(client) if row["staff_number"] == "S1"]

    assert before == after
    assert before[0] != before[1]
    assert {row["status"] for row in late} == {"satisfied", "overdue"}
