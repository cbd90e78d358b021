"""Somebody has the password, or an open session, and lacks the second factor that is required."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from threading import Barrier, Thread
from urllib.parse import quote, urljoin, urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.domain.accounts import factors
from portal.domain.accounts.models import SignInSession
from portal.domain.people.queries import person_by_staff_number
from portal.pages.layout.access import is_public, scopes_of
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import Role, concern_others, permissions_by_role
from tests.domain.accounts.factors.making import SoftAuthenticator, add_codes, code_of
from tests.factories.access_tokens import bearer, make_token
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.access.world import address_of, make_world
from tests.pages.account.browsing import PASSWORD, another, make_account, sign_in, signed_in
from tests.pages.sign_in.second_factors import add_passkey, key_on, options_on, pass_password, set_factor
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


def count_sessions() -> int:
    return db.session.scalar(select(func.count()).select_from(SignInSession)) or 0


def copy_of(client: PortalClient) -> PortalClient:
    """Another browser with a copy of every cookie, such as a thief has."""
    twin = another(client.application)
    twin._cookies = dict(client._cookies)
    return twin


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
    assert len(factors.list_factors(person)) == 1
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
    twin = copy_of(client)

    send_at_once([(one, page, "Set up", {"code": code_of(key_on(page))}) for one in (client, twin)])

    assert len(factors.list_factors(person)) == 1


def test_the_last_two_factors_removed_at_once_leave_one_to_whoever_needs_it(
    serving: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_factor(serving, monkeypatch, "required")
    client, person = PortalClient(serving), make_officer()
    secret = add_codes(person)
    add_codes(person, "Home phone")
    client.press(pass_password(client), "Continue", code=code_of(secret))
    twin = copy_of(client)
    references = [factor.reference for factor in factors.list_factors(person)]
    pages = [client.page(f"/account/factors/{reference}/remove") for reference in references]

    send_at_once([(one, page, "Remove", {}) for one, page in zip((client, twin), pages, strict=True)])

    assert len(factors.list_factors(person)) == 1


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
    before = count_sessions()

    answer = thief.press(page, "Continue", code=code_of(secret))

    assert answer.h1 == "Sign in"
    assert not signed_in(thief)
    assert count_sessions() == before


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


def test_a_recovery_code_used_twice_at_once_signs_one_in(serving: Flask) -> None:
    person = make_officer()
    add_codes(person)
    with transaction():
        code = factors.replace_codes(person, serving.config["PORTAL"].secret_key, clock.now())[0]
    clients = [PortalClient(serving) for _ in range(2)]
    pages = [(client, pass_password(client), "Continue", {"code": code}) for client in clients]

    answers = send_at_once(pages)

    assert sorted(answer.status_code for answer in answers) == [200, 303]
    assert sorted(map(signed_in, clients)) == [False, True]
    assert (count_sessions(), factors.count_unused_codes(person)) == (1, 9)


@pytest.mark.parametrize(
    "back", [timedelta(), timedelta(seconds=30), timedelta(minutes=5), timedelta(days=9)]
)
def test_no_code_of_an_earlier_step_counts_after_a_later_one(
    frozen: time_machine.Traveller, client: PortalClient, back: timedelta
) -> None:
    """Nor where the machine's clock was set back, and shows that step as the current one."""
    secret = add_codes(make_officer())
    client.press(pass_password(client), "Continue", code=code_of(secret))
    assert signed_in(client)
    frozen.shift(-back)
    other = another(client.application)

    for steps in (-1, 0):
        page = other.press(pass_password(other), "Continue", code=code_of(secret, steps))
        assert WRONG in page.text

    assert not signed_in(other)


def test_guesses_of_the_code_from_ever_new_browsers_and_addresses_are_limited_by_account(
    frozen: time_machine.Traveller, app: Flask, database: None
) -> None:
    secret = add_codes(make_officer())
    waiting = []
    for number in range(22):
        browser = another(app)
        browser.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
        waiting.append((browser, pass_password(browser)))
    for browser, page in waiting[:20]:
        assert WRONG in browser.press(page, "Continue", code="000000").text

    for browser, page in waiting[20:]:
        browser.press(page, "Continue", 429, code=code_of(secret))
        assert not signed_in(browser)


HOSTILE = (
    "//evil.example", "///evil.example", "https:evil.example", "https:/evil.example", "https://evil.example",
    "/\\evil.example", "\\\\evil.example", "\\evil.example", "/%5cevil.example", "/%255cevil.example",
    "/%2fevil.example", "/%2f%2fevil.example", "%2f%2fevil.example", "/\tevil.example", "/\t/evil.example",
    "/\n/evil.example", "\r\n//evil.example", " //evil.example", "/%09/evil.example", "/%0d%0aLocation: x",
    "/..//evil.example", "/.//evil.example", "javascript:alert(1)", "data:text/html,x",
    "/\u2028/evil.example",
    "/@evil.example//evil.example", "?next=//evil.example", "#//evil.example", "evil.example",
)  # fmt: skip


def leaves(address: str) -> bool:
    """Whether a browser would go elsewhere: a backslash is a slash, line ends and tabs nothing."""
    plain = re.sub(r"[\t\r\n]", "", address).strip(" \0").replace("\\", "/")
    target = urlsplit(urljoin("http://localhost/sign-in/", plain))
    return (target.scheme, target.netloc) != ("http", "localhost")


def test_no_address_to_go_on_to_leads_outside(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    secret, device = add_codes(make_account()), SoftAuthenticator()
    client.press(pass_password(client), "Continue", code=code_of(secret))
    add_passkey(client, device)
    led: list[str] = []
    for hostile in HOSTILE:
        asked = quote(hostile, safe="")
        for path in ("/account/factors", "/account/factors/codes", "/sign-in/again", "/sign-in/again/file"):
            answer = client.get(f"{path}?next={asked}")
            led += [answer.location] if answer.location else []
            led += re.findall(r'(?:href|action)="([^"]*)"', answer.get_data(as_text=True))
        frozen.shift(timedelta(minutes=1))
        browser = another(app)
        form = pass_password(browser).form_with("Continue")
        sent = {**form.fields, "code": code_of(secret)}
        led.append(browser.post(f"/sign-in/factor?next={asked}", data=sent).location)
        led.append(browser.get(f"/sign-in/factor?next={asked}").location)  # in the open session
        browser = another(app)
        page = browser.page("/sign-in")
        sent = {**page.form_with("Sign in with a passkey").fields, "passkey": device.get(options_on(page))}
        led.append(browser.post(f"/sign-in/passkey?next={asked}", data=sent).location)

    led = [html.unescape(address) for address in led]
    assert len(led) > 10 * len(HOSTILE)
    assert [address for address in led if leaves(address)] == []


def test_removing_and_replacing_wait_for_a_recent_sign_in(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    person = make_account()
    secret = add_codes(person)
    client.press(pass_password(client), "Continue", code=code_of(secret))
    reference = factors.list_factors(person)[0].reference
    token = client.page("/account/factors").form_with("Sign out").fields["csrf_token"]
    frozen.shift(timedelta(minutes=11))

    for path in (f"{reference}/remove", "recovery-codes", "codes", "passkeys"):
        answer = client.post(f"/account/factors/{path}", data={"csrf_token": token})
        assert (answer.status_code, answer.location[:14]) == (303, "/sign-in/again"), path
    assert [factor.reference for factor in factors.list_factors(person)] == [reference]


ANSWER_WITHOUT_FACTOR = {
    "account.show_factors", "account.add_code_device", "account.add_passkey", "account.choose_password",
    "account.replace_recovery_codes", "sign_in.sign_in_again",
}  # fmt: skip
KEPT_FORMS = {"held_form"}  # a form that was sent is kept for its owner, and nothing of it carried out


def count_rows() -> dict[str, int]:
    tables = [table for table in db.metadata.sorted_tables if table.name not in KEPT_FORMS]
    return {table.name: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


IN_NEED = [role for role in Role if concern_others(permissions_by_role()[role])]


@pytest.mark.parametrize("state", ["between the factors", "without a factor", "with the factor not shown"])
@pytest.mark.parametrize(
    "role", [IN_NEED[0], *(pytest.param(r, marks=pytest.mark.sweep) for r in IN_NEED[1:])]
)
def test_with_the_password_alone_nothing_is_answered_or_changed(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch, role: Role, state: str
) -> None:
    set_factor(app, monkeypatch, "required")
    world = make_world("learner")
    person = person_by_staff_number("V1")
    if state == "between the factors":
        make_grant(person, role)
        add_codes(person)
        token = pass_password(client, "V1").form_with("Continue").fields["csrf_token"][0]
    else:
        sign_in(client, "V1", path="/sign-in?next=/account")
        token = client.page("/account").form_with("Sign out").fields["csrf_token"][0]
        make_grant(person, role)
        if state == "with the factor not shown":
            add_codes(person)
    before, wrong, tried = count_rows(), [], 0
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for subject, method in product(("own", "seen"), sorted((rule.methods or set()) & {"GET", "POST"})):
            if rule.endpoint in {"static", "sign_in.sign_out"}:
                continue
            address = address_of(app, rule, world.subjects[subject])
            answer = client.open(address, method=method, data={"csrf_token": token})
            tried += 1
            if scopes_of(view):
                right = answer.status_code in {303, 401}
            elif is_public(view):
                right = answer.status_code < 500 and b"SEEN" not in answer.get_data()
            elif rule.endpoint in ANSWER_WITHOUT_FACTOR and state != "between the factors":
                right = answer.status_code in {200, 303}
            else:
                led = ("/sign-in", "/account/factors")
                right = answer.status_code == 303 and answer.location.startswith(led)
            if not right:
                wrong.append(f"{method} {address}: {answer.status_code} {answer.location}")

    assert wrong == []
    assert tried > 900
    assert {k: (n, before[k]) for k, n in count_rows().items() if n != before[k]} == {}


def test_a_token_of_another_system_keeps_its_own_rule(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It belongs to no account: it opens the interface alone, and stands in for no factor."""
    set_factor(app, monkeypatch, "required")
    add_codes(make_officer())
    header = bearer(make_token())
    pass_password(client)

    assert client.get("/api/v1/people", headers=header).status_code == 200
    for path in ("/people", "/account", "/learning/due-dates.ics"):
        answer = client.get(path, headers=header)
        assert (answer.status_code, answer.location[:8]) == (303, "/sign-in"), path
