"""The force's identity provider, as tests of signing in meet it: a real one, and one that lies."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from tests.pages.account.browsing import make_account
from tests.pages.sign_in.hostile_provider import HostileProvider, RunningProvider
from tests.pages.sign_in.walking import CLIENT_ID, CLIENT_SECRET, PORTAL, RealProvider, run_provider


@pytest.fixture(scope="session")
def real_provider() -> Iterator[RealProvider]:
    """The provider of the demo: a certified implementation, run by Node."""
    with run_provider(PORTAL) as issuer:
        yield RealProvider(issuer)


@pytest.fixture
def use_provider(app: Flask, monkeypatch: pytest.MonkeyPatch):
    """Set the portal to sign people in with a provider."""

    def use(issuer: str, **more: str) -> None:
        settings = {
            "oidc_issuer": issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": CLIENT_SECRET,
            "oidc_match_claim": "employee_id",
            "oidc_match_field": "staff_number",
            "oidc_label": "your Westshire account",
            "public_url": PORTAL,
        }
        monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], **settings | more))

    return use


@pytest.fixture
def hostile(database: None) -> Iterator[HostileProvider]:
    """A provider that says what the test wants."""
    with RunningProvider() as provider:
        yield provider


@pytest.fixture
def trusted(hostile: HostileProvider, use_provider) -> HostileProvider:
    """The same, which the portal trusts; D1001 has an account with a password."""
    make_account("D1001")
    use_provider(hostile.issuer)
    return hostile
