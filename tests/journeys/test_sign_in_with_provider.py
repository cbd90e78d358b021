"""An officer signs in with the force account for the first time, and out again, at a real provider."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys.keyboard import press_enter
from tests.journeys.walking import follow, go, h1, hold_to_account, press, visitor
from tests.pages.sign_in.walking import CLIENT_ID, CLIENT_SECRET, run_provider
from tests.running import PASSWORD, Server, copied

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@dataclass(frozen=True)
class Force:
    """A portal and the provider with which its people sign in."""

    server: Server
    issuer: str


@pytest.fixture(scope="module")
def force(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Force]:
    """A portal that knows the provider, and a provider that knows the portal."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with run_provider(f"http://127.0.0.1:{port}") as issuer:
        settings = {
            "OIDC_ISSUER": issuer,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_MATCH_CLAIM": "employee_id",
            "OIDC_MATCH_FIELD": "staff_number",
            "OIDC_LABEL": "your Westshire account",
        }
        instance = copied(small_force, tmp_path_factory.mktemp("provider") / "instance")
        server = Server(instance, port=port, more=settings)
        try:
            yield Force(server.start(), issuer)
        finally:
            server.kill()


def sign_in_there(tab: Tab, name: str) -> None:
    """Fill in the provider's own page."""
    tab.fill("#name", name)
    go(tab, "button[value=sign-in]")


@pytest.mark.parametrize(
    ("number", "width", "scripts"),
    [
        ("D1001", 1280, True),
        pytest.param("D2001", 320, True, marks=pytest.mark.sweep),
        pytest.param("D2002", 320, False, marks=pytest.mark.sweep),
    ],
)
def test_the_first_sign_in_and_the_way_out(
    browser: Browser, force: Force, number: str, width: int, scripts: bool
) -> None:
    with visitor(browser, force.server, width, also=force.issuer, java_script_enabled=scripts) as tab:
        tab.goto("/records")
        assert h1(tab) == "Sign in"
        hold_to_account(tab)
        press_enter(tab, "main a[href^='/sign-in/oidc']")
        sign_in_there(tab, number)
        tab.wait_for_url("**/records")

        tab.click("text=Sign out")
        tab.wait_for_url(f"{force.issuer}/**")  # by itself, also without scripts
        tab.click("text=Yes, sign out")
        tab.wait_for_url("**/sign-in*")
        tab.goto("/records")
        follow(tab, "Sign in with your Westshire account")
        assert tab.locator("#name").count() == 1  # the provider asks again


@pytest.mark.sweep
def test_the_provider_ends_the_session_by_itself(browser: Browser, force: Force) -> None:
    with visitor(browser, force.server, also=force.issuer) as tab:
        tab.goto("/sign-in?next=/records")
        follow(tab, "Sign in with your Westshire account")
        sign_in_there(tab, "D6001")
        tab.wait_for_url("**/records")

        tab.goto(f"{force.issuer}/session/end")
        go(tab, "button:has-text('Yes, sign out')")
        tab.goto("/records")

        assert h1(tab) == "Sign in"


@pytest.mark.sweep
def test_whoever_is_not_in_the_roster_reads_whom_to_ask_and_an_administrator_sees_it(
    browser: Browser, force: Force
) -> None:
    with visitor(browser, force.server, 320, also=force.issuer) as tab:
        tab.goto("/sign-in")
        follow(tab, "Sign in with your Westshire account")
        sign_in_there(tab, "stranger=Z9999")
        tab.wait_for_url("**/sign-in/oidc/callback*")
        assert h1(tab) == "You are not signed in"
        hold_to_account(tab)
    with visitor(browser, force.server, also=force.issuer) as tab:
        tab.goto("/sign-in?next=/people/identities")
        tab.click("summary:has-text('Administrators')")
        tab.fill("#name", "D9001")
        tab.fill("#password", PASSWORD)
        press(tab, "Sign in")
        assert urlsplit(tab.url).path == "/people/identities"
        assert "Z9999" in tab.inner_text("main")
        for size in (1280, 320):
            tab.set_viewport_size({"width": size, "height": 900})
            hold_to_account(tab)


@pytest.mark.sweep
def test_cancelling_at_the_provider_signs_nobody_in(browser: Browser, force: Force) -> None:
    with visitor(browser, force.server, also=force.issuer) as tab:
        tab.goto("/sign-in")
        follow(tab, "Sign in with your Westshire account")
        go(tab, "button[value=cancel]")
        tab.wait_for_url("**/sign-in/oidc/callback*")

        assert "You did not finish signing in" in tab.inner_text("main")
        follow(tab, "Try again")
        assert tab.locator("#name").count() == 1
