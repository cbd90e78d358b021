"""Nobody gives themself a role, and a role that works for the whole force is given for nothing less."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.routing import Rule

from portal.domain.accounts import grants, services
from portal.domain.accounts.grants import administers_person, is_administered
from portal.domain.accounts.models import SignInSession
from portal.domain.people.models import Person, PersonName, RoleGrant, UnitState
from portal.domain.people.queries import viewer_of
from portal.pages.layout.access import permission_of
from portal.platform import clock
from portal.platform.db import OPEN_END, db, transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import UNIT_ROLES, Permission, Role
from tests.domain.imports.rosters import run
from tests.domain.people.worlds import PEOPLE, TODAY, World, build, chain, worlds
from tests.domain.people.worlds import units as units_of_worlds
from tests.examples import few_or_many
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.access.routes import ROUTES
from tests.pages.access.shown import SYSTEM
from tests.pages.account.browsing import PASSWORD, another, let_in, make_account, sign_in
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
ALWAYS = (date(2020, 1, 1), OPEN_END)
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
    wanted = [grants.NewGrant(person, Role.MANAGER, None) for person in (other, me)]
    with pytest.raises(RuleError, match="You cannot give yourself a role"), transaction():
        grants.give_grants(wanted, by=me, at=clock.now())

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


# What makes an account of the north one's to change, or not, for an administrator of the north alone.


@dataclass
class Target:
    """A person by staff number, and the status of what an administrator of the north does about them."""

    number: str
    refused: int | None  # None: nothing is refused


TARGETS = [
    Target("PLAIN", None),
    Target("LEADS-HERE", None),  # line manager of somebody in the north
    Target("LED-ONCE", None),  # line manager of somebody in the south, until last year
    Target("ROLE-SOUTH", 403),
    Target("ROLE-FORCE", 403),
    Target("ROLE-REPORTS", 403),  # a manager of direct reports, by a grant without a unit
    Target("LEADS-SOUTH", 403),  # by the roster alone
    Target("LEADS-BOTH", 403),
    Target("LED-SOUTH", 403),  # leads the north today; reports of last year show the south
    Target("UNSEEN", 404),
    Target("NOBODY", 404),
]
LAST_YEAR = {"since": date(2024, 1, 1), "until": date(2024, 12, 31)}


def make_targets() -> int:
    """The force with these people, and who they lead; returns the north, of which D9001 is administrator."""
    force = make_unit("Force")
    north, south = make_unit("North", force), make_unit("South", force)
    ids = {each.number: make_account(each.number, unit=north) for each in TARGETS if each.refused != 404}
    make_account("UNSEEN", unit=south)
    for leader, unit, days in (
        ("LEADS-HERE", north, {}),
        ("LED-ONCE", south, LAST_YEAR),
        ("ROLE-REPORTS", south, {}),
        ("LEADS-SOUTH", south, {}),
        ("LEADS-BOTH", north, {}),
        ("LEADS-BOTH", south, {}),
        ("LED-SOUTH", north, {}),
        ("LED-SOUTH", south, LAST_YEAR),
    ):
        make_person(unit, manager=ids[leader], **days)
    make_grant(ids["ROLE-SOUTH"], "auditor", south)
    make_grant(ids["ROLE-FORCE"], "author")
    make_grant(ids["ROLE-REPORTS"], "manager")
    administrator = make_account("D9001", unit=north)
    make_grant(administrator, "administrator", north)
    for role in ("auditor", "manager", "directive-owner"):  # whose sight opens no account
        make_grant(administrator, role, south)
    return north


def list_account_routes(app: Flask) -> list[Rule]:
    """Every route by which an administrator looks at accounts or changes them."""
    of_people = [rule for rule in app.url_map.iter_rules() if ROUTES[rule.endpoint] != SYSTEM]
    return [
        rule
        for rule in sorted(of_people, key=lambda rule: rule.endpoint)
        if permission_of(app.view_functions[rule.endpoint]) is Permission.ACCOUNT_ADMINISTER
    ]


@pytest.fixture
def line_managers_see(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], line_manager_sight="on"))


@pytest.mark.slow
def test_whoever_sees_beyond_a_unit_is_no_account_of_its_administrator(
    app: Flask, client: PortalClient, line_managers_see: None
) -> None:
    """Every act about an account, for every kind of person: roles, line management, a unit out of reach."""
    make_targets()
    let_in(client, "D9001")
    sent, wrong = {"csrf_token": token(client)}, []
    acts = [
        (rule, method)
        for rule in list_account_routes(app)
        for method in rule.methods & {"GET", "POST"}
        if "staff_number" in rule.arguments
    ]
    assert len(acts) > 12
    for target in TARGETS:
        for rule, method in acts:
            values = {"staff_number": target.number, "reference": "unknown"}
            address = build_address(app, rule, {name: values[name] for name in rule.arguments})
            answer = client.open(address, method=method, data=sent if method == "POST" else None)
            refusal = target.refused
            if rule.endpoint == "people.show_account" and refusal == 403:
                refusal = None  # it may be looked at
            allowed = answer.status_code in {200, 303, 409, 422} or rule.endpoint in MAY_BE_MISSING
            if not (allowed if refusal is None else answer.status_code == refusal):
                wrong.append(f"{method} {address}: {answer.status_code}, not {refusal or 'done'}")

    assert wrong == []


def build_address(app: Flask, rule: Rule, values: dict[str, str]) -> str:
    with app.test_request_context():
        return app.url_map.bind("127.0.0.1").build(rule.endpoint, values)


MAY_BE_MISSING = {"people.revoke_role", "people.end_person_session", "people.remove_identity"}


@pytest.mark.slow
def test_whoever_sees_beyond_a_unit_is_left_out_of_what_is_done_to_many(
    app: Flask, client: PortalClient, line_managers_see: None
) -> None:
    north = make_targets()
    for target in TARGETS[:-1]:
        let_in(another(app), target.number)
    let_in(client, "D9001")
    sent = {"csrf_token": token(client)}
    untouchable = {each.number for each in TARGETS if each.refused == 403}

    numbers = "\n".join(each.number for each in TARGETS)
    role = {"role": "auditor", "unit": str(north), "numbers": numbers, "preview": "Preview"}
    refused = client.post("/grants/new", data={**sent, **role}).get_data(as_text=True)
    named = {each.number for each in TARGETS if f"{each.number} is nobody whose account" in refused}
    assert named == {each.number for each in TARGETS if each.refused}

    invitations = client.get("/people/invitations?outcome=outside").get_data(as_text=True)
    assert {each.number for each in TARGETS if each.number in invitations} == untouchable

    client.post("/people/accounts/sessions/end", data={**sent, "confirmed": "all"})
    open_to = db.session.scalars(
        select(PersonName.staff_number)
        .join(SignInSession, SignInSession.person_id == PersonName.person_id)
        .where(SignInSession.ended_at.is_(None))
    )
    assert set(open_to) == {*untouchable, "UNSEEN", "D9001"}


@pytest.mark.slow
def test_another_roles_sight_opens_no_page_of_an_administrator(
    app: Flask, client: PortalClient, line_managers_see: None
) -> None:
    """Lists, files and filters; what is sent to them is tried above."""
    make_targets()
    let_in(another(app), "UNSEEN")
    let_in(client, "D9001")
    assert client.get("/people/UNSEEN").status_code == 200, "an auditor may see the person"
    assert "/people/UNSEEN/account" not in client.page("/people/UNSEEN").links.values()
    lists = [rule for rule in list_account_routes(app) if "GET" in rule.methods and not rule.arguments]
    assert {"/people/accounts.csv", "/people/accounts/sessions", "/grants"} <= {rule.rule for rule in lists}
    for rule in lists:
        address = build_address(app, rule, {})
        for query in ("", "?q=UNSEEN", "?state=all", "?state=roster"):
            body = re.sub(r'"[^"]*"', "", client.get(address + query).get_data(as_text=True))
            assert not re.search(r"\bUNSEEN\b", body.replace("?q=UNSEEN", "").replace("“UNSEEN”", "")), (
                address
            )
    for path in ("accounts", "accounts/sessions"):
        assert client.get(f"/people/{path}?unit=Force/South").status_code == 400
    assert client.get("/people/accounts.csv?unit=Force/South").status_code == 400


LAST_YEARS_DAYS = (date(2025, 1, 1), date(2025, 12, 31))


def make_line_manager(here: tuple[date, date], elsewhere: tuple[date, date]) -> World:
    """The second person leads somebody in their own unit, and somebody in another, in these days."""
    posts = [(1, 1, None, ALWAYS, "live"), (2, 1, 1, here, "live"), (3, 2, 1, elsewhere, "live")]
    return World([None, 0, 0, 0, 0], None, posts, [])


@pytest.mark.slow
@settings(max_examples=few_or_many(8, 40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(world=make_line_manager(ALWAYS, ALWAYS), unit=1, on=True)
@example(world=make_line_manager(ALWAYS, ALWAYS), unit=1, on=False)
@example(world=make_line_manager(ALWAYS, LAST_YEARS_DAYS), unit=1, on=True)
@example(world=make_line_manager(LAST_YEARS_DAYS, LAST_YEARS_DAYS), unit=1, on=True)
@given(world=worlds(), unit=units_of_worlds | st.none(), on=st.booleans())
def test_whose_account_may_be_changed_follows_the_rule_for_any_history(
    app: Flask, database: None, world: World, unit: int | None, on: bool
) -> None:
    """The first person is an administrator, of a unit or of the whole force; the others are anybody."""
    world = replace(world, grants=[*world.grants, (0, "administrator", unit, ALWAYS, False)])
    settings_before = app.config["PORTAL"]
    app.config["PORTAL"] = replace(settings_before, line_manager_sight="on" if on else "off")
    try:
        with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
            _, ids = build(world)
            for v in range(PEOPLE):
                viewer = viewer_of(ids[v])
                expected = {ids[p] for p in range(PEOPLE) if administers(world, v, p, on=on)}
                statement = select(Person.id).where(Person.id.in_(ids), is_administered(Person.id, viewer))
                assert set(db.session.scalars(statement)) == expected
                assert {p for p in ids if administers_person(viewer, p)} == expected
    finally:
        app.config["PORTAL"] = settings_before


def administers(world: World, viewer: int, person: int, *, on: bool) -> bool:
    """The rule in plain words, of a world."""
    live = [
        (who, role, unit)
        for who, role, unit, (start, end), revoked in world.grants
        if start <= TODAY <= end and not revoked
    ]
    administered = {unit for who, role, unit in live if who == viewer and role == "administrator"}
    if None in administered:
        return True

    def is_within(unit: int | None) -> bool:
        return unit is not None and bool(administered & set(chain(world, unit)))

    current = [post for post in world.posts if post[4] == "live" and post[3][0] <= TODAY <= post[3][1]]
    if not any(post[0] == person and is_within(post[1]) for post in current):
        return False
    if not all(is_within(unit) for who, _, unit in live if who == person):
        return False
    leads = any(post[2] == person != post[0] for post in current)
    led = [post[1] for post in world.posts if post[2] == person != post[0]]
    return not (on and leads and not all(is_within(unit) for unit in led))
