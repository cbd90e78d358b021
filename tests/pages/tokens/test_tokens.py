"""The page of access tokens: shown once, revoked at once, and never more than one administers."""

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.domain import access_tokens
from portal.domain.access_tokens import AccessToken, TokenScope
from portal.domain.reminders.models import Message
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.domain.imports.rosters import run
from tests.factories.access_tokens import bearer, make_token
from tests.factories.people import make_grant, make_unit
from tests.page_reading import PortalClient, words
from tests.pages.account.browsing import make_account, sign_in

BUTTON = "Make the token"


@pytest.fixture
def units(database):
    force = make_unit("Westshire")
    return {"force": force, "north": make_unit("North", force), "south": make_unit("South", force)}


@pytest.fixture
def admin(client: PortalClient, units: dict[str, int]) -> PortalClient:
    make_grant(make_account("D9001"), Role.ADMINISTRATOR)
    sign_in(client, "D9001")
    return client


@pytest.fixture
def unit_admin(client: PortalClient, units: dict[str, int]) -> PortalClient:
    make_grant(make_account("D9002"), Role.ADMINISTRATOR, units["north"])
    sign_in(client, "D9002")
    return client


def make(client: PortalClient, status: int = 200, **fields: str):
    sent = {"name": "power-bi", "scope": "read", "unit": "", "directive": "", "days": "90", **fields}
    return client.press(client.page("/tokens"), BUTTON, status, **sent)


def test_a_token_is_shown_once_and_works(admin):
    page = make(admin)

    (shown,) = page.all("pre", id="token")
    token = access_tokens.find_token(shown.text, clock.now())
    assert token
    assert (token.name, token.scope, token.unit_id) == ("power-bi", TokenScope.READ, None)
    assert shown.text not in admin.page("/tokens").html
    assert "power-bi" in admin.page("/tokens").text


def test_its_last_use_is_shown_with_the_address_it_came_from(app, admin):
    plain = make(admin).all("pre", id="token")[0].text
    assert "203.0.113.9" not in admin.page("/tokens").text

    used = {"headers": bearer(plain), "environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    assert app.test_client().get("/api/v1", **used).status_code == 200

    assert "203.0.113.9" in admin.page("/tokens").text


def test_it_is_revoked_by_a_button(admin):
    plain = make(admin).all("pre", id="token")[0].text

    page = admin.press(admin.page("/tokens"), "Revoke power-bi")

    assert "The token power-bi is revoked" in page.text
    assert access_tokens.find_token(plain, clock.now()) is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Enter a name"),
        ({"name": "<b>"}, "A token's name has 1 to 60"),
        ({"days": "0"}, "from 1 to 730"),
        ({"days": "many"}, "from 1 to 730"),
    ],
    ids=["no name", "wrong name", "no days", "words"],
)
def test_what_is_wrong_is_said_and_nothing_made(admin, fields, sentence):
    page = make(admin, 400, **fields)

    assert sentence in page.text
    assert db.session.scalar(select(func.count()).select_from(AccessToken)) == 0


def test_one_for_provisioning_names_no_unit(admin, units):
    assert "name no unit" in make(admin, 400, scope="scim", unit=str(units["north"])).text


def test_an_administrator_of_a_unit_makes_tokens_for_it_alone(unit_admin, units):
    make_token(name="of-the-force")
    make_token(name="of-the-south", unit=units["south"])

    page = unit_admin.page("/tokens")
    assert "The whole force" not in page.text
    assert "of-the" not in page.text
    for fields in (
        {"unit": ""},
        {"unit": str(units["south"])},
        {"scope": "scim", "unit": str(units["north"])},
    ):
        make(unit_admin, 400, **fields)
    make(unit_admin, unit=str(units["north"]))

    made = db.session.scalars(select(AccessToken).where(AccessToken.name == "power-bi")).one()
    assert made.unit_id == units["north"]


def test_a_unit_is_written_with_as_many_parents_as_tell_it_apart(admin, units):
    team = make_unit("Team A", units["north"])
    make_unit("Team A", units["south"])
    make(admin, name="of-the-team", unit=str(team))

    page = admin.page("/tokens")
    assert "North, Team A" in [words(cell) for cell in page.all("td")]
    offered = [words(option) for option in page.all("option")]
    assert offered.index("North, Team A") == offered.index("North") + 1


def test_an_administrator_of_a_unit_revokes_none_of_others(unit_admin, units):
    plain = make_token(name="of-the-force")
    make_token(name="own", unit=units["north"])
    reference = db.session.scalar(select(AccessToken.reference).where(AccessToken.name == "of-the-force"))
    page = unit_admin.page("/tokens")
    csrf = page.form_with("Revoke own").fields["csrf_token"][0]

    assert unit_admin.post(f"/tokens/{reference}/revoke", data={"csrf_token": csrf}).status_code == 404
    assert access_tokens.find_token(plain, clock.now())


def test_the_other_administrators_are_told(admin, app: Flask):
    make_grant(make_account("D9003"), Role.ADMINISTRATOR)
    make(admin)

    assert db.session.scalar(select(func.count()).select_from(Message)) == 1
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "token.created")).all()
    assert [event.detail["token"] for event in events] == ["power-bi"]


def test_the_commands_make_list_and_revoke(app, units):
    made = run(app, "tokens", "create", "nightly", "--scope", "write", "--unit", "Westshire/North")
    assert made.exit_code == 0
    assert access_tokens.find_token(made.stdout.strip(), clock.now())
    assert "nightly\twrite\tWestshire/North\tevery directive\tnever used" in run(app, "tokens", "list").stdout

    assert run(app, "tokens", "revoke", "nightly").exit_code == 0
    assert access_tokens.find_token(made.stdout.strip(), clock.now()) is None
    assert run(app, "tokens", "list").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create", "x", "--scope", "read", "--unit", "Nowhere"], "No unit has the path"),
        (["create", "x", "--scope", "read", "--directive", "NONE"], "There is no directive NONE"),
        (["create", "x", "--scope", "scim", "--unit", "Westshire"], "whole force"),
        (["revoke", "x"], "No access token that works has the name x"),
    ],
    ids=["unit", "directive", "scim", "revoke"],
)
def test_a_command_refuses_with_a_sentence(app, units, arguments, sentence):
    refused = run(app, "tokens", *arguments)

    assert refused.exit_code == 1
    assert sentence in refused.stderr


def suspend_all() -> None:
    """As a restore does."""
    with transaction():
        db.session.execute(update(AccessToken).values(suspended_at=clock.now()))


def test_tokens_of_a_restored_backup_work_once_an_administrator_says_so(app: Flask, admin: PortalClient):
    tokens = {name: make_token(name=name) for name in ("first", "second", "third")}
    suspend_all()

    def working() -> list[str]:
        answers = {
            name: app.test_client().get("/api/v1/people", headers=bearer(it)) for name, it in tokens.items()
        }
        return [name for name, answer in answers.items() if answer.status_code == 200]

    assert working() == []
    page = admin.page(admin.page("/desk").links["3 access tokens to confirm or revoke"])
    assert "so 3 tokens do not work" in page.text
    page = admin.press(page, "Let it work again: second")
    assert "1 token works again." in page.text
    assert working() == ["second"]
    page = admin.press(page, "Revoke first")
    page = admin.press(page, "Let all 1 work again")
    assert working() == ["second", "third"]
    assert "restored from a backup" not in page.text
    acts = db.session.scalars(select(AuditEvent.detail).where(AuditEvent.action == "token.resumed"))
    assert [act["token"] for act in acts] == ["second", "third"]


def test_an_administrator_of_a_unit_lets_no_token_of_others_work(unit_admin: PortalClient, units) -> None:
    make_token(name="of the force")
    make_token(name="of the north", unit=units["north"])
    suspend_all()
    other = db.session.scalar(select(AccessToken.reference).where(AccessToken.name == "of the force"))

    page = unit_admin.press(unit_admin.page("/tokens"), "Let all 1 work again")

    assert "1 token works again." in page.text
    token = page.form_with("Make the token").fields["csrf_token"][0]
    answer = unit_admin.post("/tokens/resume", data={"csrf_token": token, "reference": other})
    assert answer.status_code == 404
    assert [row.name for row in access_tokens.list_suspended(None, clock.now())] == ["of the force"]
