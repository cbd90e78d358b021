"""The list of all grants, last days, and the last administrator."""

from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.domain.people.models import RoleGrant
from portal.domain.people.queries import viewer_of
from portal.platform.db import db
from tests.domain.imports.rosters import run
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient, words
from tests.pages.account.browsing import make_account, sign_in, signed_in
from tests.pages.grants.granting import (
    LIST,
    count_live_grants,
    signed_in_administrator,
    subjects_of,
    table_rows,
)

pytestmark = pytest.mark.slow

TODAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def admin(client: PortalClient) -> PortalClient:
    return signed_in_administrator(client)


def test_the_list_says_who_may_do_what_where_since_when_and_given_by_whom(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    make_person(make_unit("Team 1", force), staff_number="D2001", surname="Okafor", forenames="Daniel")
    page = admin.page("/people/D2001/account")
    unit = next(o.get("value") for o in page.all("option") if words(o) == "Team 1")
    admin.press(page, "Grant role", role="manager", unit=unit, until="31 March 2099")

    found = table_rows(admin.page(LIST))

    name, role, where, _, until, given = found[0]
    assert (name, role, where) == ("Okafor, DanielD2001", "Manager", "Team 1")
    assert until == "31 March 2099"
    assert given.startswith("Shah, Priya")
    assert found[1][1:5] == ["Administrator", "Whole force", "1 January 2020", "None"]
    assert found[1][5].startswith("By command")
    assert admin.page(LIST).links["Okafor, Daniel"] == "/people/D2001/account"


def test_the_list_is_filtered_by_address(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    north, south = make_unit("North", force), make_unit("South", force)
    team = make_unit("Team 1", north)
    for number, role, unit in (
        ("N1", "manager", north),
        ("S1", "manager", south),
        ("A1", "auditor", None),
        ("M1", "manager", None),
    ):
        make_grant(make_person(team, staff_number=number, surname=number), role, unit)

    def numbers(query: str) -> set[str]:
        return {row[0].split(", Priya")[0] for row in table_rows(admin.page(f"{LIST}?{query}"))} - {"Shah"}

    assert numbers("q=n1") == {"N1"}
    assert numbers("role=manager") == {"N1", "S1", "M1"}
    assert numbers("unit=Westshire/North/Team+1") == {"N1", "A1"}
    assert numbers("unit=south") == {"S1", "A1"}
    assert numbers("role=manager&unit=south") == {"S1"}
    assert "“chief” is not a known role." in admin.page(f"{LIST}?role=chief", status=400).text
    assert "No grant matches" in admin.page(f"{LIST}?q=zzzz").text


def test_an_unknown_unit_and_a_name_of_several_are_said(admin: PortalClient) -> None:
    force = make_unit("Westshire")
    for above in ("North", "South"):
        make_unit("Team 1", make_unit(above, force))

    assert "No unit has the path or name “Roads” today." in admin.page(f"{LIST}?unit=Roads", 400).text
    said = admin.page(f"{LIST}?unit=team+1", 400)
    assert "2 units have the name “team 1”" in said.text
    assert said.title.startswith("Error: ")


def test_ended_grants_stand_under_their_filter_with_who_ended_them(admin: PortalClient) -> None:
    make_grant(make_person(make_unit("Contact"), staff_number="D6001", surname="Walsh"), "auditor")
    admin.press(admin.page("/people/D6001/account"), "End role Auditor")

    assert "Walsh" not in admin.page(LIST).text
    (ended,) = table_rows(admin.page(f"{LIST}?state=ended"))
    assert ended[0].startswith("Walsh")
    assert ended[6].startswith("Shah, Priya")
    assert len(table_rows(admin.page(f"{LIST}?state=all"))) == 2


def test_the_list_is_sorted_by_its_heads_and_paged(admin: PortalClient) -> None:
    unit = make_unit("Contact")
    for number in range(30):
        make_grant(make_person(unit, staff_number=f"P{number:02}", surname=f"Name {number:02}"), "auditor")

    first = admin.page(f"{LIST}?sort=-person")
    assert len(table_rows(first)) == 25
    assert "Showing 1 to 25 of 31" in first.text
    assert table_rows(first)[1][0].startswith("Name 29")
    assert table_rows(admin.page(f"{LIST}?sort=person"))[0][0].startswith("Name 00")
    assert first.links["Person"] == f"{LIST}?sort=person"
    assert len(table_rows(admin.page(f"{LIST}?sort=-person&page=2"))) == 6


def test_an_administrator_of_a_unit_is_told_of_nobody_else(client: PortalClient) -> None:
    force = make_unit("Force")
    mine, other = make_unit("North", force), make_unit("South", force)
    far = make_account("D9002", unit=other)
    make_grant(far, "administrator")
    make_grant(make_account("D9001", unit=mine), "administrator", mine)
    near = make_person(mine, staff_number="D2001", surname="Near")
    make_grant(near, "manager", mine)
    db.session.scalars(select(RoleGrant).where(RoleGrant.person_id == near)).one().given_by_id = far
    sign_in(client, "D9001", path="/sign-in?next=/account")

    page = client.page(LIST)

    assert [row[0] for row in table_rows(page)] == ["Near, PriyaD2001", "Shah, PriyaD9001"]
    assert table_rows(page)[0][5].startswith("Another administrator")


@pytest.mark.parametrize(("written", "said"), [("1 March 2020", "today or later"), ("soon", "Enter a date")])
def test_a_last_day_that_is_over_or_no_day_is_refused(admin: PortalClient, written: str, said: str) -> None:
    make_person(make_unit("Contact"), staff_number="D1001")

    page = admin.press(admin.page("/people/D1001/account"), "Grant role", role="auditor", until=written)

    assert said in page.text
    assert page.title.startswith("Error: ")
    assert count_live_grants() == 1


def test_a_role_holds_on_its_last_day_and_not_on_the_next(app: Flask, client: PortalClient) -> None:
    with time_machine.travel(TODAY, tick=False) as clock:
        make_grant(make_account("D9001"), "administrator")
        person = make_person(make_unit("Contact"), staff_number="D1001")
        sign_in(client, "D9001", path="/sign-in?next=/account")
        client.press(
            client.page("/people/D1001/account"), "Grant role", role="auditor", unit="", until="3/3/2026"
        )

        clock.move_to(datetime(2026, 3, 3, 23, 0, tzinfo=UTC))
        assert viewer_of(person).roles == {"auditor"}
        clock.move_to(datetime(2026, 3, 4, 0, 0, tzinfo=UTC))
        assert viewer_of(person).roles == frozenset()
        sign_in(client, "D9001", path="/sign-in?next=/account")
        (ended,) = table_rows(client.page(f"{LIST}?state=ended"))
        assert ended[6] == "Ran out"


def test_what_was_said_last_of_a_role_holds(admin: PortalClient) -> None:
    person = make_person(make_unit("Contact"), staff_number="D1001")
    for until in ("", "31 March 2099", "31 March 2099", ""):
        admin.press(admin.page("/people/D1001/account"), "Grant role", role="auditor", unit="", until=until)

    rows_of = select(RoleGrant).where(RoleGrant.person_id == person).order_by(RoleGrant.id)
    kept = [(grant.valid_to.year, grant.ended_at is None) for grant in db.session.scalars(rows_of)]
    assert kept == [(9999, False), (2099, False), (9999, True)]
    assert subjects_of("role.granted") == [person] * 3


def test_the_last_administrator_cannot_give_up_the_role(app: Flask, admin: PortalClient) -> None:
    page = admin.page("/people/D9001/account")

    refused = admin.press(page, "End role Administrator")
    assert "You are the last administrator who can sign in" in refused.text
    assert signed_in(admin)
    assert count_live_grants() == 1

    make_grant(make_person(make_unit("Contact"), staff_number="D9003"), "administrator")  # no password
    assert "the last administrator" in admin.press(page, "End role Administrator").text
    make_grant(make_account("D9002"), "administrator")
    assert admin.press(page, "End role Administrator").h1 == "Sign in"
    assert not signed_in(admin)


def test_the_command_gives_a_last_day_and_takes_it_back(app: Flask, admin: PortalClient) -> None:
    person = make_person(make_unit("Contact"), staff_number="D1001")
    grant = ("people", "grant", "D1001", "auditor")

    assert "is now auditor" in run(app, *grant, "--until", "2099-01-01").stdout
    assert table_rows(admin.page(f"{LIST}?q=D1001"))[0][4] == "1 January 2099"
    assert "is now auditor" in run(app, *grant).stdout
    assert "was already auditor" in run(app, *grant).stdout
    assert table_rows(admin.page(f"{LIST}?q=D1001"))[0][4] == "None"
    refused = run(app, *grant, "--until", "2020-01-01")
    assert (refused.exit_code, "must be today or later" in refused.stderr) == (1, True)
    assert viewer_of(person).roles == {"auditor"}
