"""Signing in with a second factor: who needs one, how one gets it, and that nothing opens in between."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts import factors, passwords, services
from portal.domain.accounts.models import Credential, PendingPasswordSignIn, SignInSession
from portal.pages.layout.access import is_public, scopes_of
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.permissions import Role, concern_others, permissions_by_role
from tests.conftest import SECRET
from tests.domain.accounts.factors.making import add_codes, code_of
from tests.domain.imports.rosters import run
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import TOKEN, Page, PortalClient
from tests.pages.account.browsing import OTHER, PASSWORD, another, make_account, sign_in, signed_in
from tests.pages.sign_in.second_factors import key_on, pass_password, set_factor

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MISSING = "You need a second factor"
ASKED = "Confirm that it is you"


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def required(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    set_factor(app, monkeypatch, "required")


def make_officer(role: Role | None = Role.ADMINISTRATOR, number: str = "D1001") -> int:
    person = make_account(number)
    if role:
        make_grant(person, role)
    return person


def sessions() -> int:
    return db.session.scalar(select(func.count()).select_from(SignInSession)) or 0


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("role", [None, *Role])
def test_a_password_alone_signs_in_whoever_has_nothing_of_others(
    client: PortalClient, role: Role | None
) -> None:
    make_officer(role)
    alone = role is None or not concern_others(permissions_by_role()[role])

    page = sign_in(client, path="/sign-in?next=/account", status=200 if alone else 403)

    assert (page.h1 == "Your account") is alone
    assert signed_in(client) is alone
    if not alone:
        assert page.h1 == MISSING
        assert "Ask an administrator" in page.text


@pytest.mark.parametrize("sight", ["on", "off"])
def test_a_line_manager_by_roster_needs_a_factor_where_the_roster_gives_sight(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch, sight: str
) -> None:
    set_factor(app, monkeypatch, "required", line_manager_sight=sight)
    make_person(make_unit("Response"), staff_number="D1002", manager=make_account())

    page = sign_in(client, path="/sign-in?next=/account", status=403 if sight == "on" else 200)

    assert page.h1 == (MISSING if sight == "on" else "Your account")


def test_where_it_is_offered_a_password_is_enough_until_a_factor_is_added(client: PortalClient) -> None:
    person = make_officer()
    assert sign_in(client, path="/sign-in?next=/account").h1 == "Your account"

    add_codes(person)

    assert sign_in(another(client.application), path="/sign-in?next=/account").h1 == ASKED


@pytest.mark.parametrize("setting", ["required", "offered"])
def test_the_code_signs_in_and_leads_on(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    secret = add_codes(make_officer())
    set_factor(app, monkeypatch, setting)
    page = pass_password(client, next_page="/people?q=D1001")
    assert not signed_in(client)

    page = client.press(page, "Continue", code=code_of(secret))

    assert page.h1 == "1 person found"
    session = db.session.scalars(select(SignInSession)).one()
    assert (session.method, session.factor) == ("password", "totp")
    assert db.session.scalar(select(func.count()).select_from(PendingPasswordSignIn)) == 0


def test_between_the_factors_no_route_opens(app: Flask, client: PortalClient) -> None:
    add_codes(make_officer())
    page = pass_password(client)
    token = page.form_with("Continue").fields["csrf_token"][0]
    tried = 0
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint == "static" or is_public(view) or scopes_of(view):
            continue
        address = rule.rule
        for name, converter in rule._converters.items():
            value = {"UUIDConverter": "00000000-0000-0000-0000-000000000000"}.get(
                type(converter).__name__, "1"
            )
            value = min(getattr(converter, "items", [value]))
            for shown in (name, f"uuid:{name}", f"int:{name}", f"path:{name}"):
                address = address.replace(f"<{shown}>", value)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            answer = client.open(address.split("<")[0], method=method, data={"csrf_token": token})
            assert answer.status_code in {303, 404, 405}, f"{method} {address}: {answer.status_code}"
            if answer.status_code == 303:
                assert answer.location.startswith("/sign-in"), f"{method} {address}: {answer.location}"
            tried += 1
    assert tried > 150
    assert sessions() == 0


@pytest.mark.usefixtures("frozen")
def test_a_code_counts_once_and_spaces_do_not_matter(app: Flask, client: PortalClient) -> None:
    secret = add_codes(make_officer())
    code = code_of(secret)
    client.press(pass_password(client), "Continue", code=f"{code[:3]} {code[3:]}")
    assert signed_in(client)

    second = another(app)
    page = second.press(pass_password(second), "Continue", code=code)

    assert "The code is not right, or was used before" in page.text
    assert code not in page.html
    assert not signed_in(second)


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(client: PortalClient, steps: int, right: bool) -> None:
    with time_machine.travel(START, tick=False):
        secret = add_codes(make_officer())
        client.press(pass_password(client), "Continue", code=code_of(secret, steps))

        assert signed_in(client) is right


def test_five_wrong_codes_make_one_wait_and_the_right_password_does_not_reset_the_count(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    secret = add_codes(make_officer())
    for _ in range(5):
        page = pass_password(client)
        client.press(page, "Continue", code="000000")
    late = client.press(page, "Continue", 429, code=code_of(secret))

    assert "Too many tries" in late.text
    sign_in(another(app), status=429)  # the right password too
    assert (
        db.session.scalar(
            select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "account.refused")
        )
        == 5
    )

    frozen.shift(timedelta(minutes=2))
    client.press(pass_password(client), "Continue", code=code_of(secret))
    assert signed_in(client)


def test_a_sign_in_between_the_factors_lasts_ten_minutes(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    secret = add_codes(make_officer())
    page = pass_password(client, next_page="/people")
    frozen.shift(timedelta(minutes=10))

    page = client.press(page, "Continue", code=code_of(secret))

    assert page.h1 == "Sign in"
    assert "You took longer than 10 minutes" in page.text
    assert "next=/people" in page.form_with("Sign in").action


def test_it_is_bound_to_the_browser_in_which_the_password_was_entered(
    app: Flask, client: PortalClient
) -> None:
    secret = add_codes(make_officer())
    page = pass_password(client)
    thief = another(app)
    thief.page("/sign-in")
    found = TOKEN.search(thief.get("/sign-in").get_data(as_text=True))
    assert found

    answer = thief.post("/sign-in/factor", data={"csrf_token": found[2], "code": code_of(secret)})

    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert client.press(page, "Continue", code=code_of(secret)).h1 == "Your account"


def test_the_browser_gets_new_tokens_with_the_second_factor(client: PortalClient) -> None:
    secret = add_codes(make_officer())
    client.set_cookie("portal", "planted-by-somebody-else")
    page = pass_password(client)
    before = page.form_with("Continue").fields["csrf_token"]

    after = client.press(page, "Continue", code=code_of(secret)).form_with("Sign out").fields["csrf_token"]

    cookie = client.get_cookie("portal")
    assert cookie is not None
    assert cookie.value != "planted-by-somebody-else"
    assert before != after


def test_a_weak_password_is_replaced_after_the_factor_not_before(client: PortalClient) -> None:
    person = make_officer()
    secret = add_codes(person)
    credential = db.session.get_one(Credential, person)
    credential.password_hash, credential.password_rule = passwords.hash_password("jennifer12345678"), None
    db.session.commit()

    page = sign_in(client, password="jennifer12345678", path="/sign-in?next=/people")
    assert page.h1 == ASKED
    page = client.press(page, "Continue", code=code_of(secret))
    assert page.h1 == "Choose a new password"
    page = client.press(page, "Save and continue", password=OTHER)

    assert page.h1 == "1 person you can see"


@pytest.mark.parametrize("ended", ["password", "closed", "reset"])
def test_what_ends_sessions_ends_a_sign_in_between_the_factors(client: PortalClient, ended: str) -> None:
    person = make_officer()
    secret = add_codes(person)
    page = pass_password(client)
    with transaction():
        if ended == "password":
            services.set_password(person, OTHER, clock.now())
        elif ended == "closed":
            services.close_account(person, by=None, at=clock.now())
        else:
            factors.reset_factors(person, by=None, at=clock.now())

    page = client.press(page, "Continue", code=code_of(secret))

    assert page.h1 == "Sign in"
    assert not signed_in(client)


def test_a_recovery_code_stands_in_once(app: Flask, client: PortalClient) -> None:
    person = make_officer()
    add_codes(person)
    with transaction():
        codes = factors.replace_codes(person, SECRET, clock.now())
    client.press(pass_password(client), "Continue", code=codes[3].replace("-", " ").lower())
    assert signed_in(client)
    assert "You have 9 recovery codes left" in client.page("/account/factors").text

    second = another(app)
    second.press(pass_password(second), "Continue", code=codes[3])
    assert not signed_in(second)


@pytest.mark.usefixtures("required")
def test_the_link_of_a_command_leads_the_first_administrator_through_password_and_factor(
    app: Flask, client: PortalClient
) -> None:
    make_grant(make_person(make_unit("Force"), staff_number="D9001"), Role.ADMINISTRATOR)
    link = run(app, "accounts", "invite", "D9001").stdout.strip()
    page = client.page(link.split("8000")[-1])
    page = client.press(page, "Set password", password=PASSWORD)
    assert page.h1 == "Your second factor"
    assert "Add one to continue" in page.text
    for path in ("/people", "/account", "/account/password", "/learning", "/"):
        assert client.page(path).h1 == "Your second factor"

    page = client.page("/account/factors/codes?next=/people")
    secret = key_on(page)
    page = client.press(page, "Set up", code=code_of(secret))
    assert page.h1 == "Your recovery codes"
    assert len(page.all("li", class_="portal-nowrap")) == 10
    assert client.page(page.links["I have kept them: continue"]).h1.endswith("you can see")

    new = another(app)
    assert new.press(pass_password(new, "D9001"), "Continue", code=code_of(secret, 1)).h1 == "Your account"


@pytest.mark.usefixtures("required")
def test_a_session_without_its_factor_opens_nothing_but_adding_one(app: Flask, client: PortalClient) -> None:
    person = make_officer(None)
    sign_in(client, path="/sign-in?next=/account")
    make_grant(person, Role.ADMINISTRATOR)  # as a roster that makes somebody a line manager would
    closed = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if "GET" in (rule.methods or ()) and not rule.arguments and not is_public(view):
            answer = client.get(rule.rule)
            is_led = answer.status_code == 303 and answer.location.startswith("/account/factors?next=")
            closed += [rule.endpoint] if not is_led and rule.endpoint != "static" else []

    assert set(closed) == {
        "account.show_factors", "account.add_code_device", "account.add_passkey", "account.choose_password",
        "sign_in.sign_in_again",
    }  # fmt: skip


@pytest.mark.usefixtures("required")
def test_a_form_sent_without_the_factor_is_kept_until_it_is_added(client: PortalClient) -> None:
    make_account("D1005")
    person = make_officer(None)
    sign_in(client, path="/sign-in?next=/account")
    make_grant(person, Role.ADMINISTRATOR)
    token = client.page("/account/factors").form_with("Sign out").fields["csrf_token"][0]
    data = {"csrf_token": token, "role": "publisher", "unit": ""}

    answer = client.post("/people/D1005/account/grants", data=data)
    assert answer.location == "/account/factors"
    page = client.page("/account/factors/codes")
    page = client.press(page, "Set up", code=code_of(key_on(page)))
    page = client.page(page.links["I have kept them: continue"])

    assert page.h1.startswith("Your request to give a role to ")
    assert "Role granted: Publisher" in client.press(page, "Continue").text


@pytest.mark.usefixtures("required")
def test_a_thief_with_the_password_of_an_open_session_adds_no_second_device(
    app: Flask, client: PortalClient
) -> None:
    """A session opened by the password alone counts as no sign-in once its person has a factor."""
    person = make_officer(None)
    sign_in(client, path="/sign-in?next=/account")  # the thief
    secret = add_codes(person)  # the owner, in another browser
    make_grant(person, Role.ADMINISTRATOR)

    for path in ("/people", "/account/factors/codes", "/account/factors/passkeys"):
        page = client.page(path)
        assert page.h1 == "Sign in again to continue", path
    page = client.press(page, "Continue", password=PASSWORD, code="123456")
    assert "The password or the code is not right" in page.text

    page = client.press(page, "Continue", password=PASSWORD, code=code_of(secret))
    assert page.h1 == "Add a passkey"


def test_a_form_kept_over_a_lapse_survives_the_second_factor(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    make_account("D1005")
    secret = add_codes(make_officer())
    client.press(pass_password(client), "Continue", code=code_of(secret))
    form: Page = client.page("/people/D1005/account")
    frozen.shift(timedelta(hours=2))
    page = client.press(form, "Grant role", role="publisher", unit="")
    assert page.h1 == "Sign in"

    page = client.press(page, "Sign in", name="D1001", password=PASSWORD)
    page = client.press(page, "Continue", code=code_of(secret))

    assert page.h1.startswith("Your request to give a role to ")
    assert "Role granted: Publisher" in client.press(page, "Continue").text
