"""Certification: a force's calendar, entry by entry, and the position that each day must give.

Every entry is a file or a command on a dated morning; every expectation was worked out by hand from the
rules of standings, and says why in its comment.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.domain.imports.rosters import row
from tests.domain.status.certification.calendar import FORCE, NORTH, SOUTH, Calendar, opened
from tests.domain.status.facts import add_activity

pytestmark = pytest.mark.slow


@pytest.fixture
def calendar(app: Flask, database: None, tmp_path: Path) -> Iterator[Calendar]:
    """A force in January 2025 with an owner of directives and one published module."""
    with opened(app, tmp_path) as made:
        add_activity("module", "recognise")
        yield made


def constable(number: str, **values: str) -> dict[str, str]:
    return row(number, surname=number, unit_path=f"{NORTH}/Team 1", **values)


def test_monthly_rosters_over_a_year_keep_what_each_month_said(calendar: Calendar) -> None:
    calendar.roster(constable("A1"), constable("A2", valid_from="2025-03-01"))
    calendar.issue()
    kept = {}
    for month in range(2, 13):  # the whole roster, again, on the first of each month
        day = date(2025, month, 1).isoformat()
        calendar.on(day)
        rows = [constable("A1"), constable("A2", valid_from="2025-03-01")]
        if month >= 6:  # joins in June
            rows.append(constable("A3", valid_from="2025-06-01"))
        if month >= 10:  # A2 goes to contact, which nobody asks, and is back in December
            rows.append(constable("A2", valid_from="2025-10-01", designated_role="training"))
        if month >= 12:
            rows.append(constable("A2", valid_from="2025-12-01"))
        calendar.roster(*rows)
        assert "Nothing to do." in calendar.roster(*rows)  # twice is once
        kept[day] = calendar.position(day, day)

    assert kept["2025-09-01"] == dict.fromkeys(["A1", "A2", "A3"], "not_started, due 2026-04-30")
    assert set(kept["2025-10-01"]) == {"A1", "A3"}
    assert set(kept["2025-12-01"]) == {"A1", "A2", "A3"}
    calendar.on("2026-06-01")
    for day, said in kept.items():  # a position as known then never changes
        assert calendar.position(day, day) == said
    # 61 uncovered days lie between: A2 joined again on 1 December, and 60 days end before the fixed date
    assert calendar.lines("2026-01-31")[1]["assigned_on"] == "2025-12-01"
    assert set(calendar.position("2026-05-01").values()) == {"overdue, due 2026-04-30"}


def test_a_merger_of_two_commands_leaves_past_positions_in_the_old_ones(calendar: Calendar) -> None:
    calendar.roster(constable("A1"), row("B1", surname="B1", unit_path=f"{SOUTH}/Team 9"))
    calendar.issue(audience=f'designated_role = ["response"]\nunit_under = ["{NORTH}"]')
    calendar.on("2026-01-10")
    before = calendar.places("2026-01-05", "2026-01-10")
    # from February South's team belongs to North, which is renamed
    calendar.run("units", "move", f"{SOUTH}/Team 9", f"{NORTH}/Team 9", "--on", "2026-02-01")
    calendar.run("units", "rename", NORTH, f"{FORCE}/Operations", "--on", "2026-02-01")

    calendar.on("2026-05-10")
    assert calendar.places("2026-01-31") == {"A1": f"{NORTH}/Team 1"}
    assert calendar.places("2026-02-01") == {
        "A1": f"{FORCE}/Operations/Team 1",
        "B1": f"{FORCE}/Operations/Team 9",
    }
    # B1 joined on the day of the merger; sixty days end on 2 April, so the fixed date is the later
    assert calendar.position("2026-04-30")["B1"] == "not_started, due 2026-04-30"
    assert calendar.position("2026-05-01")["B1"] == "overdue, due 2026-04-30"
    assert calendar.places("2026-01-05", "2026-01-10") == before


def test_a_long_absence_is_not_counted_and_ends_with_its_own_due_date(calendar: Calendar) -> None:
    calendar.roster(constable("A1"), constable("A2"))
    calendar.issue()
    calendar.on("2026-03-15")
    calendar.exclude("A1", "deferral", "maternity_or_parental", "2026-04-01", "2026-12-31")

    calendar.on("2027-04-01")
    assert calendar.position("2026-03-31")["A1"] == "not_started, due 2026-04-30"
    assert calendar.position("2026-05-01")["A1"].startswith("deferred")
    assert calendar.position("2026-05-01")["A2"] == "overdue, due 2026-04-30"
    assert calendar.position("2026-12-31")["A1"].startswith("deferred")
    # back on 1 January with sixty days after the last day of the deferral
    assert calendar.position("2027-01-01")["A1"] == "not_started, due 2027-03-01"
    assert calendar.position("2027-03-01")["A1"] == "not_started, due 2027-03-01"
    assert calendar.position("2027-03-02")["A1"] == "overdue, due 2027-03-01"


def test_a_promotion_across_the_border_of_the_audience_ends_what_is_asked(calendar: Calendar) -> None:
    calendar.roster(constable("A1"))
    calendar.issue(audience='rank_or_grade = ["Constable"]')
    calendar.on("2026-05-20")
    assert calendar.position("2026-05-20") == {"A1": "overdue, due 2026-04-30"}
    calendar.roster(constable("A1", rank_or_grade="Sergeant", valid_from="2026-05-18"))

    assert calendar.position("2026-05-17") == {"A1": "overdue, due 2026-04-30"}
    assert calendar.position("2026-05-18") == {}
    assert calendar.position("2026-05-18", "2026-05-19") == {"A1": "overdue, due 2026-04-30"}


def test_acting_up_for_six_weeks_asks_for_six_weeks(calendar: Calendar) -> None:
    calendar.roster(constable("A1"))
    calendar.issue(audience='rank_or_grade = ["Sergeant"]', due="days_after_joining = 28")
    calendar.on("2026-02-25")
    acting = {"rank_or_grade": "Sergeant", "post_key": "acting"}
    calendar.roster(constable("A1", valid_from="2026-03-02", valid_to="2026-04-12", **acting))

    calendar.on("2026-05-01")
    assert calendar.position("2026-03-01") == {}
    assert calendar.position("2026-03-30") == {"A1": "not_started, due 2026-03-30"}
    assert calendar.position("2026-03-31") == {"A1": "overdue, due 2026-03-30"}
    assert calendar.position("2026-04-12") == {"A1": "overdue, due 2026-03-30"}
    assert calendar.position("2026-04-13") == {}
    assert calendar.lines("2026-04-12")[0]["rank_or_grade"] == "Sergeant"
    # again within 31 days: the days after joining count on; after longer they begin anew
    calendar.roster(constable("A1", valid_from="2026-05-04", valid_to="2026-05-20", **acting))
    calendar.on("2026-08-01")
    assert calendar.position("2026-05-04") == {"A1": "overdue, due 2026-03-30"}
    calendar.roster(constable("A1", valid_from="2026-07-01", valid_to="2026-07-31", **acting))
    assert calendar.position("2026-07-01") == {"A1": "not_started, due 2026-07-29"}


def test_a_back_dated_transfer_changes_what_is_known_and_not_what_was(calendar: Calendar) -> None:
    calendar.roster(constable("A1"))
    calendar.issue(audience=f'unit_under = ["{NORTH}"]')
    calendar.on("2026-05-10")
    assert calendar.position("2026-05-05") == {"A1": "overdue, due 2026-04-30"}
    calendar.on("2026-05-12")  # human resources learn that the officer left for South on 20 April
    calendar.roster(row("A1", surname="A1", unit_path=f"{SOUTH}/Team 9", valid_from="2026-04-20"))

    assert calendar.position("2026-05-05") == {}
    assert calendar.position("2026-04-19") == {"A1": "not_started, due 2026-04-30"}
    assert calendar.position("2026-05-05", "2026-05-11") == {"A1": "overdue, due 2026-04-30"}


def test_a_leaver_who_comes_back_keeps_the_pass_and_is_asked_anew(calendar: Calendar) -> None:
    calendar.roster(constable("A1"), constable("A2"))
    calendar.issue(due="days_after_joining = 60")
    calendar.on("2025-10-10")
    calendar.passed("A1", "2025-10-03")
    calendar.roster(constable("A1", valid_to="2025-12-31"), constable("A2", valid_to="2025-12-31"))
    calendar.on("2026-05-01")
    assert set(calendar.position("2025-12-31")) == {"A1", "A2"}
    assert calendar.position("2026-01-01") == {}
    back = {"valid_from": "2026-05-04"}
    calendar.roster(constable("A1", **back), constable("A2", **back))

    calendar.on("2026-08-01")
    assert calendar.position("2026-05-04") == {
        "A1": "satisfied, due 2026-07-03",
        "A2": "not_started, due 2026-07-03",
    }
    assert calendar.position("2026-07-04")["A2"] == "overdue, due 2026-07-03"
    assert calendar.position("2025-12-31")["A2"] == "overdue, due 2025-10-31"  # joined on 1 September


def test_a_pass_of_29_february_ends_on_28_february(calendar: Calendar) -> None:
    calendar.roster(constable("A1"))
    calendar.issue(effective_on="2025-02-01", due="on = 2025-02-20", validity="[validity]\nmonths = 12\n")
    calendar.on("2025-02-25")
    calendar.passed("A1", "2024-02-29")

    calendar.on("2025-06-01")
    assert calendar.position("2025-02-28") == {"A1": "expiring, due 2025-02-20"}
    assert calendar.lines("2025-02-28")[0]["valid_until"] == "2025-02-28"
    assert calendar.position("2025-03-01") == {"A1": "expired, due 2025-02-20"}
    calendar.passed("A1", "2025-03-31")  # renewed; the first pass stays as it was
    assert calendar.position("2025-02-28") == {"A1": "expiring, due 2025-02-20"}
    assert calendar.position("2025-04-01") == {"A1": "satisfied, due 2025-02-20"}
    assert calendar.lines("2025-04-01")[0]["valid_until"] == "2026-03-31"


def test_the_night_when_the_clocks_go_back_is_one_day(calendar: Calendar) -> None:
    calendar.roster(constable("A1"), constable("A2"), constable("A3"))
    calendar.issue(due="on = 2025-10-26")  # the last Sunday in October: 25 hours long
    calendar.on("2025-10-30")
    calendar.passed("A1", "2025-10-26T01:30:00+01:00")  # the first half past one that night
    calendar.passed("A2", "2025-10-26T01:30:00+00:00")  # an hour later, on the same day
    calendar.passed("A3", "2025-10-27T00:00:00+00:00")  # midnight after it: one day late

    assert calendar.position("2025-10-25") == dict.fromkeys(["A1", "A2", "A3"], "not_started, due 2025-10-26")
    assert calendar.position("2025-10-26") == {
        "A1": "satisfied, due 2025-10-26",
        "A2": "satisfied, due 2025-10-26",
        "A3": "not_started, due 2025-10-26",
    }
    late = {found["staff_number"]: found["late_days"] for found in calendar.lines("2025-10-27")}
    assert late == {"A1": 0, "A2": 0, "A3": 1}


def test_the_night_when_summer_time_begins_is_one_day(calendar: Calendar) -> None:
    calendar.roster(constable("A1"), constable("A2"))
    calendar.issue(due="on = 2026-03-28")
    calendar.on("2026-04-02")
    calendar.passed("A1", "2026-03-28T23:59:59+00:00")
    calendar.passed("A2", "2026-03-29T00:00:00+00:00")
    late = {found["staff_number"]: found["late_days"] for found in calendar.lines("2026-03-30")}
    assert late == {"A1": 0, "A2": 1}
    calendar.passed("A2", "2026-03-28T23:30:00+00:00")  # late proof of an earlier pass: in time after all
    late = {found["staff_number"]: found["late_days"] for found in calendar.lines("2026-03-30")}
    assert late == {"A1": 0, "A2": 0}


def test_a_withdrawn_directive_asks_nobody_from_its_day_and_keeps_its_past(calendar: Calendar) -> None:
    calendar.roster(constable("A1"))
    calendar.issue()
    calendar.on("2026-05-05")
    before = calendar.position("2026-05-05", "2026-05-05")
    calendar.issue(effective_on="2026-06-01", more="withdrawn = true")

    calendar.on("2026-07-01")
    assert calendar.position("2026-05-31") == {"A1": "overdue, due 2026-04-30"}
    assert calendar.position("2026-06-01") == {}
    assert calendar.position("2026-05-05", "2026-05-05") == before
    # issued again from August: a new joining, with the days and the fixed date of its own
    calendar.issue(effective_on="2026-08-01")
    calendar.on("2026-10-01")
    assert calendar.position("2026-07-31") == {}
    assert calendar.position("2026-08-01") == {"A1": "not_started, due 2026-09-30"}
    assert calendar.position("2026-10-01") == {"A1": "overdue, due 2026-09-30"}


def test_a_later_version_moves_the_due_date_of_its_own_days_alone(calendar: Calendar) -> None:
    calendar.roster(constable("A1"))
    calendar.issue(due="on = 2026-04-30")
    calendar.on("2026-02-01")
    calendar.issue(effective_on="2026-03-01", due="on = 2026-06-30")

    calendar.on("2026-07-10")
    assert calendar.position("2026-02-28") == {"A1": "not_started, due 2026-04-30"}
    assert calendar.position("2026-05-10") == {"A1": "not_started, due 2026-06-30"}
    assert calendar.position("2026-07-01") == {"A1": "overdue, due 2026-06-30"}


def test_every_day_of_a_year_adds_up(calendar: Calendar) -> None:
    """On each first of a month the file's rows are those whose post was in the audience that day."""
    calendar.roster(
        constable("A1", valid_from="2025-02-01", valid_to="2026-03-15"),
        constable("A2", valid_from="2025-09-15"),
        constable("A3", designated_role="training"),
    )
    calendar.issue()
    calendar.on("2026-09-01")
    day = date(2025, 8, 1)
    while day <= date(2026, 8, 1):
        there = {
            "A1": date(2025, 9, 1) <= day <= date(2026, 3, 15),
            "A2": day >= date(2025, 9, 15),
        }
        assert set(calendar.position(day.isoformat())) == {number for number, here in there.items() if here}
        day = (day + timedelta(days=31)).replace(day=1)
