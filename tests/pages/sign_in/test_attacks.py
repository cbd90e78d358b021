"""What a provider, or someone between it and the browser, may send that must sign nobody in."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from portal.domain.accounts.models import ProviderIdentity, SignInSession
from portal.platform.db import db
from portal.platform.openid.provider import parse_keys
from tests.logged import Log
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import another, signed_in
from tests.pages.sign_in.hostile_provider import (
    FIRST_KEY,
    SECOND_KEY,
    HostileProvider,
    RunningProvider,
    new_key,
    published,
    sign,
    sign_with_shared,
    unsigned,
)
from tests.pages.sign_in.walking import CLIENT_ID, CLIENT_SECRET, begin, come_back

SOON = 300


@pytest.fixture(autouse=True)
def set_up(client: PortalClient, trusted: HostileProvider) -> None:
    """The portal trusts the provider."""


def attempt(client: PortalClient, hostile: HostileProvider, **changes: str | None) -> Page:
    """Sign in from the page to the end, with these changes to the answer."""
    address = hostile.answer_to(begin(client, "/account"), **changes)
    return Page(come_back(client, address), address)


def refused(client: PortalClient, page: Page, *statuses: int) -> bool:
    """Whether nobody was signed in or bound, and the page says so with a way on."""
    assert page.status in (statuses or (400,)), page.text
    assert page.h1 in {"You are not signed in", "Sign in"}
    assert db.session.scalar(select(func.count()).select_from(ProviderIdentity)) == 0
    assert db.session.scalar(select(func.count()).select_from(SignInSession)) == 0
    return not signed_in(client)


def test_an_honest_token_signs_in(client: PortalClient, hostile: HostileProvider) -> None:
    answer = come_back(client, hostile.answer_to(begin(client, "/account")))

    assert (answer.status_code, answer.location) == (303, "/account")
    assert signed_in(client)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ""},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"], "azp": CLIENT_ID},
        {"aud": ["another-client"], "azp": CLIENT_ID},
        {"aud": None},
        {"aud": []},
        {"azp": "another-client"},
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "j\x00o"},
        {"exp": None},
        {"iat": None},
        {"exp": float("nan")},
        {"exp": "tomorrow"},
        {"exp": 10**400},
        {"iat": -1},
        {"iat": True},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"at_hash": {"a": 1}},
        {"auth_time": "yesterday"},
        {"aud": {"a": CLIENT_ID}},
        {"nonce": ["n"]},
        {"iat": int(time.time()) - 9_000, "exp": int(time.time()) - 7_200},  # expired two hours ago
        {"iat": int(time.time()) - 9_000, "exp": int(time.time()) + 9_000},  # somebody kept it
    ],
)
def test_a_token_with_wrong_claims_signs_nobody_in(
    client: PortalClient, hostile: HostileProvider, claims
) -> None:
    hostile.claims = claims

    assert refused(client, attempt(client, hostile))


@pytest.mark.parametrize("skew", [-SOON, SOON, 15 * 60])
def test_a_clock_that_is_wrong_is_said_in_minutes(
    client: PortalClient, hostile: HostileProvider, skew
) -> None:
    now = int(time.time())
    hostile.claims = {"iat": now + skew, "exp": now + skew + 60}

    page = attempt(client, hostile)

    assert refused(client, page, 503)
    assert (
        f"The clocks of the portal and of your Westshire account are {abs(skew) // 60} minutes apart"
        in page.text
    )


@pytest.mark.parametrize("skew", [-100, 100])
def test_clocks_may_differ_by_less_than_two_minutes(
    client: PortalClient, hostile: HostileProvider, skew
) -> None:
    now = int(time.time())
    hostile.claims = {"iat": now + skew, "exp": now + skew + 60, "nbf": now + skew}

    assert come_back(client, hostile.answer_to(begin(client))).status_code == 303


def forgeries() -> dict[str, object]:
    """Tokens that somebody without the provider's key can make, or that are for another use."""
    public = FIRST_KEY.as_pem(private=False)
    other = new_key("first")  # the right name, another key
    return {
        "none": unsigned,
        "hs256-with-the-public-key": lambda claims: sign_with_shared(public, claims),
        "hs256-with-the-client-secret": lambda claims: sign_with_shared(CLIENT_SECRET.encode(), claims),
        "another-key-of-the-same-name": lambda claims: sign(claims, other),
        "a-key-in-the-header": lambda claims: sign(claims, other, jwk=other.as_dict(private=False)),
        "a-key-by-address": lambda claims: sign(claims, other, jku="http://127.0.0.1:1/jwks", kid=None),
        "an-unknown-key": lambda claims: sign(claims, SECOND_KEY, kid="second"),
        "a-critical-header": lambda claims: sign(claims, crit=["exp"], exp=1),
        "an-access-token": lambda claims: sign(claims, typ="at+jwt"),
        "a-logout-token": lambda claims: sign(claims, typ="logout+jwt"),
        "changed-afterwards": lambda claims: (
            sign({**claims, "sub": "eve"}).rsplit(".", 1)[0] + "." + sign(claims).rsplit(".", 1)[1]
        ),
        "no-token": lambda _claims: "not.a.token",
        "nothing": lambda _claims: "",
    }


FORGERIES = forgeries()


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_signs_nobody_in(client: PortalClient, hostile: HostileProvider, name: str) -> None:
    hostile.make_token = FORGERIES[name]

    assert refused(client, attempt(client, hostile))


def test_a_key_for_another_use_signs_nobody_in(client: PortalClient, hostile: HostileProvider) -> None:
    hostile.keys = [published(FIRST_KEY) | {"use": "enc"}]

    assert refused(client, attempt(client, hostile))


@pytest.mark.parametrize(
    "answer",
    [{"id_token": None}, {"id_token": 7}, {"id_token": None, "error": "server_error"}],
)
def test_a_token_answer_without_an_id_token_signs_nobody_in(client: PortalClient, hostile, answer) -> None:
    hostile.token_answer = answer

    assert refused(client, attempt(client, hostile))


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": None},
        {"iss": "http://127.0.0.1:1"},  # mix-up: the answer of another provider
        {"iss": None},  # which this one says it always gives
        {"code": None},
        {"code": "of-somebody-else"},
        {"code": None, "error": "access_denied"},
    ],
)
def test_an_answer_that_was_not_asked_for_signs_nobody_in(client: PortalClient, hostile, changes) -> None:
    assert refused(client, attempt(client, hostile, **changes))


def test_an_error_is_never_repeated_in_the_providers_words(client: PortalClient, hostile, log: Log) -> None:
    page = attempt(
        client, hostile, code=None, error="x<b>\n2026 INFO forged", error_description="Ring 0900 123"
    )

    assert refused(client, page)
    assert "0900" not in page.text + log.text
    assert log.lines()


def test_an_answer_counts_once(client: PortalClient, hostile: HostileProvider) -> None:
    address = hostile.answer_to(begin(client))
    assert come_back(client, address).status_code == 303

    again = come_back(client, address)
    assert (again.status_code, again.location) == (303, "/")  # signed in: the Back button

    client.post("/sign-out", data={"csrf_token": "x"})
    client.delete_cookie("portal")
    assert come_back(client, address).status_code == 400


def test_a_code_counts_in_no_other_sign_in(client: PortalClient, hostile: HostileProvider) -> None:
    victim = parse_qs(urlsplit(hostile.answer_to(begin(client))).query)
    thief = another(client.application)

    address = hostile.answer_to(begin(thief), code=victim["code"][0])

    assert refused(thief, Page(come_back(thief, address), address))


def test_an_answer_counts_in_no_other_browser(client: PortalClient, hostile: HostileProvider) -> None:
    address = hostile.answer_to(begin(client))
    other = another(client.application)

    assert refused(other, Page(come_back(other, address), address))


def test_another_provider_with_the_same_email_and_subject_is_a_stranger(
    client: PortalClient, hostile: HostileProvider, use_provider
) -> None:
    assert come_back(client, hostile.answer_to(begin(client))).status_code == 303
    client.delete_cookie("portal")

    with RunningProvider() as second:
        second.claims = {"employee_id": "unknown"}  # the email and the subject are the same
        use_provider(second.issuer)
        page = Page(come_back(client, second.answer_to(begin(client))), "/")

    assert page.status == 403
    assert not signed_in(client)


@pytest.mark.parametrize(
    ("kind", "size", "alg"),
    [("RSA", 2048, "PS256"), ("EC", "P-256", "ES256"), ("OKP", "Ed25519", "Ed25519"), ("RSA", 2048, "RS512")],
)
def test_every_usual_signature_is_believed(
    client: PortalClient, hostile: HostileProvider, kind, size, alg
) -> None:
    key = new_key("first", kind, size)
    hostile.metadata = {"id_token_signing_alg_values_supported": [alg]}
    hostile.keys, hostile.make_token = [key], lambda claims: sign(claims, key, alg)

    assert come_back(client, hostile.answer_to(begin(client))).status_code == 303


def test_a_key_under_which_anybody_signs_is_not_believed() -> None:
    entry = {"kty": "OKP", "crv": "Ed25519", "kid": "first", "use": "sig"}
    good = new_key("second", "OKP", "Ed25519").as_dict(private=False)

    of_ed448 = {**entry, "crv": "Ed448", "x": "A" * 76}
    keys = parse_keys({"keys": [{**entry, "x": "A" * 43}, of_ed448, good]})

    assert [key.kid for key in keys.keys] == ["second"]


def test_a_signature_that_the_provider_does_not_state_is_not_believed(client: PortalClient, hostile) -> None:
    hostile.make_token = lambda claims: sign(claims, alg="PS256")  # it states RS256

    assert refused(client, attempt(client, hostile))


def test_a_claim_that_only_userinfo_has_is_read_there(client: PortalClient, hostile: HostileProvider) -> None:
    hostile.claims, hostile.userinfo = {"employee_id": None}, {"sub": "jo", "employee_id": "D1001"}

    assert come_back(client, hostile.answer_to(begin(client))).status_code == 303


def test_userinfo_of_somebody_else_signs_nobody_in(client: PortalClient, hostile: HostileProvider) -> None:
    hostile.claims, hostile.userinfo = {"employee_id": None}, {"sub": "eve", "employee_id": "D1001"}

    assert refused(client, attempt(client, hostile))


def test_next_never_leaves_the_site(client: PortalClient, hostile: HostileProvider) -> None:
    answer = come_back(client, hostile.answer_to(begin(client, "//evil.example")))

    assert (answer.status_code, answer.location) == (303, "/learning")
