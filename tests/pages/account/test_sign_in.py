"""Signing in and out."""

import re
from datetime import UTC, date, datetime, timedelta
from statistics import median
from time import process_time

import pytest
import time_machine
from flask import Flask
from nacl.pwhash import argon2id
from sqlalchemy import delete, func, select

from config import Config
from portal.domain.accounts import services
from portal.domain.accounts.models import SignInFailure
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.factories.people import make_person, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import OTHER, PASSWORD, another, make_account, sign_in, signed_in

NAMES = ["D1001", "d1001", " D1001 ", "d1001@westshire.example", "D1001@Westshire.Example"]
REFUSED = "The staff number, email address or password is not right"


def events(action: str) -> int:
    return db.session.scalar(select(func.count()).where(AuditEvent.action == action)) or 0


@pytest.mark.parametrize("name", NAMES)
def test_staff_number_or_email_address_signs_in(client: PortalClient, name: str) -> None:
    make_account()

    sign_in(client, name, path="/sign-in?next=/account")

    page = client.page("/account")
    assert page.h1 == "Your account"
    assert "Constable Priya Shah" in page.text
    assert events("account.signed_in") == 1


def test_a_page_asks_to_sign_in_and_is_then_shown(client: PortalClient) -> None:
    make_account()

    asked = client.page("/account")

    assert asked.h1 == "Sign in"
    assert client.press(asked, "Sign in", name="D1001", password=PASSWORD).h1 == "Your account"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "%2f%2fevil.example",
        "/%2fevil.example",
        "/%252fevil.example",
        "/%5cevil.example",
        "/%09/evil.example",
        "/\t/evil.example",
        "/\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "/sign-out",
        "",
    ],
)
def test_next_never_leaves_the_site(client: PortalClient, target: str) -> None:
    make_account()
    page = client.page("/sign-in")
    data = {**page.form_with("Sign in").fields, "name": "D1001", "password": PASSWORD}

    response = client.post("/sign-in", query_string={"next": target}, data=data)

    assert response.status_code == 303
    assert response.location == "/learning"


@pytest.mark.parametrize(
    "target", ["/people?q=a%5Cb&page=2", "/people/A%3FB%20C", "/modules?next=//evil.example", "/a/b#c"]
)
def test_next_comes_back_to_an_address_of_the_site(client: PortalClient, target: str) -> None:
    make_account()
    page = client.page("/sign-in")
    data = {**page.form_with("Sign in").fields, "name": "D1001", "password": PASSWORD}

    response = client.post("/sign-in", query_string={"next": target}, data=data)

    assert response.location == target


def test_the_address_asked_for_is_kept_as_it_was_written(client: PortalClient) -> None:
    response = client.get("/people/A%3FB%20C/account?q=%26x")

    assert response.location == "/sign-in?next=/people/A%253FB%2520C/account?q%3D%2526x"


def test_a_name_that_no_one_can_have_is_refused_as_any_other(client: PortalClient) -> None:
    make_account()
    form = client.page("/sign-in").form_with("Sign in")

    for name in ("D1001\x00x", "\x00", "' OR 1=1 --", "x" * 100_000):
        data = {**form.fields, "name": name, "password": OTHER}
        assert client.post("/sign-in", data=data).status_code == 200


def test_a_refusal_names_the_person_in_the_audit_trail_only(client: PortalClient) -> None:
    person = make_account()
    _refused(client, "D1001")

    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "account.refused")).one()
    assert (event.actor_id, event.subject_id) == (None, person)
    assert OTHER not in str(event.detail)


def test_signing_out_ends_the_session_on_the_server(client: PortalClient, app: Flask) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")
    token = client.get_cookie("portal")
    assert token is not None

    page = client.press(client.page("/account"), "Sign out")

    assert page.h1 == "Sign in"
    assert "You have signed out" in page.text
    thief = another(app)
    thief.set_cookie("portal", token.value)
    assert not signed_in(thief)
    assert client.get("/sign-out").status_code == 405


def test_the_cookie_is_the_servers_alone_and_new_at_each_sign_in(client: PortalClient) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")
    first = client.get_cookie("portal")
    assert first is not None
    assert first.http_only
    assert first.same_site == "Lax"
    assert first.path == "/"
    client.press(client.page("/account"), "Sign out")

    client.set_cookie("portal", first.value)
    sign_in(client, path="/sign-in?next=/account")

    second = client.get_cookie("portal")
    assert second is not None
    assert second.value != first.value


def test_https_binds_the_cookies_to_the_host() -> None:
    made = Flask("https")
    config = Config(mode="demo", public_url="https://learning.example.police.uk", secret_key="s" * 32)

    cookies.prepare_form_cookie(made, config)

    assert cookies.cookie_name(config) == "__Host-portal"
    assert made.config["SESSION_COOKIE_NAME"] == "__Host-portal-form"
    assert made.config["SESSION_COOKIE_SECURE"]


def _refused(client: PortalClient, name: str, password: str = OTHER) -> Page:
    page = sign_in(client, name, password)
    assert REFUSED in page.text
    assert page.title.startswith("Error: ")
    return page


def _without(page: Page, name: str) -> str:
    html = re.sub(r'name="csrf_token" value="[^"]*"|challenge&#34;: &#34;[\w-]{75}&', "", page.html)
    return html.replace(f'value="{name}"', "")


def test_answers_never_tell_whether_an_account_exists(app: Flask, client: PortalClient) -> None:
    unit = make_unit("Response")
    make_account(unit=unit)
    make_person(unit, staff_number="D1002")  # without an account
    closed = make_account("D1003", unit=unit)
    left = make_person(unit, staff_number="D1004", until=date(2024, 6, 30))
    with transaction():
        services.close_account(closed, by=None, at=clock.now())
        services.set_password(left, PASSWORD, clock.now())

    pages = [
        _without(_refused(another(app), name, password), name)
        for name, password in [
            ("D1001", OTHER),
            ("D1002", OTHER),
            ("D1003", PASSWORD),
            ("D1004", PASSWORD),
            ("D9999", OTHER),
            ("nobody@westshire.example", OTHER),
        ]
    ]

    assert len(set(pages)) == 1
    assert events("account.refused") == 6


@pytest.mark.usefixtures("real_passwords")
def test_an_unknown_name_costs_one_verification_too(
    client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_account()
    calls: list[bytes] = []
    genuine = argon2id.verify

    def counted(kept: bytes, plain: bytes) -> bool:
        calls.append(kept.split(b"$")[3])
        return genuine(kept, plain)

    monkeypatch.setattr(argon2id, "verify", counted)
    for name in ("D1001", "D9999"):
        _refused(client, name)

    assert calls == [b"m=7168,t=5,p=1"] * 2


@pytest.mark.slow
@pytest.mark.usefixtures("real_passwords")
def test_an_unknown_name_takes_as_long_as_a_wrong_password(app: Flask, client: PortalClient) -> None:
    make_account()
    form = client.page("/sign-in").form_with("Sign in")
    seconds: dict[str, list[float]] = {"D1001": [], "D9999": []}
    for _ in range(9):
        for name, taken in seconds.items():
            with transaction():
                db.session.execute(delete(SignInFailure))  # or the wait would answer
            begun = process_time()
            answer = client.post("/sign-in", data={**form.fields, "name": name, "password": OTHER})
            taken.append(process_time() - begun)
            assert answer.status_code == 200

    known, unknown = (median(taken) for taken in seconds.values())
    assert 0.5 < known / unknown < 2
    assert unknown > 0.005  # a password was hashed, for nobody


def test_fields_left_empty_are_named(client: PortalClient) -> None:
    page = sign_in(client, "", "")

    assert page.links["Enter your staff number or email address"] == "#name"
    assert page.links["Enter your password"] == "#password"


def test_who_cannot_sign_in_is_told_whom_to_ask(client: PortalClient) -> None:
    page = client.page(client.page("/sign-in").links["I cannot sign in"])

    assert page.h1 == "I cannot sign in"
    assert Config(mode="demo").sign_in_help in page.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_cannot_sign_anyone_in(client: PortalClient, headers: dict[str, str]) -> None:
    make_account()
    form = client.page("/sign-in").form_with("Sign in")
    data = {**form.fields, "name": "D1001", "password": PASSWORD}

    assert client.post("/sign-in", data=data, headers=headers).status_code == 400
    assert client.post("/sign-in", data=data | {"csrf_token": ""}).status_code == 400
    assert not signed_in(client)
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/sign-in", data=data, headers=own).status_code == 303


def test_an_account_is_open_while_a_post_is_live(app: Flask, client: PortalClient) -> None:
    with time_machine.travel(datetime(2026, 3, 31, 22, 0, tzinfo=UTC), tick=False) as frozen:
        person = make_person(make_unit("Roads"), staff_number="D1001", until=date(2026, 3, 31))
        with transaction():
            services.set_password(person, PASSWORD, clock.now())
        sign_in(client, path="/sign-in?next=/account")
        frozen.shift(timedelta(minutes=55))
        assert signed_in(client)

        frozen.shift(timedelta(minutes=10))  # the first of April in London (summer time)

        assert not signed_in(client)
        _refused(another(app), "D1001", PASSWORD)


def test_a_number_held_in_small_letters_signs_in_however_it_is_typed(client: PortalClient) -> None:
    make_account("w1001")

    sign_in(client, "W1001", path="/sign-in?next=/account")

    assert client.page("/account").h1 == "Your account"
