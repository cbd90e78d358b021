"""Somebody has the password, or an open session, and lacks the second factor that is required."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.domain.accounts.factors import enrolment
from portal.domain.accounts.models import SignInSession
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.domain.accounts.factors.making import add_codes, code_of
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import PASSWORD, another, make_account, sign_in, signed_in
from tests.pages.sign_in.second_factors import key_on, pass_password, set_factor
from tests.waiting import PATIENCE

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WRONG = "The code is not right, or was used before"


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def make_officer(number: str = "D1001") -> int:
    person = make_account(number)
    make_grant(person, Role.ADMINISTRATOR)
    return person


def sessions() -> int:
    return db.session.scalar(select(func.count()).select_from(SignInSession)) or 0


def send_at_once(pages: list[tuple[PortalClient, Page, str, dict[str, str]]]) -> list[TestResponse]:
    """What each browser was answered when all pressed their buttons at the same instant."""
    answers: list[TestResponse] = []
    gate = Barrier(len(pages), timeout=PATIENCE)

    def press(client: PortalClient, page: Page, button: str, fields: dict[str, str]) -> None:
        form = page.form_with(button)
        gate.wait()
        with client.application.app_context():
            answers.append(client.post(form.action or page.path, data={**form.fields, **fields}))

    threads = [Thread(target=press, args=one) for one in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(pages)
    return answers


def test_a_device_set_up_by_a_form_that_was_sent_twice_takes_no_code_twice(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    person = make_account()
    sign_in(client)
    form = client.page("/account/factors/codes")
    secret = key_on(form)
    for steps in (0, 0, 1):
        client.press(form, "Set up", code=code_of(secret, steps))
    assert len(enrolment.list_factors(person)) == 1
    frozen.shift(timedelta(minutes=2))
    code = code_of(secret)
    signed = []
    for _ in range(3):
        browser = another(client.application)
        browser.press(pass_password(browser), "Continue", code=code)
        signed.append(signed_in(browser))

    assert signed == [True, False, False]


def test_the_same_device_set_up_twice_at_once_is_one(serving: Flask) -> None:
    client = PortalClient(serving)
    person = make_account()
    sign_in(client)
    page = client.page("/account/factors/codes")
    twin = another(serving)
    twin._cookies = dict(client._cookies)

    send_at_once([(one, page, "Set up", {"code": code_of(key_on(page))}) for one in (client, twin)])

    assert len(enrolment.list_factors(person)) == 1


def test_the_last_two_factors_removed_at_once_leave_one_to_whoever_needs_it(
    serving: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_factor(serving, monkeypatch, "required")
    client, person = PortalClient(serving), make_officer()
    secret = add_codes(person)
    add_codes(person, "Home phone")
    client.press(pass_password(client), "Continue", code=code_of(secret))
    twin = another(serving)
    twin._cookies = dict(client._cookies)
    references = [factor.reference for factor in enrolment.list_factors(person)]
    pages = [client.page(f"/account/factors/{reference}/remove") for reference in references]

    send_at_once([(one, page, "Remove", {}) for one, page in zip((client, twin), pages, strict=True)])

    assert len(enrolment.list_factors(person)) == 1


@pytest.mark.parametrize("password", ["short", PASSWORD, "another good pebble 77"])
def test_a_right_password_in_an_open_session_does_not_free_guesses_of_the_code(
    frozen: time_machine.Traveller, client: PortalClient, password: str
) -> None:
    """The page on which one changes the password takes the password as right, and shows no factor."""
    person = make_account()
    sign_in(client, path="/sign-in?next=/account")  # the thief, before the owner adds a factor
    add_codes(person)
    form = client.page("/account/password")
    again = client.page("/sign-in/again")
    for _ in range(4):
        client.press(again, "Continue", password=PASSWORD, code="000000")

    client.press(form, "Change password", current=PASSWORD, password=password)
    current = PASSWORD if client.page("/account/password").h1 == form.h1 else password
    again = client.page("/sign-in/again")
    client.press(again, "Continue", password=current, code="000000")

    client.press(again, "Continue", 429, password=current, code="000000")


def copy_of(client: PortalClient) -> PortalClient:
    """The browser of a thief who copied every cookie."""
    thief = another(client.application)
    thief._cookies = dict(client._cookies)
    return thief


@pytest.mark.parametrize("how", ["signed in", "signed out between"])
def test_cookies_from_between_the_factors_are_worthless_afterwards(
    frozen: time_machine.Traveller, client: PortalClient, how: str
) -> None:
    secret = add_codes(make_officer())
    page = pass_password(client)
    thief = copy_of(client)
    if how == "signed in":
        client.press(page, "Continue", code=code_of(secret))
        assert signed_in(client)
    else:
        client.post("/sign-out", data={"csrf_token": page.form_with("Continue").fields["csrf_token"]})
    frozen.shift(timedelta(minutes=1))
    before = sessions()

    answer = thief.press(page, "Continue", code=code_of(secret))

    assert answer.h1 == "Sign in"
    assert not signed_in(thief)
    assert sessions() == before


def test_cookies_of_a_session_that_lacked_its_factor_open_nothing_once_it_is_added(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_factor(app, monkeypatch, "required")
    person = make_account()
    sign_in(client, path="/sign-in?next=/account")
    make_grant(person, Role.ADMINISTRATOR)
    thief = copy_of(client)
    page = client.page("/account/factors/codes")
    client.press(page, "Set up", code=code_of(key_on(page)))
    assert client.page("/people").status == 200

    assert thief.get("/people").status_code == 303
    assert thief.page("/people").h1 == "Sign in"
