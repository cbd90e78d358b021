"""Who signs in with a password that today's rule refuses chooses another one first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from portal.domain.accounts import passwords
from portal.domain.accounts.models import Credential, HeldForm, SignInSession
from portal.pages.layout.access import permission_of, scopes_of
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import FORM, OTHER, PASSWORD, another, make_account, sign_in, signed_in

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WEAK = "jennifer1234"
CHOOSE = "Choose a new password"


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def make_weak(staff_number: str = "D1001", password: str = WEAK) -> int:
    """An account whose password was accepted by the rule of an earlier release."""
    person = make_account(staff_number)
    with transaction():
        row = update(Credential).where(Credential.person_id == person)
        db.session.execute(row.values(password_hash=passwords.hash_password(password), password_rule=None))
    return person


def rule_of(person: int) -> int | None:
    db.session.rollback()
    return db.session.scalar(select(Credential.password_rule).where(Credential.person_id == person))


def choose(client: PortalClient, page: Page, password: str = PASSWORD) -> Page:
    return client.press(page, "Save and continue", password=password)


@pytest.mark.parametrize(
    "password",
    [WEAK, "ashley123456", "blink182blink182", "westshirepolice1", "priya shah 1001", "lantern peb"],
)
def test_a_weak_password_leads_to_choosing_another_and_then_where_one_was_going(
    client: PortalClient, password: str
) -> None:
    person = make_weak(password=password)

    page = sign_in(client, password=password, path="/sign-in?next=/account")
    assert page.h1 == CHOOSE
    assert "too short or too easy to guess" in page.text
    done = choose(client, page)

    assert done.h1 == "Your account"
    assert "Your password is changed" in done.text
    assert rule_of(person) == passwords.RULE_NUMBER
    client.press(done, "Sign out")
    assert sign_in(client, path="/sign-in?next=/account").h1 == "Your account"


def test_until_then_no_other_page_opens(app: Flask, client: PortalClient) -> None:
    make_grant(make_weak(), Role.ADMINISTRATOR)
    sign_in(client, password=WEAK)
    tried = 0
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        own = not scopes_of(view) and permission_of(view) is not None
        if own and not rule.arguments and rule.endpoint != "account.choose_password":
            method = "GET" if "GET" in (rule.methods or ()) else "POST"
            answer = client.open(
                rule.rule, method=method, data=token_of(client) if method == "POST" else None
            )
            assert answer.status_code == 303, rule.rule
            assert answer.location.startswith("/account/new-password"), rule.rule
            tried += 1

    assert tried > 30
    assert client.page("/").h1 == CHOOSE
    assert client.page("/people?q=a").h1 == CHOOSE


def token_of(client: PortalClient) -> dict[str, str]:
    return {"csrf_token": client.page("/account/new-password").form_with("Sign out").fields["csrf_token"][0]}


def test_one_can_sign_out_and_read_the_public_pages(client: PortalClient) -> None:
    make_weak()
    page = sign_in(client, password=WEAK)
    assert client.page("/privacy").h1 == "Privacy"

    assert client.press(page, "Sign out").h1 == "Sign in"
    assert sign_in(client, password=WEAK).h1 == CHOOSE


def test_another_weak_one_is_refused_with_the_reason(client: PortalClient) -> None:
    person = make_weak()
    page = sign_in(client, password=WEAK)

    for password, reason in (
        (WEAK, "Password must be 15 characters or more"),
        ("westshirepolice1", "Password is too easy to guess"),
        ("shah1001shah1001", "Password is too easy to guess"),
    ):
        page = choose(client, page, password)
        assert page.title.startswith(f"Error: {CHOOSE}")
        assert any(link.startswith(reason) for link in page.links), page.links
        assert password not in page.html
    assert rule_of(person) is None
    assert client.page("/account").h1 == CHOOSE


def test_a_good_password_of_before_is_judged_once(
    client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_weak(password=PASSWORD)
    sign_in(client, path="/sign-in?next=/account")
    assert signed_in(client)
    assert rule_of(person) == passwords.RULE_NUMBER
    client.press(client.page("/account"), "Sign out")
    monkeypatch.setattr(passwords, "is_weak", None)  # would be an error

    sign_in(client, path="/sign-in?next=/account")

    assert signed_in(client)


def test_a_form_kept_over_a_lapse_survives_the_change(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    make_account("D1005")
    person = make_weak()
    make_grant(person, Role.ADMINISTRATOR)
    sign_in(client, password=WEAK)
    page = choose(client, client.page(FORM))
    assert page.h1.startswith("Account of") or page.path == FORM
    page = client.page(FORM)
    with transaction():
        row = update(Credential).where(Credential.person_id == person)
        db.session.execute(row.values(password_hash=passwords.hash_password(WEAK), password_rule=None))
    frozen.shift(timedelta(hours=2))

    asked = client.press(page, "Grant role", role="publisher", unit="")
    chosen = client.press(asked, "Sign in", name="D1001", password=WEAK)
    assert chosen.h1 == CHOOSE
    kept = choose(client, chosen, OTHER)

    assert kept.h1.startswith("Your request to give a role to ")
    assert "Role granted: Publisher" in client.press(kept, "Continue").text


def test_a_form_sent_while_another_password_is_due_is_kept_until_then(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    """Two tabs: one signed in again after a lapse, the other sends what was written before it."""
    make_account("D1005")
    person = make_account()
    make_grant(person, Role.ADMINISTRATOR)
    sign_in(client)
    page = client.page(FORM)
    with transaction():
        row = update(Credential).where(Credential.person_id == person)
        db.session.execute(row.values(password_hash=passwords.hash_password(WEAK), password_rule=None))
    frozen.shift(timedelta(hours=2))
    sign_in(client, password=WEAK)

    chosen = client.press(page, "Grant role", role="publisher", unit="")

    assert chosen.h1 == CHOOSE
    kept = choose(client, chosen)
    assert "Role granted: Publisher" in client.press(kept, "Continue").text


def test_a_secret_sent_meanwhile_is_not_kept(client: PortalClient) -> None:
    make_weak()
    sign_in(client, password=WEAK)

    page = client.post(
        "/account/password",
        data={**token_of(client), "current": WEAK, "password": OTHER},
        follow_redirects=True,
    )

    assert "What you sent was not carried out" in page.get_data(as_text=True)
    assert db.session.scalar(select(HeldForm.token_hash)) is None
    assert client.page("/account").h1 == CHOOSE


def test_a_script_is_told_by_the_code(client: PortalClient) -> None:
    make_weak()
    sign_in(client, password=WEAK)

    assert client.get("/account", headers={"Sec-Fetch-Mode": "cors"}).status_code == 403


def test_such_a_session_lasts_a_quarter_of_an_hour(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    """Nobody who finds the terminal open sets a password of theirs."""
    make_weak()
    page = sign_in(client, password=WEAK)
    frozen.shift(timedelta(minutes=15))

    assert choose(client, page).h1 == "Sign in"
    assert sign_in(client, password=WEAK).h1 == CHOOSE


def test_every_other_browser_is_signed_out_and_a_stranger(app: Flask, client: PortalClient) -> None:
    make_weak()
    other = another(app)
    chosen, _ = sign_in(client, password=WEAK), sign_in(other, password=WEAK)

    choose(client, chosen)

    assert other.page("/account/new-password").h1 == "Sign in"
    assert signed_in(client)
    ends = db.session.scalars(select(SignInSession.end_reason)).all()
    assert sorted(map(str, ends)) == ["None", "password_changed", "password_changed"]


def test_the_page_of_choosing_is_nobodys_who_need_not(client: PortalClient) -> None:
    make_account()
    sign_in(client)

    assert client.page("/account/new-password?next=/account").h1 == "Your account"
