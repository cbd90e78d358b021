"""The line chart, bars and figures of a report, and the people behind each of them."""

from datetime import UTC, date, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portal.domain.directives.models import Directive
from portal.domain.people.queries import viewer_of
from portal.domain.reports.charts import month_ends, read_trend
from portal.domain.reports.parameters import Filters, parse_position
from portal.domain.reports.queries import completion_report
from portal.domain.status.queries import count_late_people
from portal.domain.status.rules import Status
from portal.platform.db import newest_stamp, stamp, touch, transaction
from tests.domain.people.worlds import PEOPLE, World, build, worlds
from tests.domain.status.facts import add, make_exclusion, make_record, make_version
from tests.examples import few_or_many, sweep_after
from tests.page_reading import H, Page, words
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.reading import csv_rows, parsed, xlsx_rows
from tests.pages.monitoring.test_any_viewer import ask_rank
from tests.pages.monitoring.test_report import people
from tests.pages.monitoring.test_shapes import pdf_text
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

pytestmark = pytest.mark.slow


@pytest.fixture
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def auditor(today, client):
    return enter(client, make_world(), "D6001")


def table_of(page: Page, caption: str) -> Element:
    """The table with this caption."""
    (table,) = [t for t in page.all("table") if words(next(t.iter(f"{H}caption"))) == caption]
    return table


def table_after(page: Page, caption: str) -> list[list[str]]:
    """The rows of the table with this caption, without its head."""
    rows = [
        [words(cell) for cell in row if cell.tag in (f"{H}td", f"{H}th")]
        for row in table_of(page, caption).iter(f"{H}tr")
    ]
    return rows[1:]


SVG = "{http://www.w3.org/2000/svg}"
LINE = "People complete at the end of each month, in per cent"


def drawings(page: Page) -> list[Element]:
    """The drawings that are read out."""
    return [svg for svg in page.root.iter(f"{SVG}svg") if svg.get("role") == "img"]


def test_the_months_end_on_their_last_days():
    assert month_ends(date(2026, 3, 31), 2) == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert month_ends(date(2024, 3, 1), 1) == [date(2024, 2, 29), date(2024, 3, 1)]
    assert len(month_ends(date(2026, 6, 1))) == 13


def test_the_line_stands_beside_its_table_and_each_day_leads_to_its_report(auditor):
    page = auditor.page(REPORT)

    rows = table_after(page, LINE)
    assert len(rows) == 13
    assert rows[:3] == [
        ["1 June 2026", "40% – 2 of 5"],
        ["31 May 2026", "40% – 2 of 5"],
        ["30 April 2026", "40% – 2 of 5"],
    ]
    assert rows[-1] == ["30 June 2025", "Nobody was required"]
    (drawing,) = drawings(page)
    assert [words(part) for part in drawing.iter(f"{SVG}title")] == [LINE]
    assert len(list(drawing.iter(f"{SVG}circle"))) == 6  # nobody was required before January
    assert "31 January 2026" in words(next(drawing.iter(f"{SVG}desc")))
    assert not [part for part in drawing.iter() if part.get("style") or part.get("viewBox")]
    then = auditor.page(page.links["30 April 2026"])
    assert then.h1 == "On 30 April 2026, 40% were complete: 2 of 5 people"


def test_the_line_of_a_past_position_knows_what_that_position_knows(auditor):
    page = auditor.page(f"{REPORT}?as_at=2026-04-30&as_known_on=2026-04-30")

    rows = table_after(page, LINE)
    assert rows[0] == ["30 April 2026", "20% – 1 of 5"]
    assert rows[1] == ["31 March 2026", "0% – 0 of 6"]
    march = auditor.page(page.links["31 March 2026"])
    assert march.h1 == "On 31 March 2026, 0% were complete: 0 of 6 people"
    assert "as known at the end of 30 April 2026" in march.text


def test_no_line_is_drawn_where_nobody_was_required(auditor):
    page = auditor.page(f"{REPORT}?as_at=2025-12-31")

    assert not drawings(page)
    assert "A line appears here after the end of two months" in page.text


@pytest.mark.parametrize("viewer", sweep_after(1, "D2003", "D6001"))
def test_bars_line_and_command_of_twenty_ask_no_more_than_of_two(client, viewer):
    with time_machine.travel(TODAY, tick=False):
        world = make_world()
        enter(client, world, viewer)

        def asked() -> list[int]:
            counts = []
            for path in (
                REPORT,
                f"{REPORT}?rank=Constable&late=31-90",
                f"{REPORT}?unit=Westshire+Police/Local+Policing&as_at=2026-05-20",
                "/monitoring",
                "/monitoring?unit=Westshire+Police/Local+Policing",
            ):
                with statements() as run:
                    client.page(path)
                counts.append(len(run))
            return counts

        client.page(REPORT)  # the first look is noted
        few = asked()
        for number in range(18):
            world.person(f"X{number:02}", "north", role="investigation", rank=f"Rank {number}")

        assert asked() == few


@pytest.mark.usefixtures("database")
@settings(
    max_examples=few_or_many(4, 12),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(world=worlds(), data=st.data())
def test_every_point_is_what_the_report_of_that_day_says(
    app: Flask, world: World, data: st.DataObject
) -> None:
    """Any viewer, any history of posts, units and grants."""
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        reference, activity = ask_rank()
        _, ids = build(world, reference)
        with transaction():
            stamp()
            touch(people=ids)
        for person in ids:
            on = data.draw(st.integers(0, 300))
            make_record(person, activity, date(2026, 5, 31) - timedelta(on))
        now, newest = datetime(2026, 6, 1, 12, tzinfo=UTC), newest_stamp()
        for looking in range(PEOPLE):
            viewer = viewer_of(ids[looking])
            if viewer is None:
                continue
            report = completion_report(viewer, reference, parse_position("", "", now=now, newest=newest))
            for point in read_trend(report, month_ends(report.position.as_at)):
                at = parse_position(point.day.isoformat(), "", now=now, newest=newest)
                assert completion_report(viewer, reference, at).figures.share == point.share


UNITS = "People complete, by unit, the lowest first"
RANKS = "People complete, by rank or grade"
ROLES = "People complete, by designated role, the lowest first"


def test_ranks_stand_in_their_order_and_roles_lowest_first_and_lead_to_their_people(auditor):
    page = auditor.page(REPORT)

    assert table_after(page, RANKS) == [["Constable", "", "50% – 2 of 4"], ["Sergeant", "", "0% – 0 of 1"]]
    assert table_after(page, ROLES) == [
        ["Response", "", "25% – 1 of 4"],
        ["Investigation", "", "100% – 1 of 1"],
    ]
    narrowed = auditor.page(page.links["Investigation"])
    assert people(narrowed) == ["C1"]
    assert narrowed.h1 == "Investigation: 100% complete, 1 of 1 person"
    assert f"Everyone: {page.h1.replace(':', ',')}." in narrowed.text
    assert table_after(narrowed, RANKS) == [["Constable", "", "100% – 1 of 1"]]
    assert table_after(narrowed, UNITS) == [["Crime", "", "100% – 1 of 1"]]
    assert table_after(narrowed, LINE)[0] == ["1 June 2026", "100% – 1 of 1"]


def test_the_question_of_supervisors_in_a_unit_is_answered_with_its_line(auditor):
    query = "unit=Westshire+Police/Local+Policing&rank=Constable"
    page = auditor.page(f"{REPORT}?as_at=2026-04-30&{query}")

    assert page.h1 == "Local Policing, Constable, on 30 April 2026: 33% were complete, 1 of 3 people"
    assert table_after(page, LINE)[0] == ["30 April 2026", "33% – 1 of 3"]
    assert set(people(page)) == {"S1", "D1001", "N1", "S2"}
    assert page.links["31 March 2026"] == (
        f"{REPORT}?as_at=2026-03-31&unit=Westshire+Police%2FLocal+Policing&rank=Constable"
    )


def figures(page: Page) -> list[str]:
    return [words(figure) for figure in page.all("dl", class_="portal-figures--report")[0]]


SEPTEMBER = datetime(2026, 9, 15, 9, tzinfo=UTC)
LATE = {"L1": 1, "L2": 30, "L3": 31, "L4": 90, "L5": 91, "A1": 0, "A2": -30, "A3": -31}  # days


@pytest.fixture
def september(client):
    """The overdue of every band on its first and last day, as the auditor."""
    with time_machine.travel(SEPTEMBER, tick=False):
        world = make_world()
        for number, days in LATE.items():
            person = world.person(number, "crime", surname=f"Zed {number}")
            due = SEPTEMBER.date() - timedelta(days)
            make_exclusion(person, world.directive, date(2026, 3, 1), date(2026, 3, 31), due)
        yield enter(client, world, "D6001")


def test_how_long_people_are_overdue_and_who_is_due_soon(september):
    assert figures(september.page(REPORT)) == [
        "Overdue 1 to 30 days 2 people, overdue 1 to 30 days",
        "Overdue 31 to 90 days 2 people, overdue 31 to 90 days",
        "Overdue more than 90 days 4 people, overdue more than 90 days",
        "Due in the next 30 days 2 people, due in the next 30 days",
        "Minutes still to learn 220",
    ]


@pytest.mark.parametrize(
    ("figure", "query", "found"),
    [
        ("2 people, overdue 1 to 30 days", "late=1-30", {"L1", "L2"}),
        ("2 people, overdue 31 to 90 days", "late=31-90", {"L3", "L4"}),
        ("4 people, overdue more than 90 days", "late=over-90", {"L5", "S1", "N2", "D1001"}),
        ("2 people, due in the next 30 days", "due=30", {"A1", "A2"}),
    ],
)
def test_each_figure_leads_to_the_people_behind_it_on_the_page_and_in_every_file(
    september, figure, query, found
):
    page = september.page(REPORT)

    assert page.links[figure] == f"{REPORT}?{query}#people"
    listed = september.page(f"{REPORT}?{query}")
    assert set(people(listed)) == found
    assert figures(listed) == figures(page)
    assert {row["staff_number"] for row in csv_rows(september, f"?{query}")} == found
    assert {row["staff_number"] for row in xlsx_rows(september, f"?{query}")} == found
    answer = september.get(f"{REPORT}/completions.json?{query}").get_json()
    assert {row["staff_number"] for row in answer["rows"]} == found
    printed = pdf_text(september, f"?{query}")
    assert {number for number in (*LATE, "S1", "N2", "D1001", "N1") if f"({number})" in printed} == found
    wide = parsed(september.get(f"{REPORT}/people.csv?{query}").get_data(as_text=True))
    assert {row["staff_number"] for row in wide} == found
    (chip,) = [text for text in listed.links if text.startswith("Remove the filter")]
    assert people(september.page(listed.links[chip])) == people(page)


@pytest.mark.parametrize("query", ["late=1-30&status=exempt", "due=30&late=1-30"])
def test_a_filter_that_matches_nobody_says_so(auditor, query):
    page = auditor.page(f"{REPORT}?{query}")

    assert people(page) == []
    assert "Nobody matches these filters. Change or clear them." in page.text
    assert csv_rows(auditor, f"?{query}") == []


@pytest.mark.parametrize("query", ["unit=Westshire+Police/Crime&rank=Sergeant", "rank=Staff", "role=audit"])
def test_a_group_of_nobody_gets_a_sentence_and_no_drawing(auditor, query):
    page = auditor.page(f"{REPORT}?{query}")

    assert "nobody is counted" in page.text
    assert "Nobody you can see matches these filters." in page.text
    assert not drawings(page)
    assert not page.all("table")


def test_minutes_are_not_told_of_a_past_position(auditor):
    told = figures(auditor.page(f"{REPORT}?as_at=2026-05-20"))

    assert told[-2:] == [
        "Due in the 30 days after 0 people",
        "Minutes still to learn Not available for past dates",
    ]


def test_who_holds_another_requirement_for_years_is_still_late_since_the_due_date(client):
    """The end of what is held says nothing of what is missing."""
    with time_machine.travel(TODAY, tick=False):
        world = make_world()
        directive = add(Directive(reference="YEARS-1"))
        make_version(directive, world.activities, effective_on=date(2026, 1, 1), validity_months=36)
        make_record(world.people["N2"], world.activities[1], date(2026, 4, 18))
        client = enter(client, world, "D6001")

        assert "N2" in people(client.page("/monitoring/directives/YEARS-1?late=31-90"))
        assert "-" not in "".join(
            days for days in client.page("/monitoring").text.split() if days[1:].isdigit()
        )


def test_a_completion_that_lapsed_is_late_since_its_last_day(client):
    with time_machine.travel(TODAY, tick=False):
        world = make_world()
        directive = add(Directive(reference="LAPSE-1"))
        make_version(directive, world.activities, effective_on=date(2026, 1, 1), validity_months=12)
        for activity in world.activities.values():
            make_record(world.people["N2"], activity, date(2025, 5, 20))
        client = enter(client, world, "D6001")

        assert people(client.page("/monitoring/directives/LAPSE-1?late=1-30")) == ["N2"]


@pytest.mark.usefixtures("database")
@settings(
    max_examples=few_or_many(4, 12),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(world=worlds(), data=st.data())
def test_units_ranks_roles_and_lateness_each_add_up_to_the_whole(
    app: Flask, world: World, data: st.DataObject
) -> None:
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        reference, activity = ask_rank()
        _, ids = build(world, reference)
        with transaction():
            stamp()
            touch(people=ids)
        for person in ids:
            if data.draw(st.booleans()):
                make_record(person, activity, date(2026, 5, 31))
        now = parse_position("", "", now=datetime(2026, 6, 1, 12, tzinfo=UTC), newest=newest_stamp())
        for looking in range(PEOPLE):
            viewer = viewer_of(ids[looking])
            if viewer is None:
                continue
            report = completion_report(viewer, reference, now)
            whole = (report.figures.share.done, report.figures.share.total)
            for lines in (report.units, report.ranks, report.roles):
                assert (sum(line.done for line in lines), sum(line.total for line in lines)) == whole
            late = report.figures.count_people(Status.OVERDUE, Status.EXPIRED)
            everybody = report.scope_of(report.viewer_scope.select_people())
            assert sum(report.outlook.late.values()) == late == count_late_people(everybody)
            for key, count in report.outlook.late.items():
                band = completion_report(viewer, reference, now, Filters(late=key))
                assert band.shown.assigned == count
