"""An officer signs in with the force account by SAML: the provider is another site, as it is in life."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser

from tests.features.saml.keys import make_pair
from tests.features.saml.real_idp import metadata_of, run_idp
from tests.journeys.keyboard import press_enter
from tests.journeys.walking import go, h1, hold_to_account, visitor
from tests.running import Server, copied

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def force(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A portal that knows the provider, and a provider that knows the portal."""
    folder = tmp_path_factory.mktemp("saml")
    key, certificate = make_pair("portal").write(folder, "portal")
    with run_idp(folder, CIPHER="gcm") as idp:
        (folder / "idp.xml").write_text(metadata_of(idp))
        settings = {
            "SAML_IDP_METADATA": str(folder / "idp.xml"),
            "SAML_KEY_FILE": str(key),
            "SAML_CERTIFICATE_FILE": str(certificate),
            "SAML_MATCH_ATTRIBUTE": "employee_id",
            "SAML_MATCH_FIELD": "staff_number",
            "SAML_LABEL": "your Westshire account",
        }
        server = Server(copied(small_force, folder / "instance"), more=settings)
        try:
            described = requests.get(f"{server.start().address}/saml/metadata", timeout=10)
            (folder / "service.xml").write_text(described.text)
            yield server, idp
        finally:
            server.kill()


@pytest.mark.parametrize(
    ("number", "width", "scripts"),
    [("D1001", 1280, True), pytest.param("D2001", 320, False, marks=pytest.mark.sweep)],
)
def test_the_first_sign_in_and_the_way_out(
    browser: Browser, force: tuple[Server, str], number: str, width: int, scripts: bool
) -> None:
    server, idp = force
    with visitor(browser, server, width, also=idp, java_script_enabled=scripts) as tab:
        tab.goto("/records")
        assert h1(tab) == "Sign in"
        hold_to_account(tab)
        press_enter(tab, "main a[href^='/sign-in/saml']")
        tab.fill("#name", number)
        go(tab, "button:has-text('Sign in')")
        with tab.expect_request("**/saml/acs") as brought:
            go(tab, "button:has-text('Continue')")
        assert "cookie" not in brought.value.all_headers()  # it comes from another site
        tab.wait_for_url("**/records")

        tab.click("text=Sign out")
        tab.wait_for_url("**/sign-in*")
        assert h1(tab) == "Sign in"


@pytest.mark.sweep
def test_whoever_is_not_in_the_roster_reads_whom_to_ask(browser: Browser, force: tuple[Server, str]) -> None:
    server, idp = force
    with visitor(browser, server, 320, also=idp) as tab:
        tab.goto("/sign-in")
        press_enter(tab, "main a[href^='/sign-in/saml']")
        tab.fill("#name", "stranger=Z9999")
        go(tab, "button:has-text('Sign in')")
        go(tab, "button:has-text('Continue')")

        assert h1(tab) == "You are not signed in"
        assert "Nobody in the portal’s roster has the number" in tab.inner_text("main")
        hold_to_account(tab)
