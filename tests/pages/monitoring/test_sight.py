"""Visibility of rows: on the page, in every file, on person pages, and by guessed addresses."""

from datetime import date

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.people.models import Post
from portal.platform.db import db, stamp, touch, transaction
from tests.pages.monitoring.reading import csv_rows, xlsx_rows
from tests.pages.monitoring.test_report import people
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

pytestmark = pytest.mark.usefixtures("today")
LOCAL = ["S1", "N2", "D1001", "N1", "S2"]


@pytest.fixture
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.mark.parametrize(
    ("viewer", "seen", "headline"),
    [
        ("D2001", ["D1001", "N1"], "50% complete: 1 of 2 people"),
        ("D2003", LOCAL, "25% complete: 1 of 4 people"),
        ("D2002", ["C1"], "100% complete: 1 of 1 person"),
        ("D6001", ["S1", "N2", "D1001", "N1", "C1", "S2"], "40% complete: 2 of 5 people"),
    ],
)
def test_page_csv_and_workbook_tell_of_the_viewers_own_people_only(client, viewer, seen, headline):
    enter(client, make_world(), viewer)

    page = client.page(REPORT)

    assert page.h1 == headline
    assert people(page) == seen
    assert {row["staff_number"] for row in csv_rows(client)} == set(seen)
    assert {row["staff_number"] for row in xlsx_rows(client)} == set(seen)
    assert set(people(client.page("/monitoring"))) <= set(seen)


@pytest.mark.parametrize(
    "query",
    [
        "?unit=Westshire+Police",
        "?q=D1001",
        "?q=Shah",
        "?status=overdue",
        "?as_at=2026-04-30&as_known_on=2026-04-30&q=D1001",
    ],
)
def test_no_filter_widens_what_another_commands_manager_sees(client, query):
    enter(client, make_world(), "D2002")

    page = client.page(REPORT + query)

    assert "D1001" not in people(page)
    assert "Priya" not in page.text
    assert not {row["staff_number"] for row in csv_rows(client, query)} - {"C1"}
    assert not {row["staff_number"] for row in xlsx_rows(client, query)} - {"C1"}


@pytest.mark.parametrize("query", ["?unit=Westshire+Police/Local+Policing", "?role=response"])
def test_a_filter_of_others_is_unknown_to_another_commands_manager(client, query):
    enter(client, make_world(), "D2002")

    page = client.page(REPORT + query, 400)

    assert people(page) == ["C1"]
    assert "Priya" not in page.text
    for name in ("completions.csv", "completions.xlsx"):
        assert client.get(f"{REPORT}/{name}{query}").status_code == 400


def test_another_commands_manager_opens_no_page_of_theirs(client):
    enter(client, make_world(), "D2002")

    client.page("/people/D1001", 404)
    client.page("/people/D1001?as_at=2026-04-30", 404)
    assert client.page("/people/NOBODY", 404).h1 == client.page("/people/D1001", 404).h1
    assert "D1001" not in client.page("/people").links.values()
    assert "0 people found" in client.page("/people?q=Shah").h1
    client.page("/people/C1")


def test_a_sergeant_opens_direct_reports_and_nobody_else_of_the_same_unit(client):
    enter(client, make_world(), "D2001")

    assert client.page("/people/D1001").h1.startswith("Priya Shah")
    client.page("/people/N2", 404)
    assert {"Shah, Priya", "Brennan, Siobhan"} <= set(client.page("/people").links)
    assert "Castell, Imogen" not in client.page("/people").links


def test_who_moved_away_stays_in_the_past_row_without_a_link(client):
    world = make_world()
    moved = world.people["D1001"]
    with transaction():
        at = stamp()
        old = db.session.scalars(select(Post).where(Post.person_id == moved)).one()
        common = {"recorded_at": at, "person_id": moved, "rank_or_grade": "Constable"}
        db.session.add(
            Post(
                replaces_id=old.id,
                post_key="",
                designated_role="response",
                unit_id=old.unit_id,
                line_manager_id=old.line_manager_id,
                valid_from=old.valid_from,
                valid_to=date(2026, 5, 14),
                **common,
            )
        )
        db.session.flush()
        db.session.add(
            Post(
                post_key="",
                designated_role="response",
                unit_id=world.units["crime"],
                line_manager_id=world.people["D2002"],
                valid_from=date(2026, 5, 15),
                **common,
            )
        )
        touch(people=[moved])
    enter(client, world, "D2001")

    today, past = client.page(REPORT), client.page(f"{REPORT}?as_at=2026-05-14")

    assert people(today) == ["N1"]
    assert people(past) == ["D1001", "N1"]
    assert "Shah, Priya" not in past.links
    assert "Brennan, Siobhan" in past.links


def test_a_learner_without_a_grant_is_refused_every_page_and_file(client):
    enter(client, make_world(), "D1001")

    for path in (
        "/monitoring",
        REPORT,
        f"{REPORT}/completions.csv",
        f"{REPORT}/completions.xlsx",
        "/people",
        "/people/N1",
    ):
        client.page(path, 403)


def test_nobody_signed_in_is_sent_to_sign_in(client):
    make_world()

    for path in ("/monitoring", f"{REPORT}/completions.csv", "/people/D1001"):
        response = client.get(path)
        assert response.status_code == 303
        assert response.location.startswith("/sign-in")
