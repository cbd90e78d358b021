"""Whoever reads somebody's mail gets no second factor added in their name by asking for a link."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts.models import Factor, SignInSession
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.domain.accounts.factors.making import add_codes, code_of
from tests.domain.imports.rosters import run
from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.post_office import Office
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import OTHER, make_account, sign_in, signed_in
from tests.pages.people.inviting import invite, sent_to, text_of, token_of
from tests.pages.sign_in.second_factors import key_on
from tests.pages.sign_in.test_link_requests import answer_requests, ask

NOON = datetime(2026, 5, 20, 11, tzinfo=UTC)
STEPS = ("/account/factors", "/account/factors/codes", "/account/factors/passkeys", "/people", "/account")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def office(app: Flask, database: None, clock: time_machine.Traveller) -> Iterator[Office]:
    with set_office(app, second_factor="required") as opened:
        yield opened


def make_privileged(kind: str) -> int:
    """D1001, whose role needs a second factor."""
    if kind == "line manager":
        person = make_account("D1001")
        make_person(make_unit("Team"), staff_number="D1002", manager=person)
        return person
    person = make_person(make_unit("Force"), staff_number="D1001") if kind == "new" else make_account("D1001")
    make_grant(person, Role.ADMINISTRATOR if kind == "administrator" else Role.MANAGER)
    return person


def open_link(client: PortalClient, token: str) -> Page:
    """Set a password with the link, and go where it leads."""
    path = f"/set-password/{token}"
    return client.press(client.page(path), "Set password", password=OTHER)


def link_sent(office: Office) -> str:
    """The token of the newest link that was sent to D1001."""
    mails = [mail for mail in sent_to(office, "D1001") if "/set-password/" in text_of(mail)]
    return token_of(mails[-1])


def factors() -> int:
    return db.session.scalar(select(func.count()).select_from(Factor)) or 0


def assert_shut_out(client: PortalClient) -> None:
    """Whoever has the new password gets no session, and adds nothing."""
    assert [client.get(path).status_code for path in STEPS] == [303] * len(STEPS)
    page = sign_in(client, "D1001", OTHER, status=403)
    assert page.h1 == "You need a second factor"
    assert [client.get(path).status_code for path in STEPS] == [303] * len(STEPS)
    assert factors() == 0
    assert db.session.scalar(select(func.count()).where(SignInSession.ended_at.is_(None))) == 0


@pytest.mark.parametrize("kind", ["administrator", "manager", "line manager", "new"])
def test_a_reader_of_the_mailbox_gets_no_link_where_the_role_needs_a_factor_that_is_not_there(
    app: Flask, office: Office, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with set_office(app, second_factor="required", line_manager_sight="on") as office:
        make_privileged(kind)
        ask(app, "D1001")
        answer_requests(app)
        (mail,) = sent_to(office, "D1001")
        assert mail["Subject"] == "You need a link from an administrator"
        assert "/set-password/" not in text_of(mail)
        assert "a link by email cannot add one" in " ".join(text_of(mail).split())


def test_a_link_that_was_asked_for_before_the_role_was_given_leads_to_no_factor(
    app: Flask, office: Office
) -> None:
    person = make_account("D1001")
    ask(app, "D1001")
    answer_requests(app)
    thief = PortalClient(app)
    with transaction():
        make_grant(person, Role.ADMINISTRATOR)

    page = open_link(thief, link_sent(office))

    assert page.h1 == "Sign in"
    assert_shut_out(thief)


def test_after_a_reset_of_the_factor_a_link_by_mail_adds_no_other(app: Flask, office: Office) -> None:
    make_grant(make_account("D9001"), Role.ADMINISTRATOR)
    add_codes(make_privileged("manager"))
    ask(app, "D1001")
    answer_requests(app)
    run(app, "accounts", "reset-factors", "D1001")
    thief = PortalClient(app)

    open_link(thief, link_sent(office))

    assert_shut_out(thief)


def test_who_has_a_factor_sets_a_password_by_mail_and_is_asked_for_the_factor(
    app: Flask, office: Office
) -> None:
    secret = add_codes(make_privileged("administrator"))
    ask(app, "D1001")
    answer_requests(app)
    client = PortalClient(app)
    open_link(client, link_sent(office))
    assert not signed_in(client)

    page = sign_in(client, "D1001", OTHER, path="/sign-in?next=/account")
    assert page.h1 == "Confirm that it is you"
    client.press(page, "Continue", code=code_of(secret))

    assert signed_in(client)


def test_a_request_takes_no_invitation_away_from_who_needs_one(app: Flask, office: Office) -> None:
    """Otherwise anybody could keep every new manager out, by asking for links in their names."""
    admin = enter_administrator(app)
    make_privileged("new")
    invite(app, admin)
    token = link_sent(office)
    ask(app, "D1001")
    answer_requests(app)
    assert sent_to(office, "D1001")[-1]["Subject"] == "You need a link from an administrator"

    page = open_link(PortalClient(app), token)

    assert page.h1 == "Your second factor"


def enter_administrator(app: Flask) -> PortalClient:
    """The browser of D9001, with both factors."""
    person = make_account("D9001")
    make_grant(person, Role.ADMINISTRATOR)
    secret = add_codes(person)
    client = PortalClient(app)
    page = sign_in(client, "D9001", path="/sign-in?next=/account")
    client.press(page, "Continue", code=code_of(secret))
    return client


@pytest.mark.parametrize("kind", ["administrator", "manager", "new"])
@pytest.mark.parametrize("way", ["invitation", "link", "print"])
def test_the_first_day_of_whoever_an_administrator_invites(
    app: Flask, office: Office, kind: str, way: str
) -> None:
    """Also of people with a password who were given a role before they had a factor."""
    admin = enter_administrator(app)
    make_privileged(kind)
    token = link_by(app, office, admin, way, "Force" if kind == "new" else "Unit of D1001")
    client = PortalClient(app)

    page = open_link(client, token)
    assert page.h1 == "Your second factor"
    page = client.page("/account/factors/codes?next=/people")
    page = client.press(page, "Set up", code=code_of(key_on(page)))

    assert page.h1 == "Your recovery codes"
    assert client.page("/people").h1.endswith("you can see")


def link_by(app: Flask, office: Office, admin: PortalClient, way: str, unit: str) -> str:
    """The token of the link that the administrator makes, sends or prints for D1001."""
    if way == "invitation":
        invite(app, admin)
        texts = [" ".join(text_of(mail).split()) for mail in sent_to(office, "D1001")]
        assert any("Choose a password, then add a second factor, which your role" in text for text in texts)
        return link_sent(office)
    if way == "link":
        page = admin.press(admin.page("/people/D1001/account"), "Make a link to set a password")
        return page.text.split("/set-password/")[1][:43]
    page = admin.page(f"/people/invitations/print?unit={unit}&who=all")
    page = admin.press(page, "Make 1 link to print")
    return page.text.split("/set-password/")[1][:43]
