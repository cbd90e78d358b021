"""Grants that fit no post any more."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from portal.domain.people.models import Post, RoleGrant, UnitState
from portal.platform.db import db, stamp, transaction
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import another, make_account, sign_in, signed_in
from tests.pages.grants.granting import (
    LIST,
    PROPOSED,
    REVIEW,
    count_live_grants,
    make_team,
    signed_in_administrator,
    subjects_of,
    table_rows,
)
from tests.pages.people.test_account_views import statements

pytestmark = pytest.mark.slow


@pytest.fixture
def admin(client: PortalClient) -> PortalClient:
    return signed_in_administrator(client)


def reasons(page: Page) -> dict[str, str]:
    return {row[1].split(",")[0]: row[5] for row in table_rows(page)}


def test_grants_that_no_longer_fit_are_listed_with_the_reason(app: Flask, admin: PortalClient) -> None:
    force = make_unit("Westshire")
    one, two = make_unit("Team 1", force), make_unit("Team 2", force)
    empty = make_unit("Team 3", force)
    make_person(one)
    make_person(two)
    left = make_person(one, surname="Left", until=date(2025, 5, 3))
    moved = make_person(two, surname="Moved")
    lonely = make_person(empty, surname="Lonely")
    nobody = make_person(two, surname="Nobody")
    double = make_person(one, surname="Double")
    fits, over, audits = (make_person(two, surname=name) for name in ("Fits", "Over", "Audits"))
    for person, role, unit in (
        (left, "manager", one),
        (moved, "manager", one),
        (lonely, "manager", empty),
        (nobody, "manager", None),
        (double, "manager", one),
        (double, "manager", force),
        (fits, "manager", two),
        (over, "auditor", None),
        (over, "auditor", two),
        (audits, "auditor", one),  # given for a unit of others on purpose
    ):
        make_grant(person, role, unit)

    page = admin.page(REVIEW)

    assert page.h1 == "6 grants to look at again"
    assert reasons(page) == {
        "Left": "No post since 3 May 2025.",
        "Moved": "The post is now elsewhere: Team 2.",
        "Lonely": "Nobody else has a post in this unit or below it.",
        "Nobody": "Nobody has this person as line manager.",
        "Double": "Covered by the same role on Westshire.",
        "Over": "Covered by the same role on the whole force.",
    }


def test_an_auditor_who_moved_away_from_the_unit_is_listed(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    one, two = make_unit("Team 1", force), make_unit("Team 2", force)
    person = make_person(one, surname="Walsh", since=date(2019, 1, 1), until=date(2025, 1, 31))
    make_grant(person, "auditor", one)
    move_on(person, two)

    assert reasons(admin.page(REVIEW)) == {"Walsh": "The post is now elsewhere: Team 2."}


def test_a_grant_on_a_unit_that_ended_and_one_given_twice_are_listed(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    unit, gone = make_unit("Team 1", force), make_unit("Team 2", force)
    person, twice = (
        make_person(unit, surname="Walsh", staff_number="D6001"),
        make_person(unit, surname="Twice"),
    )
    with transaction():
        state = db.session.scalars(select(UnitState).where(UnitState.unit_id == gone)).one()
        db.session.add(
            UnitState(
                recorded_at=stamp(),
                replaces_id=state.id,
                unit_id=gone,
                name="Team 2",
                parent_id=force,
                valid_from=state.valid_from,
                valid_to=date(2025, 5, 3),
            )
        )
    make_grant(person, "auditor", gone)
    for _ in range(2):
        make_grant(twice, "auditor", unit)

    page = admin.page(REVIEW)

    assert reasons(page) == {
        "Walsh": "The unit ended on 3 May 2025.",
        "Twice": "Given twice: this person has the same role on the same unit.",
    }
    assert len(table_rows(page)) == 2  # one of the two may stay
    assert [row[3] for row in table_rows(page)] == ["Team 1", "Team 2"]
    assert table_rows(admin.page("/people/D6001/account"))[0][1] == "Team 2"
    assert reasons(admin.page(f"{REVIEW}?unit=team+1")).keys() == {"Twice"}
    assert reasons(admin.page(f"{REVIEW}?q=wal")).keys() == {"Walsh"}
    assert "None of them matches" in admin.page(f"{REVIEW}?q=zzzz").text
    assert "No unit has the path" in admin.page(f"{REVIEW}?unit=roads", 400).text


def move_on(person: int, unit: int) -> None:
    """A second post of the main kind, from February 2025 on."""
    with transaction():
        db.session.add(
            Post(
                recorded_at=stamp(),
                person_id=person,
                rank_or_grade="Constable",
                designated_role="response",
                unit_id=unit,
                valid_from=date(2025, 2, 1),
            )
        )


def test_several_are_ended_at_once_audited_and_signed_out(app: Flask, admin: PortalClient) -> None:
    force = make_unit("Westshire")
    unit = make_unit("Team 1", force)
    one, two = make_account("L1", unit=unit), make_account("L2", unit=unit)
    for person in (one, two):
        make_grant(person, "manager")
    holder = another(app)
    sign_in(holder, "L1", path="/sign-in?next=/account")
    page = admin.page(REVIEW)
    boxes = [box.get("value") for box in page.all("input", name="end")]
    assert len(boxes) == 2
    assert "Select at least one grant" in admin.press(page, "Continue with those selected", 400).text

    confirm = admin.press(page, "Continue with those selected", end=boxes)
    assert confirm.h1 == "End 2 grants"
    assert count_live_grants() == 3
    done = admin.press(confirm, "End 2 grants")

    assert done.h1 == "Every grant fits a post"
    assert "2 grants ended." in done.text
    assert not signed_in(holder)
    assert subjects_of("role.revoked") == [one, two]
    assert "have ended already" in admin.press(confirm, "End 2 grants").text
    assert subjects_of("role.revoked") == [one, two]


def test_a_grant_that_fits_cannot_be_ended_here(admin: PortalClient) -> None:
    fits = db.session.scalars(select(RoleGrant)).one()
    token = admin.page(LIST).form_with("Sign out").fields["csrf_token"]

    admin.post(REVIEW, data={"csrf_token": token, "confirmed": "yes", "end": str(fits.id)})

    assert count_live_grants() == 1
    assert subjects_of("role.revoked") == []


def test_long_lists_ask_no_more_than_short_ones(app: Flask, admin: PortalClient) -> None:
    force = make_unit("Westshire")

    def add(number: int) -> None:
        unit, boss = make_team(f"Team {number}", f"M{number}", 1, force)
        make_grant(boss, "auditor", unit)
        make_grant(make_person(unit, surname=f"Lost {number}"), "manager")

    def asked() -> dict[str, int]:
        return {path: statements(admin, path) for path in (LIST, f"{LIST}?state=all", PROPOSED, REVIEW)}

    for number in range(2):
        add(number)
    few = asked()
    for number in range(2, 20):
        add(number)

    assert asked() == few
