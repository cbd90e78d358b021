"""A change of role ends the person's sessions: what they may do counts from a new sign-in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts.models import HeldForm, SignInSession
from portal.domain.people.models import RoleGrant
from portal.domain.people.queries import person_by_staff_number
from portal.platform.db import db
from tests.domain.imports.rosters import run
from tests.factories.people import make_grant, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import FORM, another, make_account, open_form, send_form, sign_in, signed_in

PAGE = "/people/D1001/account"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def roles_of(staff_number: str) -> list[str]:
    person = person_by_staff_number(staff_number)
    return list(db.session.scalars(select(RoleGrant.role).where(RoleGrant.person_id == person)))


def publisher(page: Page) -> dict[str, object]:
    """What the page sends to make D1005 a publisher."""
    return {**page.form_with("Grant role").fields, "role": "publisher", "unit": ""}


def test_granting_and_ending_a_role_on_the_page_signs_the_person_out(
    app: Flask, client: PortalClient
) -> None:
    unit = make_unit("Contact")
    make_account(unit=unit)
    make_grant(make_account("D9001"), "administrator")
    sign_in(client, "D9001", path="/sign-in?next=/account")
    phone, desk = another(app), another(app)
    for browser in (phone, desk):
        sign_in(browser, path="/sign-in?next=/account")

    page = client.press(client.page(PAGE), "Grant role", role="auditor", unit="")
    assert "is signed out everywhere" in page.text
    assert not signed_in(phone)
    assert not signed_in(desk)
    assert signed_in(client)
    sign_in(phone, path="/sign-in?next=/account")
    assert "Monitoring" in phone.page("/account").links

    client.press(client.page(PAGE), "End role Auditor")
    assert not signed_in(phone)
    sign_in(phone, path="/sign-in?next=/account")
    assert "Monitoring" not in phone.page("/account").links


@pytest.mark.parametrize("held", [False, True])
def test_the_commands_end_sessions_where_they_change_anything(
    app: Flask, client: PortalClient, held: bool
) -> None:
    person = make_account()
    if held:
        make_grant(person, "auditor")
    for command, changes in (("grant", not held), ("grant", False), ("revoke", True), ("revoke", False)):
        if not signed_in(client):
            sign_in(client, path="/sign-in?next=/account")
        assert run(app, "people", command, "D1001", "auditor").exit_code == 0
        assert signed_in(client) is not changes


def test_nobody_else_is_signed_out(app: Flask, client: PortalClient) -> None:
    make_account()
    make_account("D1002")
    sign_in(client, "D1002", path="/sign-in?next=/account")

    run(app, "people", "grant", "D1001", "auditor")

    assert signed_in(client)


def test_an_administrator_who_ends_a_role_of_their_own_signs_in_again(client: PortalClient) -> None:
    person = make_account("D9001")
    make_grant(person, "administrator")
    make_grant(person, "publisher")
    sign_in(client, "D9001", path="/sign-in?next=/account")

    page = client.press(client.page("/people/D9001/account"), "End role Publisher")

    assert page.h1 == "Sign in"
    assert "Role ended: Publisher. Your own roles changed, so sign in again." in page.text
    assert not signed_in(client)


def test_a_form_sent_after_a_change_of_role_is_not_carried_out(app: Flask, client: PortalClient) -> None:
    page = open_form(client)
    run(app, "people", "grant", "D1001", "auditor")

    asked = client.post(f"{FORM}/grants", data=publisher(page))

    assert asked.status_code in {303, 400}
    assert roles_of("D1005") == []
    assert db.session.scalar(select(func.count()).select_from(HeldForm)) == 0
    sign_in(client, path="/sign-in?next=/account")
    again = client.post(f"{FORM}/grants", data=publisher(page))
    assert again.status_code == 400
    assert roles_of("D1005") == []


@pytest.mark.parametrize("replaced", [False, True])
def test_a_page_of_a_session_that_had_lapsed_sends_nothing_either(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient, replaced: bool
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    if replaced:
        sign_in(client, path="/sign-in?next=/account")
    run(app, "people", "grant", "D1001", "auditor")
    if replaced:
        sign_in(client, path="/sign-in?next=/account")

    client.post(f"{FORM}/grants", data=publisher(page))

    assert roles_of("D1005") == []
    assert db.session.scalar(select(func.count()).select_from(HeldForm)) == 0
    reasons = db.session.scalars(select(SignInSession.end_reason).order_by(SignInSession.created_at)).all()
    assert reasons[0] == "role_changed"


def test_what_was_kept_before_the_change_is_carried_out_after_the_new_sign_in(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    send_form(client, page)  # kept: the session had lapsed
    run(app, "people", "grant", "D1001", "auditor")

    kept = sign_in(client)
    assert kept.h1.startswith("Your request to ")
    client.press(kept, "Continue")

    assert roles_of("D1005") == ["publisher"]
