"""Somebody guesses passwords: they are slowed, and nobody else is."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Engine, event, func, select

from portal.domain.accounts import retention, services
from portal.domain.accounts import sign_in as accounts_sign_in
from portal.domain.accounts.models import Credential, KnownBrowser, SignInFailure
from portal.domain.accounts.sign_in import SignInAttempt
from portal.domain.accounts.tokens import account_key
from portal.domain.people.queries import person_by_staff_number
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.factories.jobs import maintain_jobs
from tests.factories.people import make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import OTHER, another, let_in, make_account, sign_in, signed_in

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PROXY = "127.0.0.1"  # everyone's address, where a proxy is not named


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def guess(client: PortalClient, times: int, name: str = "D1001", status: int = 200) -> None:
    for _ in range(times):
        sign_in(client, name, OTHER, status=status)


def fail_as(*names: str, address: str = PROXY) -> None:
    """Refused sign-ins with these invented names, as the page counts them, without the cost of a password."""
    with transaction():
        for name in names:
            key = account_key(None, name, "key")
            accounts_sign_in.record_failure(
                SignInAttempt(key, accounts_sign_in.network_of(address)), clock.now()
            )


def at(app: Flask, address: str) -> PortalClient:
    client = another(app)
    client.environ_base["REMOTE_ADDR"] = address
    return client


def guess_from_everywhere(app: Flask, times: int) -> None:
    """A botnet: each guess from another address, none of which guesses twice."""
    key = account_key(person_of("D1001"), "", app.config["PORTAL"].secret_key)
    with transaction():
        for number in range(times):
            accounts_sign_in.record_failure(SignInAttempt(key, f"198.51.100.{number}"), clock.now())


def person_of(staff_number: str) -> int:
    return person_by_staff_number(staff_number)


def events(action: str) -> int:
    return db.session.scalar(select(func.count()).where(AuditEvent.action == action)) or 0


@pytest.mark.slow
def test_104_invented_names_do_not_keep_out_another_person(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    for number in range(104):
        guess(client, 1, f"X{number:04d}")

    let_in(another(app))


@pytest.mark.slow
@pytest.mark.parametrize("people", [40])
def test_a_force_behind_one_address_signs_in_at_the_first_try(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient, people: int
) -> None:
    make_account()
    kept = db.session.scalar(select(Credential.password_hash))
    unit = make_unit("Everybody")
    persons = [make_person(unit, staff_number=f"W{number:04d}") for number in range(people)]
    with transaction():
        rows = ({"person_id": person, "password_hash": kept, "password_rule": 1} for person in persons)
        db.session.add_all(Credential(**row) for row in rows)
    fail_as(*(f"X{number}" for number in range(500)))

    for number in range(people):
        let_in(another(app), f"W{number:04d}")


def test_five_guesses_do_not_keep_the_owner_from_a_browser_they_used_before(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")
    client.press(client.page("/account"), "Sign out")
    guess(another(app), 5)
    guess(another(app), 1, status=429)

    sign_in(client, path="/sign-in?next=/account")

    assert signed_in(client)
    guess(another(app), 1, status=429)  # the owner's sign-in frees nobody else


def test_a_botnet_is_slowed_but_not_the_owners_browser(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")
    client.press(client.page("/account"), "Sign out")
    guess_from_everywhere(app, 19)
    guess(at(app, "192.0.2.1"), 1)

    guess(at(app, "192.0.2.2"), 1, status=429)
    sign_in(at(app, "192.0.2.3"), status=429)  # right or wrong
    sign_in(client, path="/sign-in?next=/account")

    assert signed_in(client)


def test_an_owner_without_such_a_browser_gets_in_by_a_fresh_link(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    person = make_account()
    guess_from_everywhere(app, 200)
    sign_in(client, status=429)
    with transaction():
        token = services.create_password_link(person, by=None, at=clock.now())

    client.press(client.page(f"/set-password/{token}"), "Set password", password=OTHER)
    sign_in(client, password=OTHER, path="/sign-in?next=/account")

    assert signed_in(client)


def test_guesses_in_a_browser_used_before_are_slowed_there_alone(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    """A colleague at a shared machine guesses, too."""
    make_account()
    sign_in(client, path="/sign-in?next=/account")
    client.press(client.page("/account"), "Sign out")
    guess(client, 5)

    guess(client, 1, status=429)

    let_in(another(app))


def test_at_a_noisy_address_the_second_guess_at_an_account_waits_already(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    fail_as(*(f"X{number}" for number in range(accounts_sign_in.NOISE_THRESHOLD)))
    guess(client, 1)

    guess(client, 1, status=429)
    let_in(at(app, "192.0.2.7"))
    frozen.shift(accounts_sign_in.FIRST_WAIT)

    let_in(client)


def test_a_browsers_mark_is_worth_nothing_for_another_account_or_unsigned(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    make_account("D1002")
    sign_in(client, "D1002", path="/sign-in?next=/account")
    client.press(client.page("/account"), "Sign out")
    mark = client.get_cookie("portal-browser")
    assert mark is not None
    guess(another(app), 5)

    sign_in(client, status=429)
    forger = another(app)
    forger.set_cookie("portal-browser", mark.value.partition(".")[0])
    sign_in(forger, status=429)


@pytest.mark.parametrize("how", ["password", "everywhere", "administrator", "closed"])
def test_a_browser_is_a_strangers_again_after_a_reset_or_signing_out_everywhere(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient, how: str
) -> None:
    person = make_account()
    sign_in(client, path="/sign-in?next=/account")
    assert remembered() == 1
    if how == "everywhere":
        client.press(client.page("/account"), "Sign out everywhere")
    with transaction():
        if how == "password":
            services.set_password(person, OTHER, clock.now())
        elif how == "administrator":
            services.end_sessions(person, "ended_elsewhere", None, clock.now())
        elif how == "closed":
            services.close_account(person, by=None, at=clock.now())

    assert remembered() == 0


def remembered() -> int:
    return db.session.scalar(select(func.count()).select_from(KnownBrowser)) or 0


def test_browsers_are_few_and_go_when_unused(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    for _ in range(12):
        frozen.shift(timedelta(minutes=1))
        let_in(another(app))
    assert remembered() == 10

    frozen.shift(retention.BROWSER_RETENTION + timedelta(minutes=1))
    make_account("D1002")
    let_in(client, "D1002")
    maintain_jobs(app)

    assert remembered() == 1


def test_the_mark_is_the_servers_alone_and_tells_nothing(client: PortalClient) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")

    mark = client.get_cookie("portal-browser")
    assert mark is not None
    assert (mark.http_only, mark.same_site, mark.path) == (True, "Lax", "/")
    assert mark.max_age == retention.BROWSER_RETENTION.total_seconds()
    row = db.session.scalars(select(KnownBrowser)).one()
    assert row.browser_hash not in mark.value
    assert mark.value.split(".")[0].strip('"') not in row.browser_hash


def test_invented_names_by_the_hundred_do_not_fill_the_audit_trail(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    fail_as(*(f"X{number}" for number in range(accounts_sign_in.NOISE_THRESHOLD)))
    before = events("account.refused")
    guess(client, 1, "X9001")
    assert events("account.refused") == before

    guess(client, 1)

    assert events("account.refused") == before + 1  # that of somebody stays


def test_failures_go_when_no_wait_looks_back(frozen: time_machine.Traveller, client: PortalClient) -> None:
    fail_as(*(f"X{number}" for number in range(50)))
    frozen.shift(timedelta(hours=2, minutes=1))

    guess(client, 1)

    assert db.session.scalar(select(func.count()).select_from(SignInFailure)) == 1


def test_a_sign_in_costs_few_statements(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    """One transaction that writes, whatever its address failed; a browser used before adds no row."""
    make_account()
    let_in(client)
    client.delete_cookie("portal")
    fail_as(*(f"X{number}" for number in range(200)))
    client.get("/sign-in")
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not re.match(r"SAVEPOINT|RELEASE|ROLLBACK", statement):  # in which the tests wrap a request
            statements.append(" ".join(statement.split()[:3]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        let_in(client)
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    writes = [one for one in statements if not one.startswith("SELECT")]
    assert [one.split()[0] for one in writes] == ["INSERT"] * 3, writes
    assert len(statements) <= 12, statements
