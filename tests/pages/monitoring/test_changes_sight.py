"""The page of changes says only what its viewer may know, also when people come into sight or leave it."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
import time_machine

from portal.domain.people.units import move_unit
from portal.platform.db import stamp, transaction
from tests.domain.status.facts import make_exclusion, make_record
from tests.page_reading import Page, PortalClient
from tests.pages.monitoring.moving import correct, move
from tests.pages.monitoring.reading import csv_rows
from tests.pages.monitoring.world import MAY, REPORT, TODAY, World, enter, make_world

CHANGES = f"{REPORT}/changes"
GONE = "Not in a unit you can see at this date"
ELSEWHERE = ("Superintendent", "custody", "Crime", "Not required", "Frost")
MOVED = "?from_as_at=2026-05-20&as_at=2026-06-01"


@pytest.fixture
def world(database: None) -> Iterator[World]:
    made = make_world()
    with time_machine.travel(TODAY, tick=False):
        yield made


@pytest.fixture
def gone(world: World) -> World:
    """N2 of the north leaves for Crime, with another rank and role, on 28 May."""
    away = {"rank_or_grade": "Superintendent", "designated_role": "custody"}
    move(world, "N2", "crime", on=date(2026, 5, 28), line_manager_id=world.people["D2002"], **away)
    return world


def row_of(page: Page, name: str) -> str:
    return next(text for text in (words_of(row) for row in page.all("tr")) if name in text)


def words_of(row) -> str:
    return re.sub(r"\s+", " ", "".join(row.itertext())).strip()


def test_who_left_sight_is_said_to_be_out_of_sight_and_nothing_more_is_told(
    client: PortalClient, gone: World
) -> None:
    enter(client, gone, "D2003")
    page = client.page(f"{CHANGES}{MOVED}")

    row = row_of(page, "Castell")
    assert f"Overall: Overdue, then {GONE}" in row
    assert "Response, North, from 1 January 2024 to 27 May 2026. Recorded at 10:00 on 1 June 2026." in row
    assert [word for word in ELSEWHERE if word in page.text] == []
    assert "/people/N2" not in page.links.values()


def test_out_of_sight_is_counted_apart_so_that_the_sums_agree(client: PortalClient, gone: World) -> None:
    enter(client, gone, "D2003")
    page = client.page(f"{CHANGES}{MOVED}")

    assert page.h1 == "No status changed"
    assert (
        "1 more person is listed but not counted: they were in a unit you can see in only one of" in page.text
    )
    before, after = (people(client, f"?as_at={day}") for day in ("2026-05-20", "2026-06-01"))
    assert before - after == {"N2"}
    assert after - before == set()


def people(client: PortalClient, query: str) -> set[str]:
    return {row["staff_number"] for row in csv_rows(client, query)}


def test_backwards_the_same_person_was_out_of_sight_before(client: PortalClient, gone: World) -> None:
    enter(client, gone, "D2003")
    page = client.page(f"{CHANGES}?from_as_at=2026-06-01&as_at=2026-05-20")

    assert f"Overall: {GONE}, then Overdue" in row_of(page, "Castell")
    assert [word for word in ELSEWHERE if word in page.text] == []


def test_who_came_from_elsewhere_was_out_of_sight_and_brings_nothing_along(
    client: PortalClient, gone: World
) -> None:
    enter(client, gone, "D2002")
    page = client.page(f"{CHANGES}{MOVED}")
    assert page.h1 == "Nobody" or "Castell" not in page.text  # custody is not asked

    move(gone, "S1", "crime", on=date(2026, 5, 29), rank_or_grade="Detective")
    page = client.page(f"{CHANGES}{MOVED}")
    row = row_of(page, "Whitlock")
    assert f"Overall: {GONE}, then Overdue" in row
    assert "Detective, role response, Crime, from 29 May 2026." in row
    assert [word for word in ("Constable", "South", "North", "Castell") if word in page.text] == []


def test_a_sergeant_of_direct_reports_reads_of_posts_under_them_alone(
    client: PortalClient, world: World
) -> None:
    move(world, "D1001", "north", on=date(2026, 5, 28), line_manager_id=None, designated_role="custody")
    enter(client, world, "D2001")
    page = client.page(f"{CHANGES}{MOVED}")

    row = row_of(page, "Shah")
    assert "then Not one of your direct reports at this date" in row
    assert "custody" not in page.text
    assert page.h1 == "No status changed"


def test_a_role_that_asks_nothing_within_sight_is_not_required_and_counts(
    client: PortalClient, world: World
) -> None:
    move(world, "N2", "north", on=date(2026, 5, 28), designated_role="custody")
    enter(client, world, "D2003")
    page = client.page(f"{CHANGES}{MOVED}")

    assert page.h1 == "1 person’s status changed"
    assert "Overall: Overdue, then Not required in a post you can see" in row_of(page, "Castell")
    assert "role custody, Response, North, from 28 May 2026." in row_of(page, "Castell")


def test_what_happened_out_of_sight_on_the_day_of_leaving_is_not_told(
    client: PortalClient, gone: World
) -> None:
    make_record(gone.people["N2"], gone.activities[1], date(2026, 5, 28))
    make_exclusion(gone.people["N2"], gone.directive, date(2026, 5, 28))
    enter(client, gone, "D2003")
    page = client.page(f"{CHANGES}{MOVED}")

    row = row_of(page, "Castell")
    assert "Completed in another system" not in row
    assert "Exempt" not in row


def test_a_correction_that_takes_somebody_out_of_sight_names_only_what_was_seen(
    client: PortalClient, world: World
) -> None:
    correct(world, "N2", "crime", rank_or_grade="Superintendent", line_manager_id=world.people["D2002"])
    enter(client, world, "D2003")
    same_day = "from_as_at=2026-05-20&from_as_known_on=2026-05-20&as_at=2026-05-20"
    page = client.page(f"{CHANGES}?{same_day}")

    row = row_of(page, "Castell")
    assert f"Overall: Overdue, then {GONE}" in row
    assert "Response, North, from 1 January 2024. Withdrawn. Recorded at 10:00 on 1 June 2026." in row
    assert [word for word in ELSEWHERE if word in page.text] == []


def test_the_report_says_the_same_of_who_is_out_of_sight_as_known_now(
    client: PortalClient, world: World
) -> None:
    correct(world, "N2", "crime", designated_role="custody")
    enter(client, world, "D2003")
    page = client.page(f"{REPORT}?as_at=2026-05-20&as_known_on=2026-05-20")

    assert f"Castell, Imogen: Overdue, as known now {GONE}" in page.text
    assert "No status changed" in page.text
    assert "Not required" not in page.text


def test_an_exclusion_that_was_moved_to_days_out_of_sight_is_only_withdrawn(
    client: PortalClient, world: World
) -> None:
    with time_machine.travel(MAY, tick=False):
        first = make_exclusion(world.people["N2"], world.directive, date(2026, 5, 1))
    move(world, "N2", "crime", on=date(2026, 5, 28))
    make_exclusion(world.people["N2"], world.directive, date(2026, 5, 29), replaces_id=first)
    enter(client, world, "D2003")
    same_day = "from_as_at=2026-05-20&from_as_known_on=2026-05-20&as_at=2026-05-20"
    page = client.page(f"{CHANGES}?{same_day}")

    row = row_of(page, "Castell")
    assert "Overall: Exempt, then Overdue" in row
    assert "Exempt, secondment, from 1 May 2026. Withdrawn." in row
    assert "29 May" not in row
    assert page.h1 == "1 person’s status changed"


def test_a_unit_that_moved_elsewhere_is_named_only_to_who_sees_it(client: PortalClient, world: World) -> None:
    with transaction():
        old, new = "Westshire Police/Crime", "Westshire Police/Local Policing/Crime"
        move_unit(old, new, on=date(2026, 5, 28), at=stamp())
    make_record(world.people["N2"], world.activities[1], date(2026, 5, 28))
    enter(client, world, "D2001")
    make_record(world.people["D1001"], world.activities[1], date(2026, 5, 28))

    page = client.page(f"{CHANGES}{MOVED}")

    assert "Shah" in page.text
    assert "Unit" not in row_of(page, "Shah")
