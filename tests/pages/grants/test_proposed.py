"""Managers proposed from line management."""

from datetime import date

import pytest
from flask import Flask

from portal.domain.people.queries import viewer_of, visibility_of
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient, words
from tests.pages.account.browsing import make_account, sign_in
from tests.pages.grants.granting import (
    PROPOSED,
    count_live_grants,
    make_team,
    signed_in_administrator,
    subjects_of,
    table_rows,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def admin(client: PortalClient) -> PortalClient:
    return signed_in_administrator(client)


def test_managers_are_proposed_chosen_and_given_in_one_act(app: Flask, admin: PortalClient) -> None:
    force = make_unit("Westshire")
    north, one = make_team("Team 1", "M1", 3, force)
    make_person(north)
    _, two = make_team("Team 2", "M2", 2, force)
    south, three = make_team("Team 3", "M3", 2, force)
    make_grant(three, "manager", south)

    page = admin.page(PROPOSED)
    assert page.h1 == "2 line managers without a grant"
    assert [words(o) for o in page.all("option")] == [
        "Team 1: sees 4 people",
        "Direct reports: sees 3 people",
        "Team 2: sees 2 people",
        "Direct reports: sees 2 people",
    ]
    where = {"where-M1": str(north), "where-M2": ""}
    confirm = admin.press(page, "Continue with those selected", give=["M1", "M2"], **where)
    assert confirm.h1 == "Give 2 grants"
    assert [row[1:] for row in table_rows(confirm)] == [
        ["Team 1", "4 people"],
        ["Direct reports", "2 people"],
    ]
    assert count_live_grants() == 2

    done = admin.press(confirm, "Give 2 grants")
    assert done.h1 == "Every line manager has a grant"
    assert "2 grants given" in done.text
    assert len(visibility_of(viewer_of(one)).unit_ids) == 1
    assert visibility_of(viewer_of(two)).direct_reports_of == two
    assert subjects_of("role.granted") == [one, two]

    again = admin.press(confirm, "Give 2 grants")
    assert "2 grants given already" in again.text
    assert subjects_of("role.granted") == [one, two]


def test_all_are_given_or_none(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    for number in ("M1", "M2"):
        make_team(f"Team {number}", number, 2, force)
    page = admin.page(PROPOSED)
    values = [f"M1:{page.all('option')[0].get('value')}", "M2:999999"]
    token = page.form_with("Continue with those selected").fields["csrf_token"]

    refused = admin.post(
        PROPOSED, data={"csrf_token": token, "confirmed": "yes", "give": values}, follow_redirects=True
    )

    assert "The proposal for M2 has changed since you looked. Nothing was given" in refused.text
    assert count_live_grants() == 1


def test_nobody_is_proposed_whose_people_are_covered_or_who_left(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    unit, boss = make_team("Team 1", "M1", 2, force)
    make_grant(boss, "manager", force)
    _, direct = make_team("Team 2", "M2", 2, force)
    make_grant(direct, "manager")
    gone = make_person(unit, staff_number="M3", until=date(2024, 6, 1))
    make_person(unit, manager=gone)
    alone = make_person(unit, staff_number="M4")
    make_person(unit, manager=alone, until=date(2024, 6, 1))

    assert admin.page(PROPOSED).h1 == "Every line manager has a grant"


def test_a_grant_on_a_part_is_proposed_wider(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    local = make_unit("Local", force)
    one, two = make_unit("Team 1", local), make_unit("Team 2", local)
    boss = make_person(local, staff_number="M1")
    for unit in (one, two):
        make_person(unit, manager=boss)
    make_grant(boss, "manager", one)

    page = admin.page(PROPOSED)

    assert words(page.all("option")[0]) == "Local: sees 2 people"
    assert table_rows(page)[0][4].endswith("Manager today of Team 1")


def test_sight_of_the_whole_force_is_not_what_is_proposed_first(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    one, two = make_unit("One", force), make_unit("Two", force)
    for number, own in (("M1", one), ("C1", force)):
        boss = make_person(own, staff_number=number, surname=number)
        for unit in (one, two):
            make_person(unit, manager=boss)

    options = [words(option) for option in admin.page(PROPOSED).all("option")]

    assert [text.split(":")[0] for text in options] == [
        "Westshire",
        "Direct reports",
        "Direct reports",
        "Westshire",
    ]


def test_nothing_chosen_is_an_error_and_filters_narrow(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    make_team("Team 1", "M1", 1, force)
    make_team("Team 2", "M2", 1, force)

    page = admin.press(admin.page(PROPOSED), "Continue with those selected", 400, give=[])
    assert "Select at least one person" in page.text
    assert len(table_rows(admin.page(f"{PROPOSED}?q=m1"))) == 1
    assert table_rows(admin.page(f"{PROPOSED}?unit=team+2"))[0][2] == "SergeantTeam 2"
    assert "No unit has the path" in admin.page(f"{PROPOSED}?unit=nowhere", 400).text


def test_an_administrator_of_a_unit_is_proposed_what_they_may_give(client: PortalClient) -> None:
    force = make_unit("Westshire")
    mine, _ = make_team("North", "M1", 2, force)
    make_team("South", "M2", 2, force)
    make_grant(make_account("D9001", unit=mine), "administrator", mine)
    sign_in(client, "D9001", path="/sign-in?next=/account")

    page = client.page(PROPOSED)

    assert page.h1 == "1 line manager without a grant"
    assert "M2" not in page.text
    confirm = client.press(page, "Continue with those selected", give="M1", **{"where-M1": ""})
    assert "has changed since you looked" in confirm.text  # direct reports may work anywhere
