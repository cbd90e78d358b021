"""Nobody gives themself a role, and a role that works for the whole force is given for nothing less."""

import pytest
from flask import Flask
from sqlalchemy import select

from portal.domain.accounts import services
from portal.domain.accounts.grants import changes
from portal.domain.people.models import RoleGrant, UnitState
from portal.domain.people.queries import viewer_of
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import UNIT_ROLES, Permission, Role
from tests.domain.imports.rosters import run
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import PASSWORD, another, make_account, sign_in
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

OWN = "/people/D9001/account"
WHOLE_FORCE_ROLES = sorted(set(Role) - UNIT_ROLES)


@pytest.fixture
def admin(client: PortalClient) -> PortalClient:
    return signed_in_administrator(client)


def token(client: PortalClient) -> str:
    return client.page("/account").form_with("Sign out").fields["csrf_token"][0]


@pytest.mark.parametrize("role", list(Role))
def test_an_administrator_gives_themself_no_role(admin: PortalClient, role: Role) -> None:
    page = admin.page(OWN)
    assert "Another administrator must give you a role" in page.text
    assert "Grant role" not in [button for form in page.forms() for button in form.buttons]

    sent = {"csrf_token": token(admin), "role": role.value, "unit": "", "until": "31 March 2099"}
    answer = admin.post(f"{OWN}/grants", data=sent, follow_redirects=True)

    assert "You cannot give yourself a role" in answer.get_data(as_text=True)
    assert count_live_grants() == 1
    assert subjects_of("role.granted") == []


def test_no_proposal_is_for_the_one_who_gives(client: PortalClient) -> None:
    unit, boss = make_team("Team 1", "D9001", 2)
    make_account_of(boss)
    make_grant(boss, "administrator")
    make_team("Team 2", "D9002", 1)
    sign_in(client, "D9001", path="/sign-in?next=/account")
    page = client.page(PROPOSED)
    assert [row[1] for row in table_rows(page)] == ["Boss D9002, PriyaD9002"]
    assert "another administrator must give it to you" in page.text

    for where in ("", str(unit)):
        forged = {"csrf_token": token(client), "give": f"D9001:{where}", "confirmed": "yes"}
        answer = client.post(PROPOSED, data=forged, follow_redirects=True)
        assert "You cannot give yourself a role" in answer.get_data(as_text=True)
    assert count_live_grants() == 1


def make_account_of(person: int) -> None:
    with transaction():
        services.set_password(person, PASSWORD, clock.now())


def test_several_grants_with_an_own_one_among_them_are_refused_as_a_whole(admin: PortalClient) -> None:
    me = db.session.scalars(select(RoleGrant.person_id)).one()
    other = make_person(make_unit("Contact"))
    wanted = [changes.NewGrant(person, Role.MANAGER, None) for person in (other, me)]
    with pytest.raises(RuleError, match="You cannot give yourself a role"), transaction():
        changes.give_grants(wanted, by=me, at=clock.now())

    assert count_live_grants() == 1


def test_nobody_moves_a_unit_under_one_on_which_they_hold_a_role(admin: PortalClient) -> None:
    """Else an administrator who is a directive owner of the north could become that of the south."""
    me = db.session.scalars(select(RoleGrant.person_id)).one()
    force = make_unit("Force")
    north, south = make_unit("North", force), make_unit("South", force)
    make_unit("Team", south)
    make_grant(me, "directive-owner", north)
    before = len(db.session.scalars(select(UnitState)).all())

    form = admin.page("/units/move?unit=Force/South/Team")
    page = admin.press(form, "Continue", above=str(north), on="1 March 2099")
    assert "would widen your own role: Directive owner on Force/North" in page.text
    sent = {
        "csrf_token": token(admin),
        "confirmed": "yes",
        "path": "Force/South/Team",
        "new_path": "Force/North/Team",
        "on": "2099-03-01",
    }
    answer = admin.post("/units/move", data=sent, follow_redirects=True)

    assert "would widen your own role" in answer.get_data(as_text=True)
    assert len(db.session.scalars(select(UnitState)).all()) == before
    make_grant(me, "directive-owner")  # of the whole force: nothing is left to widen
    done = admin.page("/units/move?unit=Force/South/Team")
    shown = admin.press(done, "Continue", above=str(north), on="1 March 2099")
    assert "would widen your own role" not in shown.text


def test_the_command_line_may_give_the_first_role(app: Flask, database: None) -> None:
    person = make_person(make_unit("Contact"), staff_number="D9001")

    assert run(app, "people", "grant", "D9001", "administrator").exit_code == 0
    viewer = viewer_of(person)
    assert viewer is not None
    assert viewer.roles == {Role.ADMINISTRATOR}


@pytest.mark.parametrize("role", WHOLE_FORCE_ROLES)
def test_a_role_for_the_whole_force_is_refused_on_a_unit(app: Flask, admin: PortalClient, role: Role) -> None:
    unit = make_unit("Contact")
    make_person(unit, staff_number="D1001")
    words = role.replace("-", " ").capitalize()

    page = admin.press(admin.page("/people/D1001/account"), "Grant role", role=role.value, unit=str(unit))
    assert f"{words} is a role for the whole force: it cannot be given for a unit" in page.text
    assert page.title.startswith("Error: ")
    typed = run(app, "people", "grant", "D1001", role.value, "--unit", "Contact")
    assert typed.exit_code == 1
    assert f"{words} is a role for the whole force: it cannot be given for a unit." in typed.stderr
    assert "Refused: nothing was changed." in typed.stderr
    assert count_live_grants() == 1

    assert run(app, "people", "grant", "D1001", role.value).exit_code == 0
    assert count_live_grants() == 2


@pytest.mark.parametrize("role", WHOLE_FORCE_ROLES)
def test_such_a_role_that_is_held_on_a_unit_gives_nothing_and_is_listed(
    app: Flask, admin: PortalClient, role: Role
) -> None:
    """As an earlier release gave it."""
    unit = make_unit("Contact")
    person = make_account("D3001", unit=unit)
    make_grant(person, role, unit)
    viewer = viewer_of(person)
    assert viewer is not None
    assert viewer.roles == frozenset()
    assert viewer.permissions == {
        p for p in viewer.permissions if ":own:" in p or "learning" in p or "take" in p
    } | {Permission.RECORD_VIEW}
    holder = another(app)
    sign_in(holder, "D3001", path="/sign-in?next=/account")
    assert holder.get("/authoring").status_code == 403
    assert holder.get("/force-settings").status_code == 403

    (row,) = table_rows(admin.page(REVIEW))
    assert row[5] == "This role has no effect on a unit. If it is needed, give it for the whole force."
    assert table_rows(admin.page(f"{LIST}?q=D3001"))[0][2] == "Contact (no effect on a unit)"
    page = admin.press(admin.page("/people/D3001/account"), f"End role {role.capitalize()} Contact")
    assert "Role ended" in page.text


def test_an_administrator_of_a_unit_sets_nothing_that_every_page_shows(client: PortalClient) -> None:
    unit = make_unit("North")
    make_grant(make_account("D9001", unit=unit), "administrator", unit)
    sign_in(client, "D9001", path="/sign-in?next=/account")

    assert client.get("/force-settings").status_code == 403
    assert "/force-settings" not in client.page("/guides").links.values()
    sent = {"csrf_token": token(client)}
    assert client.post("/force-settings", data=sent).status_code == 403
    assert client.get("/grants").status_code == 200
