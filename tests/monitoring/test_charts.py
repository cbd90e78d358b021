"""The line over time, the bars and the figures of a report, and the people behind each of them."""

from datetime import UTC, date, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portal.db import newest_stamp, stamp, touch, transaction
from portal.monitoring.over_time import month_ends, over_time
from portal.monitoring.position import position
from portal.monitoring.queries import completion_report
from portal.people.queries import viewer_of
from tests.monitoring.test_any_viewer import ask_rank
from tests.monitoring.world import REPORT, TODAY, enter, make_world
from tests.pages import H, Page, words
from tests.people.worlds import PEOPLE, World, build, worlds
from tests.standing.facts import make_record


@pytest.fixture
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def auditor(today, client):
    return enter(client, make_world(), "D6001")


def table_after(page: Page, caption: str) -> list[list[str]]:
    """The rows of the table with this caption, without its head."""
    tables = [t for t in page.all("table") if words(next(t.iter(f"{H}caption"))) == caption]
    assert len(tables) == 1, caption
    rows = [
        [words(cell) for cell in row if cell.tag in (f"{H}td", f"{H}th")] for row in tables[0].iter(f"{H}tr")
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
        ["1 June 2026", "40%", "2 of 5"],
        ["31 May 2026", "40%", "2 of 5"],
        ["30 April 2026", "40%", "2 of 5"],
    ]
    assert rows[-1] == ["30 June 2025", "–", "Nobody was required"]
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
    assert rows[0] == ["30 April 2026", "20%", "1 of 5"]
    assert rows[1] == ["31 March 2026", "0%", "0 of 6"]
    march = auditor.page(page.links["31 March 2026"])
    assert march.h1 == "On 31 March 2026, 0% were complete: 0 of 6 people"
    assert "as known at the end of 30 April 2026" in march.text


def test_no_line_is_drawn_where_nobody_was_required(auditor):
    page = auditor.page(f"{REPORT}?as_at=2025-12-31")

    assert not drawings(page)
    assert "A line stands here once" in page.text


@pytest.mark.usefixtures("database")
@settings(
    max_examples=12,
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
            report = completion_report(viewer, reference, position("", "", now=now, newest=newest))
            for point in over_time(report, month_ends(report.position.as_at)):
                at = position(point.day.isoformat(), "", now=now, newest=newest)
                assert completion_report(viewer, reference, at).figures.share == point.share
