"""The provider says that a session is over: what ends it, and what does not."""

import time

import pytest
from sqlalchemy import select, update

from portal.domain.accounts.models import ProviderIdentity, SignInSession, SpentLogoutToken
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.page_reading import PortalClient
from tests.pages.account.browsing import OTHER, PASSWORD, another, make_account, signed_in
from tests.pages.sign_in.hostile_provider import (
    FIRST_KEY,
    LOGOUT_EVENT,
    SECOND_KEY,
    HostileProvider,
    new_key,
    sign_with_shared,
    unsigned,
)
from tests.pages.sign_in.walking import enter

PATH = "/sign-in/oidc/back-channel-logout"


@pytest.fixture
def inside(client: PortalClient, trusted: HostileProvider) -> PortalClient:
    """A browser that the provider signed in."""
    assert enter(client, trusted).status_code == 303
    assert signed_in(client)
    return client


def tell(client: PortalClient, token: str) -> int:
    """Send a logout token as the provider does; the status of the answer."""
    answer = another(client.application).post(PATH, data={"logout_token": token})
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code


@pytest.mark.parametrize("changes", [{}, {"sub": None}, {"sid": None}], ids=str)
def test_a_logout_token_ends_the_session(inside: PortalClient, trusted: HostileProvider, changes) -> None:
    assert tell(inside, trusted.logout_token(**changes)) == 200

    assert not signed_in(inside)
    assert db.session.scalars(select(SignInSession.end_reason)).one() == "provider_signed_out"
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "account.session_ended"))
    assert [event.detail for event in events][1:] == [{"reason": "provider_signed_out"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["learning-portal", "another-client"]},
        {"aud": None},
        {"events": None},
        {"events": {}},
        {"events": {LOGOUT_EVENT: True}},
        {"events": [LOGOUT_EVENT]},
        {"nonce": ""},
        {"nonce": "n"},
        {"jti": None},
        {"jti": 7},
        {"sub": None, "sid": None},
        {"sub": 7},
        {"sid": {"$ne": ""}},
        {"iat": None},
        {"exp": None},
        {"header": {"typ": "at+jwt"}},
        {"header": {"kid": "nobody"}},
        {"header": {"kid": None, "jku": "http://127.0.0.1:1/"}, "key": SECOND_KEY},
        {"key": SECOND_KEY},
        {"key": new_key("first")},
    ],
)
def test_a_token_that_is_not_right_ends_nothing(
    inside: PortalClient, trusted: HostileProvider, changes
) -> None:
    assert tell(inside, trusted.logout_token(**changes)) == 400

    assert signed_in(inside)
    assert db.session.scalars(select(SpentLogoutToken)).all() == []


@pytest.mark.parametrize(("issued", "expires"), [(-3_600, 3_600), (-7_200, -7_100), (600, 700)])
def test_a_token_of_another_time_ends_nothing(
    inside: PortalClient, trusted: HostileProvider, issued: int, expires: int
) -> None:
    now = int(time.time())

    assert tell(inside, trusted.logout_token(iat=now + issued, exp=now + expires)) == 400
    assert signed_in(inside)


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "x" * 200_000, "\x00", "é.é.é"], ids=["empty", "no-json", "long", "nul", "accents"]
)
def test_what_is_no_token_ends_nothing(inside: PortalClient, token: str) -> None:
    assert tell(inside, token) == 400
    assert another(inside.application).post(PATH).status_code == 400
    assert signed_in(inside)


def test_unsigned_and_shared_signatures_end_nothing(inside: PortalClient, trusted: HostileProvider) -> None:
    now = int(time.time())
    claims = {"iss": trusted.issuer, "aud": "learning-portal", "iat": now, "exp": now + 60, "jti": "1"}
    claims |= {"sub": "jo", "events": {LOGOUT_EVENT: {}}}

    assert tell(inside, unsigned(claims)) == 400
    assert tell(inside, sign_with_shared(FIRST_KEY.as_pem(private=False), claims)) == 400
    assert signed_in(inside)


def test_an_id_token_ends_nothing(inside: PortalClient, trusted: HostileProvider) -> None:
    assert tell(inside, trusted.logout_token(events=None, nonce="n", header={"typ": "JWT"})) == 400
    assert signed_in(inside)


def test_a_token_counts_once(inside: PortalClient, trusted: HostileProvider) -> None:
    token = trusted.logout_token()
    assert tell(inside, token) == 200
    assert enter(inside, trusted).status_code == 303

    assert tell(inside, token) == 400
    assert signed_in(inside)


def test_an_unknown_session_or_person_is_over_already(inside: PortalClient, trusted: HostileProvider) -> None:
    assert tell(inside, trusted.logout_token(sub="stranger", sid="unknown")) == 200
    assert tell(inside, trusted.logout_token(sub="stranger", sid=None)) == 200
    assert tell(inside, trusted.logout_token(sub=None, sid="unknown")) == 200
    assert signed_in(inside)


def test_one_session_of_two_ends(inside: PortalClient, trusted: HostileProvider) -> None:
    other = another(inside.application)
    trusted.claims = {"sid": "sid-2"}
    enter(other, trusted)

    assert tell(inside, trusted.logout_token()) == 200
    assert (signed_in(inside), signed_in(other)) == (False, True)

    assert tell(inside, trusted.logout_token(sid=None)) == 200  # all of the person's
    assert not signed_in(other)


def test_nobody_elses_session_and_no_password_session_ends(
    inside: PortalClient, trusted: HostileProvider, use_provider
) -> None:
    use_provider(trusted.issuer, local_sign_in="everyone")
    make_account("D1002")
    other, local = another(inside.application), another(inside.application)
    trusted.claims = {"sub": "eve", "employee_id": "D1002", "sid": "sid-9"}
    enter(other, trusted)
    local.press(local.page("/sign-in?next=/account"), "Sign in", name="D1001", password=PASSWORD)

    assert tell(inside, trusted.logout_token(sid=None)) == 200

    assert (signed_in(inside), signed_in(other), signed_in(local)) == (False, True, True)


def test_a_new_password_takes_no_session_away_from_the_provider(
    inside: PortalClient, trusted: HostileProvider
) -> None:
    page = inside.page("/account/password")
    inside.press(page, "Change password", current=PASSWORD, password=OTHER)
    assert signed_in(inside)

    assert tell(inside, trusted.logout_token()) == 200
    assert not signed_in(inside)


def test_a_subject_of_another_issuer_ends_nothing(inside: PortalClient, trusted: HostileProvider) -> None:
    with transaction():
        db.session.execute(update(ProviderIdentity).values(issuer="https://former.example"))

    assert tell(inside, trusted.logout_token(sid=None)) == 200
    assert signed_in(inside)


def test_many_refused_tokens_cost_one_fetch_and_keep_no_right_one_out(
    inside: PortalClient, trusted: HostileProvider
) -> None:
    junk = ("x", trusted.logout_token(key=SECOND_KEY, header={"kid": "nobody"}))
    assert {tell(inside, token) for _ in range(50) for token in junk} == {400}
    assert trusted.asked.count("/jwks") == 1

    assert tell(inside, trusted.logout_token()) == 200


def test_a_browser_gets_nothing_by_it(inside: PortalClient, trusted: HostileProvider) -> None:
    assert inside.get(PATH).status_code == 405
    answer = inside.post(
        PATH, data={"logout_token": trusted.logout_token()}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 400
    assert signed_in(inside)


def test_a_provider_that_is_down_is_asked_to_try_again(
    inside: PortalClient, trusted: HostileProvider, use_provider
) -> None:
    trusted.before = lambda path: (503, "", {})
    use_provider(trusted.issuer, oidc_client_id="a-client-that-has-loaded-nothing-yet")

    assert tell(inside, trusted.logout_token()) == 503
    assert signed_in(inside)


def test_without_a_provider_there_is_no_such_address(client: PortalClient) -> None:
    assert client.post(PATH, data={"logout_token": "x"}).status_code == 404
