"""What an administrator does about an account, and one's own sessions."""

from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import Engine, event, func, select

from portal.domain.people.models import RoleGrant
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import OTHER, another, make_account, sign_in, signed_in

PAGE = "/people/D1001/account"


@pytest.fixture
def administrator(client: PortalClient) -> PortalClient:
    """A browser in which the administrator D9001 of the whole force is signed in."""
    make_grant(make_account("D9001"), "administrator")
    sign_in(client, "D9001", path="/sign-in?next=/account")
    return client


def events(action: str) -> int:
    return db.session.scalar(select(func.count()).where(AuditEvent.action == action)) or 0


def test_a_link_from_the_page_sets_a_password_once(app: Flask, administrator: PortalClient) -> None:
    make_person(make_unit("Response"), staff_number="D1001")
    page = administrator.page(PAGE)
    assert "No password yet" in page.text

    made = administrator.press(page, "Make a link to set a password")

    link = next(code.text or "" for code in made.all("code"))
    path, learner = urlsplit(link).path, another(app)
    learner.press(learner.page(path), "Set password", password=OTHER)
    learner.page(path, 404)
    sign_in(learner, password=OTHER, path="/sign-in?next=/account")
    assert signed_in(learner)


def test_closing_signs_out_and_refuses_until_opened(app: Flask, administrator: PortalClient) -> None:
    make_account()
    learner = another(app)
    sign_in(learner, path="/sign-in?next=/account")

    asked = administrator.page(administrator.page(PAGE).links["Close the account"])
    closed = administrator.press(asked, "Close the account")

    assert "The account is closed" in closed.text
    assert not signed_in(learner)
    assert "is not right" in sign_in(learner).text
    assert "Make a link to set a password" not in closed.text

    administrator.press(closed, "Open the account again")
    sign_in(learner, path="/sign-in?next=/account")
    assert signed_in(learner)
    assert events("account.closed") == 1


def test_ending_sessions_signs_out_and_no_more(app: Flask, administrator: PortalClient) -> None:
    make_account()
    learner = another(app)
    sign_in(learner, path="/sign-in?next=/account")
    assert "Signed in on 1 browser" in administrator.page(PAGE).text

    administrator.press(administrator.page(PAGE), "End all sessions")

    assert not signed_in(learner)
    assert signed_in(administrator)
    sign_in(learner, path="/sign-in?next=/account")
    assert signed_in(learner)


def test_roles_are_granted_and_ended(administrator: PortalClient) -> None:
    unit = make_unit("Contact")
    make_account(unit=unit)

    page = administrator.press(administrator.page(PAGE), "Grant role", role="manager", unit=str(unit))
    assert "Role granted: Manager" in page.text
    assert db.session.scalar(select(func.count()).where(RoleGrant.unit_id == unit)) == 1

    ended = administrator.press(page, "End role Manager Contact")
    assert "Role ended: Manager" in ended.text
    assert "No role beyond learning" in ended.text


def test_nobody_closes_their_own_account(administrator: PortalClient) -> None:
    asked = administrator.page("/people/D9001/account/close")

    page = administrator.press(asked, "Close the account")

    assert "You cannot close your own account" in page.text
    assert signed_in(administrator)


@pytest.mark.parametrize("role", ["", "manager", "directive-owner", "auditor", "publisher"])
def test_only_an_administrator_may(app: Flask, client: PortalClient, role: str) -> None:
    unit = make_unit("Response")
    make_account(unit=unit)
    person = make_account("D2001", unit=unit)
    if role:
        make_grant(person, role, unit)
    sign_in(client, "D2001", path="/sign-in?next=/account")
    token = client.page("/account").form_with("Sign out").fields["csrf_token"]

    assert client.get(PAGE).status_code == 403
    for act in ("link", "grants", "grants/end", "close", "open", "sessions/end"):
        assert client.post(f"{PAGE}/{act}", data={"csrf_token": token}).status_code == 403
    assert events("access.refused") == 7


def test_an_administrator_of_a_unit_acts_only_there(client: PortalClient) -> None:
    force = make_unit("Force")
    mine, other = make_unit("North", force), make_unit("South", force)
    make_account(unit=mine)
    make_account("D1002", unit=other)
    chief = make_account("D9002", unit=mine)
    make_grant(chief, "administrator")
    make_grant(make_account("D9001", unit=mine), "administrator", mine)
    sign_in(client, "D9001", path="/sign-in?next=/account")
    token = client.page("/account").form_with("Sign out").fields["csrf_token"]

    page = client.page(PAGE)
    options = {option.get("value") for option in page.all("option")}
    assert {str(mine)} == {value for value in options if value is None or value.isdigit() or not value}
    assert client.get("/people/D1002/account").status_code == 404
    assert client.post("/people/D1002/account/link", data={"csrf_token": token}).status_code == 404
    beyond = client.page("/people/D9002/account")
    assert "You can see it, but not change it" in beyond.text
    assert client.post("/people/D9002/account/link", data={"csrf_token": token}).status_code == 403
    grant = {"csrf_token": token, "role": "auditor", "unit": ""}
    assert client.post(f"{PAGE}/grants", data=grant).status_code == 200  # the form again, with its error
    everywhere = {"csrf_token": token, "role": "publisher", "unit": str(mine)}  # what it allows ends nowhere
    assert client.post(f"{PAGE}/grants", data=everywhere).status_code == 200
    given = RoleGrant.role.in_(["auditor", "publisher"])
    assert db.session.scalar(select(func.count()).where(given)) == 0


def test_ones_own_sessions_are_listed_and_ended(app: Flask, client: PortalClient) -> None:
    make_account()
    phone = another(app)
    phone.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (iPhone) AppleWebKit Safari/604.1"
    for browser in (client, phone):
        sign_in(browser, path="/sign-in?next=/account")
    page = client.page("/account")
    assert "Safari on iPhone" in page.text
    assert "This browser" in page.text

    done = client.press(page, "Sign out Safari on iPhone")

    assert "That browser is signed out" in done.text
    assert not signed_in(phone)
    assert signed_in(client)


def test_sign_out_everywhere(app: Flask, client: PortalClient) -> None:
    make_account()
    phone = another(app)
    for browser in (client, phone):
        sign_in(browser, path="/sign-in?next=/account")

    page = client.press(client.page("/account"), "Sign out everywhere")

    assert page.h1 == "Sign in"
    assert not signed_in(client)
    assert not signed_in(phone)


def test_nobody_ends_anothers_session(app: Flask, client: PortalClient) -> None:
    unit = make_unit("Response")
    make_account(unit=unit)
    make_account("D1002", unit=unit)
    victim, elsewhere = another(app), another(app)
    for browser in (victim, elsewhere):
        sign_in(browser, path="/sign-in?next=/account")
    action = victim.page("/account").form_with("Sign out Unknown browser").action
    sign_in(client, "D1002", path="/sign-in?next=/account")
    token = client.page("/account").form_with("Sign out").fields["csrf_token"]

    assert client.post(action, data={"csrf_token": token}).status_code == 404
    assert signed_in(victim)
    assert signed_in(elsewhere)


def statements(client: PortalClient, path: str) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        client.page(path)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(seen)


def test_knowing_who_asks_costs_one_read_however_many_sessions(app: Flask, client: PortalClient) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")
    assert statements(client, "/help") == 1
    alone = statements(client, "/account")

    for _ in range(10):
        sign_in(another(app), path="/sign-in?next=/account")

    assert statements(client, "/account") == alone == 2
    assert statements(another(app), "/help") == 0


def test_signed_in_pages_are_not_kept_by_the_browser(client: PortalClient) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")

    assert client.get("/account").headers["Cache-Control"] == "no-store"
