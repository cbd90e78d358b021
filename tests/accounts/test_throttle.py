"""Guessing passwords."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from flask import Flask

from portal import clock
from portal.accounts import services, throttle
from portal.accounts.tokens import name_hash
from portal.db import transaction
from portal.errors import TooManyError
from tests.accounts.browsing import OTHER, PASSWORD, another, make_account, sign_in, signed_in
from tests.pages import PortalClient

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def fail(client: PortalClient, times: int, name: str = "D1001", status: int = 200) -> None:
    for _ in range(times):
        sign_in(client, name, OTHER, status=status)


@pytest.mark.parametrize("name", ["D1001", "D9999"])
def test_the_sixth_try_waits_whether_or_not_the_account_exists(
    frozen: time_machine.Traveller, client: PortalClient, name: str
) -> None:
    make_account()
    fail(client, 5, name)

    page = sign_in(client, name, PASSWORD, status=429)

    assert page.h1 == "Too many tries"
    assert page.headers["Retry-After"] == "60"
    assert "Wait 60 seconds, then try again" in page.text


def test_after_the_wait_the_owner_signs_in(frozen: time_machine.Traveller, client: PortalClient) -> None:
    make_account()
    fail(client, 5)
    frozen.shift(timedelta(seconds=59))
    sign_in(client, status=429)

    frozen.shift(timedelta(seconds=1))

    sign_in(client, path="/sign-in?next=/account")
    assert signed_in(client)


def test_the_owner_signs_in_from_another_address(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    fail(client, 5)
    fail(client, 1, status=429)

    owner = another(app)
    owner.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    sign_in(owner, path="/sign-in?next=/account")

    assert signed_in(owner)
    fail(client, 1, status=429)


def test_signing_in_forgets_the_failures_before(frozen: time_machine.Traveller, client: PortalClient) -> None:
    make_account()
    fail(client, 4)
    sign_in(client, path="/sign-in?next=/account")
    client.press(client.page("/account"), "Sign out")

    fail(client, 4)
    sign_in(client, path="/sign-in?next=/account")

    assert signed_in(client)


def test_a_hundred_failures_of_any_accounts_stop_an_address(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    for number in range(99):  # as the page counts them, without the cost of a password each
        with transaction():
            services.admit(name_hash(f"X{number}", "key"), "127.0.0.1", clock.now())
    fail(client, 1, "X99")

    page = sign_in(client, status=429)

    assert page.headers["Retry-After"] == "3600"
    owner = another(app)
    owner.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    sign_in(owner, path="/sign-in?next=/account")
    assert signed_in(owner)


def test_the_hosts_of_one_ipv6_network_are_one_address(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    for host in range(5):
        client.environ_base["REMOTE_ADDR"] = f"2001:db8:1:2::{host}"
        fail(client, 1)

    client.environ_base["REMOTE_ADDR"] = "2001:db8:1:2::ffff"
    fail(client, 1, status=429)
    client.environ_base["REMOTE_ADDR"] = "2001:db8:1:3::ffff"
    sign_in(client, path="/sign-in?next=/account")

    assert signed_in(client)


def test_tries_while_waiting_do_not_lengthen_the_wait(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    make_account()
    fail(client, 5)
    fail(client, 20, status=429)
    frozen.shift(timedelta(seconds=60))

    sign_in(client, path="/sign-in?next=/account")

    assert signed_in(client)


def test_tries_sent_at_once_cannot_slip_through(app: Flask) -> None:
    name, address = name_hash("D1001", "parallel"), "198.51.100.9"
    barrier, admitted = Barrier(12), []

    def attempt() -> None:
        with app.app_context():
            barrier.wait()
            try:
                with transaction():
                    services.admit(name, address, clock.now())
                admitted.append(1)
            except TooManyError:
                pass

    threads = [Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context(), transaction():
        services.forget_failures(name, address)

    assert len(admitted) == 5


def _after(*minutes: float) -> list[datetime]:
    return [START + timedelta(minutes=minute) for minute in minutes]


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [
        ([], 0),
        ([0, 0, 0, 0], 0),
        ([0, 4, 8, 12, 15], 1),
        ([0, 4, 8, 12, 15.1], 0),  # not five in 15 minutes
        ([0, 0, 0, 0, 0, 1], 2),
        ([0, 0, 0, 0, 0, 1, 3], 4),
        ([0, 0, 0, 0, 0, 1, 3, 7], 8),
        ([0, 0, 0, 0, 0, 1, 3, 7, 15], 15),
        ([0, 0, 0, 0, 0, 1, 3, 7, 15, 30], 15),  # stays, however long it goes on
        ([0, 0, 0, 0, 0, 1, 31.5], 0),  # half an hour of quiet
    ],
)
def test_the_wait_grows_up_to_fifteen_minutes(failures: list[float], minutes: float) -> None:
    instants = _after(*failures)

    assert throttle.account_wait(instants, instants[-1] if instants else START) == timedelta(minutes=minutes)
