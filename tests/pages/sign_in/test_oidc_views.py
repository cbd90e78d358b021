"""Signing in with a real provider: once bound, for ever; back to where one was going."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select

from portal.domain.accounts.models import ProviderIdentity
from portal.platform.db import db
from portal.platform.openid import provider
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import make_account, signed_in
from tests.pages.sign_in.walking import PORTAL, RealProvider, begin, come_back, run_provider

pytestmark = pytest.mark.slow


def test_one_click_signs_in_and_binds_for_ever(
    client: PortalClient, real_provider: RealProvider, use_provider
):
    person = make_account("D1001")
    use_provider(real_provider.issuer)

    answer = come_back(client, real_provider.walk(begin(client, "/account"), "jo=D1001"))

    assert (answer.status_code, answer.location) == (303, "/account")
    assert signed_in(client)
    identity = db.session.scalars(select(ProviderIdentity)).one()
    assert (identity.person_id, identity.issuer, identity.subject) == (person, real_provider.issuer, "jo")


def test_the_second_sign_in_asks_nothing(client: PortalClient, real_provider: RealProvider, use_provider):
    make_account("D1001")
    use_provider(real_provider.issuer)
    browser = requests.Session()
    come_back(client, real_provider.walk(begin(client), "jo=D1001", browser))
    client.delete_cookie("portal")

    address = begin(client, "/account")
    step = browser.get(address, allow_redirects=False, timeout=10)

    assert step.headers["Location"].startswith(f"{PORTAL}/sign-in/oidc/callback?")
    assert come_back(client, step.headers["Location"]).location == "/account"


def test_a_code_is_redeemed_once(client: PortalClient, real_provider: RealProvider, use_provider):
    make_account("D1001")
    use_provider(real_provider.issuer)
    first = real_provider.walk(begin(client), "jo=D1001")
    assert come_back(client, first).status_code == 303
    client.delete_cookie("portal")

    second = real_provider.walk(begin(client), "jo=D1001")
    swapped = second.replace(parameter(second, "code"), parameter(first, "code"))

    assert come_back(client, swapped).status_code == 400
    assert not signed_in(client)


def test_whoever_cancels_at_the_provider_may_try_again(
    client: PortalClient, real_provider: RealProvider, use_provider
):
    use_provider(real_provider.issuer)

    address = real_provider.walk(begin(client), "jo=D1001", act="cancel")
    page = Page(come_back(client, address), address)

    assert page.status == 400
    assert "You did not finish signing in with your Westshire account" in page.text
    assert "Try again with your Westshire account" in page.links


def test_a_provider_that_begins_again_with_new_keys_is_believed(
    client: PortalClient, use_provider, monkeypatch: pytest.MonkeyPatch
):
    make_account("D1001")
    monkeypatch.setattr(provider, "PAUSE_SECONDS", 0)
    with run_provider(PORTAL) as issuer:
        use_provider(issuer)
        assert come_back(client, RealProvider(issuer).walk(begin(client), "jo=D1001")).status_code == 303
    client.delete_cookie("portal")
    with run_provider(PORTAL, port=urlsplit(issuer).port or 0):
        assert come_back(client, RealProvider(issuer).walk(begin(client), "jo=D1001")).status_code == 303


def parameter(address: str, name: str) -> str:
    """The value of a parameter of an address."""
    return parse_qs(urlsplit(address).query)[name][0]
