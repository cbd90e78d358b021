"""Second factors and signing in again with the force's provider."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask

from portal.domain.accounts.models import SignInSession
from portal.domain.people.queries import person_by_staff_number
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.domain.accounts.factors.making import add_codes
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.account.browsing import make_account, signed_in
from tests.pages.sign_in.hostile_provider import HostileProvider
from tests.pages.sign_in.second_factors import set_factor
from tests.pages.sign_in.walking import begin, come_back, enter, enter_page

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FORM = "/people/D1005/account"
MISSING = "Your role needs a second factor, and your sign-in had none"


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def administrator(trusted: HostileProvider) -> HostileProvider:
    make_grant(person_by_staff_number("D1001"), Role.ADMINISTRATOR)
    make_account("D1005")
    return trusted


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_by_default_the_provider_is_trusted_to_ask_for_it(
    app: Flask, client: PortalClient, administrator: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_factor(app, monkeypatch, "required")
    assert "acr_values" not in query_of(begin(client))

    enter(client, administrator, "/account")

    assert client.page("/people").status == 200
    assert db.session.query(SignInSession).one().factor == "provider"


@pytest.mark.parametrize(
    ("claims", "enough"),
    [
        ({}, False),
        ({"amr": ["pwd"]}, False),
        ({"amr": ["pwd", "mfa"]}, True),
        ({"amr": [["mfa"], 7]}, False),
        ({"acr": "urn:high"}, True),
        ({"acr": "urn:low"}, False),
        ({"acr": ["urn:high"]}, False),
        ({"acr": "mfa"}, False),
    ],
    ids=str,
)
def test_where_values_are_named_the_sign_in_must_have_one(
    app: Flask,
    client: PortalClient,
    administrator: HostileProvider,
    monkeypatch: pytest.MonkeyPatch,
    claims: dict[str, object],
    enough: bool,
) -> None:
    set_factor(app, monkeypatch, "required", oidc_acr="urn:high urn:higher", oidc_amr="mfa")
    administrator.claims = claims
    assert query_of(begin(client))["acr_values"] == ["urn:high urn:higher"]

    if enough:
        enter(client, administrator)
        assert client.page("/people").status == 200
    else:
        assert MISSING in enter_page(client, administrator).text
        assert not signed_in(client)


def test_a_learner_needs_no_value_until_they_see_others(
    app: Flask, client: PortalClient, trusted: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_factor(app, monkeypatch, "required", oidc_amr="mfa")
    enter(client, trusted)
    assert client.page("/account").h1 == "Your account"

    make_grant(person_by_staff_number("D1001"), Role.ADMINISTRATOR)

    page = client.page("/people")
    assert page.h1 == "Sign in again to continue"
    assert any(words.startswith("Sign in again with") for words in page.links)


def sign_in_there_again(client: PortalClient, provider: HostileProvider, **claims: object) -> str:
    """Follow the page's link to the provider and back; where the portal leads then."""
    page = client.page("/sign-in/again")
    link = next(href for words, href in page.links.items() if words.startswith("Sign in again with"))
    address = client.get(link).location
    assert query_of(address)["prompt"] == ["login"]
    assert query_of(address)["max_age"] == ["0"]
    provider.claims = {**provider.claims, **claims}
    answer = come_back(client, provider.answer_to(address))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def test_a_grant_waits_for_a_new_sign_in_at_the_provider(
    frozen: time_machine.Traveller, client: PortalClient, administrator: HostileProvider
) -> None:
    enter(client, administrator)
    form = client.page(FORM)
    frozen.shift(timedelta(minutes=30))
    page = client.press(form, "Grant role", role="publisher", unit="")
    assert page.h1 == "Sign in again to continue"
    assert not page.all("input", name="password")

    assert sign_in_there_again(client, administrator, auth_time=time.time()) == "/sign-in/kept"

    page = client.press(client.page("/sign-in/kept"), "Continue")
    assert "Role granted: Publisher" in page.text
    assert db.session.query(SignInSession).count() == 1


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"auth_time": START.timestamp()}, "not a new one"),
        ({"auth_time": None}, "not a new one"),
        ({"auth_time": True}, "not a new one"),
        ({"sub": "somebody"}, "as somebody else"),
    ],
    ids=["old", "missing", "true", "another subject"],
)
def test_an_old_sign_in_or_somebody_elses_is_not_enough(
    frozen: time_machine.Traveller,
    client: PortalClient,
    administrator: HostileProvider,
    claims: dict[str, object],
    reason: str,
) -> None:
    enter(client, administrator)
    frozen.shift(timedelta(minutes=30))
    now = time.time()

    location = sign_in_there_again(client, administrator, **{"auth_time": now, **claims})

    page = client.page(location)
    assert page.h1 == "Sign in again to continue"
    assert reason in page.text
    assert signed_in(client)


def test_cancelling_there_leaves_one_signed_in_here(
    frozen: time_machine.Traveller, client: PortalClient, administrator: HostileProvider
) -> None:
    enter(client, administrator)
    frozen.shift(timedelta(minutes=30))
    address = client.get("/sign-in/oidc?again=yes&next=/people").location
    back = administrator.answer_to(address, code=None, error="access_denied")

    page = client.page(come_back(client, back).location)

    assert page.h1 == "Sign in again to continue"
    assert "You did not finish signing in" in page.text


def test_a_real_provider_asks_again_and_says_when(client: PortalClient, real_provider, use_provider) -> None:
    person = make_account("D1001")
    make_grant(person, Role.ADMINISTRATOR)
    use_provider(real_provider.issuer)
    import requests

    browser = requests.Session()
    come_back(client, real_provider.walk(begin(client), "D1001", browser))
    assert signed_in(client)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1), tick=True):
        address = client.get("/sign-in/oidc?again=yes&next=/people").location
        answer = come_back(client, real_provider.walk(address, "D1001", browser))

    assert (answer.status_code, answer.location) == (303, "/people")


@pytest.mark.parametrize("has_one", [True, False])
def test_a_session_that_lacks_its_factor_adds_no_device(
    app: Flask,
    client: PortalClient,
    trusted: HostileProvider,
    monkeypatch: pytest.MonkeyPatch,
    has_one: bool,
) -> None:
    """Whoever stole what the provider asks of a learner would add their own."""
    set_factor(app, monkeypatch, "required", oidc_amr="mfa")
    enter(client, trusted)
    person = person_by_staff_number("D1001")
    if has_one:
        add_codes(person)
    make_grant(person, Role.ADMINISTRATOR)

    for path in ("/account/factors/codes", "/account/factors/passkeys"):
        assert client.page(path).h1 == "Sign in again to continue", path
