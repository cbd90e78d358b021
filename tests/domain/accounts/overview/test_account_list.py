"""Counts, filters and rows of accounts agree with a computation of their own, on any history."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.accounts import services, sign_in
from portal.domain.accounts.account_list import (
    CLOSED,
    INVITED,
    LOCKED,
    NEVER,
    NO_WAY,
    PASSWORD,
    PROVIDER,
    AccountFilters,
    AccountList,
)
from portal.domain.accounts.models import ProviderIdentity
from portal.domain.accounts.services import SignInOrigin
from portal.domain.accounts.sign_in import SignInAttempt
from portal.domain.accounts.tokens import account_key
from portal.domain.accounts.ways import SignInRules
from portal.domain.people.queries import viewer_of
from portal.platform import clock
from portal.platform.clock import london_day
from portal.platform.db import db, transaction
from portal.platform.errors import TooManyError
from tests.databases import undone
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.factories.people import make_grant, make_person, make_unit

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY, ISSUER = "k" * 32, "https://login.example"
PEOPLE = 3
PLACES = ("203.0.113.1", "203.0.113.2", "browser:known")
STRANGE_PLACE = "203.0.113.99"
QUIET = settings(
    max_examples=few_or_many(8, 80),
    suppress_health_check=IN_ONE_TRANSACTION,
)
ACTS = ("sign-in", "fail", "fail-often", "lift", "invite", "set-password", "close", "reopen", "bind")
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(ACTS),
        st.integers(0, PEOPLE - 1),
        st.sampled_from(PLACES),
        st.sampled_from([0, 1, 14, 61, 24 * 60]),  # minutes that pass before
    ),
    max_size=14,
)


@dataclass
class Known:
    """What a history has made of one person, as the test keeps it."""

    person: int
    signed_in: datetime | None = None
    password: bool = False
    bound: bool = False
    closed: bool = False
    link_until: datetime | None = None
    states: set[str] = field(default_factory=set)


def act_on(known: Known, act: str, place: str) -> None:
    if act in {"sign-in", "fail", "fail-often", "lift"}:
        try_to_sign_in(known, act, place)
    elif act in {"invite", "set-password"}:
        give_password(known, act)
    else:
        change_account(known, act)


def try_to_sign_in(known: Known, act: str, place: str) -> None:
    now, account = clock.now(), account_key(known.person, "", KEY)
    if act == "sign-in":
        services.open_session(known.person, SignInOrigin(place, "Edge on Windows"), now)
        known.signed_in = now
    elif act == "lift":
        sign_in.lift_lock(known.person, KEY, by=None)
    else:
        for _ in range(1 if act == "fail" else 5):
            sign_in.record_failure(SignInAttempt(account, place), now)


def give_password(known: Known, act: str) -> None:
    if known.closed:
        return
    if act == "invite":
        services.create_password_link(known.person, by=None, at=clock.now())
        known.link_until = clock.now() + services.LINK_LIFETIME
    else:
        services.set_password(known.person, "kettle orbit walnut", clock.now())
        known.password, known.link_until = True, None


def change_account(known: Known, act: str) -> None:
    now = clock.now()
    if act == "close":
        services.close_account(known.person, by=None, at=now)
        known.closed, known.link_until = True, None
    elif act == "reopen":
        services.reopen_account(known.person, by=None)
        known.closed = False
    elif not known.bound:
        identity = {"issuer": ISSUER, "subject": str(known.person), "claim_value": "4711"}
        db.session.add(ProviderIdentity(person_id=known.person, bound_at=now, last_used_at=now, **identity))
        known.bound = True


def must_wait(person: int, at: datetime) -> timedelta:
    """The longest wait that a sign-in meets at any place, asked as a sign-in asks."""
    account, longest = account_key(person, "", KEY), timedelta()
    for place in (*PLACES, STRANGE_PLACE):
        try:
            sign_in.refuse_throttled(SignInAttempt(account, place), at)
        except TooManyError as error:
            longest = max(longest, timedelta(seconds=error.retry_after_seconds))
    return longest


def states_of(known: Known, at: datetime) -> set[str]:
    states = {CLOSED} if known.closed else set()
    if known.signed_in is None and not known.closed:
        states.add(NEVER)
        if known.link_until is not None and known.link_until > at:
            states.add(INVITED)
    if must_wait(known.person, at):
        states.add(LOCKED)
    return states


def ways_of(known: Known) -> set[str]:
    ways = {name for name, has in ((PASSWORD, known.password), (PROVIDER, known.bound)) if has}
    return ways or {NO_WAY}


@pytest.mark.slow
@QUIET
@given(history=HISTORIES)
def test_counts_filters_and_rows_agree_with_the_history(app, database, history) -> None:
    with undone(), time_machine.travel(START, tick=False) as moment:
        unit = make_unit("Response")
        people = [Known(make_person(unit, staff_number=f"P{number}")) for number in range(PEOPLE)]
        make_person(unit, staff_number="GONE", until=date(2025, 1, 1))
        admin = make_person(unit, staff_number="ADMIN")
        make_grant(admin, "administrator")
        for act, number, place, minutes in history:
            moment.shift(timedelta(minutes=minutes))
            with transaction():
                act_on(people[number], act, place)
        now = clock.now()

        accounts = AccountList(
            viewer_of(admin), SignInRules(ISSUER, True, False, False, london_day(now)), KEY, now
        )

        expected = {known.person: (states_of(known, now), ways_of(known)) for known in people}
        expected[admin] = ({NEVER}, {NO_WAY})
        counts = accounts.count_all()
        assert counts.people == len(expected)
        for names, position, filter_name in (
            ((NEVER, INVITED, LOCKED, CLOSED), 0, "state"),
            ((PASSWORD, PROVIDER, NO_WAY), 1, "way"),
        ):
            for name in names:
                matching = {person for person, each in expected.items() if name in each[position]}
                filters = AccountFilters(**{filter_name: name})
                counted = (counts.states if filter_name == "state" else counts.ways)[name]
                assert counted == len(matching) == accounts.count_matching(filters), name
                assert {row.person_id for row in accounts.iterate_rows(filters, "")} == matching, name
        rows = {row.person_id: row for row in accounts.list_rows(AccountFilters(), "", offset=0, limit=25)}
        for known in people:
            row = rows[known.person]
            assert (row.last.signed_in_at if row.last else None) == known.signed_in
            assert row.invited_until == (known.link_until if INVITED in expected[known.person][0] else None)
            wait = must_wait(known.person, now)
            shown = row.lock.until - now if row.lock else timedelta()
            assert timedelta() <= wait - shown < timedelta(seconds=1)


def test_a_noisy_address_locks_sooner_and_lifting_ends_it(app, database) -> None:
    with time_machine.travel(START, tick=False):
        person = make_person(make_unit("Response"), staff_number="P1")
        account = account_key(person, "", KEY)
        with transaction():
            for number in range(100):
                sign_in.record_failure(SignInAttempt(f"other {number}", PLACES[0]), START)
            sign_in.record_failure(SignInAttempt(account, PLACES[0]), START)

        lock = sign_in.find_lock_of(person, KEY, START)
        assert lock == sign_in.SignInLock(START + timedelta(minutes=1), everywhere=False)
        with pytest.raises(TooManyError):
            sign_in.refuse_throttled(SignInAttempt(account, PLACES[0]), START)
        with transaction():
            assert sign_in.lift_lock(person, KEY, by=None)

        assert sign_in.find_lock_of(person, KEY, START) is None
        sign_in.refuse_throttled(SignInAttempt(account, PLACES[0]), START)
        with transaction():
            assert not sign_in.lift_lock(person, KEY, by=None)


def test_many_addresses_lock_an_account_everywhere(app, database) -> None:
    person = make_person(make_unit("Response"), staff_number="P1")
    account = account_key(person, "", KEY)
    with transaction():
        for number in range(20):
            sign_in.record_failure(SignInAttempt(account, f"203.0.113.{number}"), START)

    lock = sign_in.find_lock_of(person, KEY, START)

    assert lock is not None
    assert lock.everywhere
