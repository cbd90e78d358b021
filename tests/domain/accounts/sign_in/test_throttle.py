"""Guessing passwords."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.accounts import sign_in as accounts_sign_in
from portal.domain.accounts.sign_in import SignInAttempt, ThrottleRule
from portal.domain.accounts.tokens import account_key
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.errors import TooManyError
from tests.page_reading import PortalClient
from tests.pages.account.browsing import OTHER, PASSWORD, another, make_account, sign_in, signed_in
from tests.waiting import PATIENCE

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


@pytest.mark.parametrize("names", [("D1001", "d1001@westshire.example", " d1001 "), ("D9999", "d9999")])
def test_one_account_has_one_count_by_whichever_name_it_is_tried(
    frozen: time_machine.Traveller, client: PortalClient, names: tuple[str, ...]
) -> None:
    make_account()
    for number in range(5):
        fail(client, 1, names[number % len(names)])

    for name in names:
        fail(client, 1, name, status=429)


def test_guesses_at_the_current_password_and_at_sign_in_are_one_count(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")
    client.delete_cookie("portal-browser")
    for _ in range(3):
        client.press(client.page("/account/password"), "Change password", current=OTHER, password=OTHER)
    fail(another(app), 2)

    fail(another(app), 1, status=429)


def test_tries_sent_at_once_cannot_slip_through(app: Flask) -> None:
    attempt = SignInAttempt(account_key(None, "D1001", "parallel"), "198.51.100.9")
    barrier, admitted = Barrier(12, timeout=PATIENCE), []

    def guess() -> None:
        with app.app_context():
            accounts_sign_in.refuse_throttled(attempt, clock.now())  # as the page asks first
            db.session.rollback()
            barrier.wait()
            try:
                with transaction():
                    accounts_sign_in.refuse_throttled(attempt, clock.now(), lock=True)
                    accounts_sign_in.record_failure(attempt, clock.now())
                admitted.append(1)
            except TooManyError:
                pass

    threads = [Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context(), transaction():
        accounts_sign_in.forget_failures(attempt)

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
    at = instants[-1] if instants else START

    assert accounts_sign_in.wait_after(instants, accounts_sign_in.PLACE_RULE, at) == timedelta(
        minutes=minutes
    )


RULES = st.sampled_from(
    [accounts_sign_in.PLACE_RULE, accounts_sign_in.NOISY_PLACE_RULE, accounts_sign_in.ACCOUNT_RULE]
)
GAPS = st.lists(st.timedeltas(timedelta(), timedelta(hours=3)), max_size=40)
LATER = st.timedeltas(timedelta(), timedelta(hours=3))


def _spaced(gaps: list[timedelta]) -> list[datetime]:
    return [START + sum(gaps[: index + 1], timedelta()) for index in range(len(gaps))]


@given(RULES, GAPS, LATER, LATER)
def test_a_wait_runs_down_as_time_passes(
    rule: ThrottleRule, gaps: list[timedelta], now: timedelta, more: timedelta
) -> None:
    failures = _spaced(gaps)
    at = (failures[-1] if failures else START) + now
    wait = accounts_sign_in.wait_after(failures, rule, at)

    assert timedelta() <= wait <= rule.longest_wait
    assert accounts_sign_in.wait_after(failures, rule, at + more) == max(timedelta(), wait - more)


@given(RULES, GAPS)
def test_fewer_failures_than_are_free_never_wait(rule: ThrottleRule, gaps: list[timedelta]) -> None:
    failures = _spaced(gaps)[: rule.allowed_failures - 1]

    assert not accounts_sign_in.wait_after(failures, rule, failures[-1] if failures else START)


@given(RULES, GAPS, LATER)
def test_one_more_failure_never_shortens_a_wait(
    rule: ThrottleRule, gaps: list[timedelta], now: timedelta
) -> None:
    failures = _spaced(gaps)
    at = (failures[-1] if failures else START) + now

    assert accounts_sign_in.wait_after([*failures, at], rule, at) >= accounts_sign_in.wait_after(
        failures, rule, at
    )


@given(RULES, GAPS, st.timedeltas(timedelta(), timedelta(days=400)))
def test_a_clock_that_stepped_back_never_makes_a_longer_wait(
    rule: ThrottleRule, gaps: list[timedelta], back: timedelta
) -> None:
    assert accounts_sign_in.wait_after(_spaced(gaps), rule, START - back) <= rule.longest_wait


# Four in each quarter of an hour, one after each wait, 19 in each hour: what nobody need wait for, and a few.
MOST_IN_TWO_HOURS = {
    accounts_sign_in.PLACE_RULE: 40,
    accounts_sign_in.NOISY_PLACE_RULE: 12,
    accounts_sign_in.ACCOUNT_RULE: 60,
}


@given(RULES, st.lists(st.timedeltas(timedelta(), timedelta(minutes=40)), min_size=60, max_size=60))
def test_however_a_guesser_times_it_few_guesses_are_looked_at(
    rule: ThrottleRule, idle: list[timedelta]
) -> None:
    """A guesser who may pause as they like, and else guesses at the first instant that is let through."""
    at, failures = START, list[datetime]()
    for pause in idle:
        remembered = [failed for failed in failures if failed > at - accounts_sign_in.FAILURE_MEMORY]
        at += accounts_sign_in.wait_after(remembered, rule, at) + pause
        failures.append(at)

    within = [
        sum(first <= failed < first + accounts_sign_in.FAILURE_MEMORY for failed in failures)
        for first in failures
    ]
    assert max(within) <= MOST_IN_TWO_HOURS[rule]
