"""A second factor from the first link on: codes on a phone without scripts, and passkeys in Chromium."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, CDPSession
from playwright.sync_api import Page as Tab

from tests.journeys.keyboard import press_enter
from tests.journeys.walking import change, follow, h1, hold_to_account, press, sign_in_afresh, visitor
from tests.pages.sign_in.second_factors import GROUPED
from tests.running import PASSWORD, Server, command, copied, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NEW_PASSWORD = "lantern-orbit-walnut-quay"


@dataclass
class NamedServer(Server):
    """A server at an address with a name: no browser makes a passkey for a number."""

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def strict(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A portal that requires second factors."""
    instance = copied(small_force, tmp_path_factory.mktemp("strict") / "instance")
    server = NamedServer(instance, more={"SECOND_FACTOR": "required"})
    try:
        yield server.start()
    finally:
        server.kill()


def invited(server: Server, staff_number: str) -> str:
    """The path of the link that the command prints."""
    done = command(settings(server.instance, server.port), "accounts", "invite", staff_number)
    assert done.returncode == 0, done.stderr
    return urlsplit(done.stdout.strip()).path


def look(tab: Tab, width: int) -> None:
    """The page is right on a phone, and as wide as the journey is."""
    for size in {320, width}:
        tab.set_viewport_size({"width": size, "height": 900})
        hold_to_account(tab)


@pytest.mark.sweep
def test_codes_from_the_link_to_the_next_sign_in_on_a_phone_without_scripts(
    browser: Browser, strict: Server
) -> None:
    with visitor(browser, strict, 320, java_script_enabled=False) as tab:
        sign_in_afresh_refused(tab)
        tab.goto(invited(strict, "D9001"))
        tab.fill("#password", NEW_PASSWORD)
        press(tab, "Set password")
        assert h1(tab) == "Your second factor"
        look(tab, 320)
        tab.goto("/people")
        assert h1(tab) == "Your second factor"

        press_enter(tab, "main a[href^='/account/factors/codes']")
        look(tab, 320)
        found = GROUPED.search(tab.inner_text("main"))
        assert found
        device = pyotp.TOTP(found[1].replace(" ", ""))
        tab.fill("#code", device.now())
        press(tab, "Set up")
        assert h1(tab) == "Your recovery codes"
        look(tab, 320)
        code = re.findall(r"\w{4}-\w{4}-\w{4}", tab.inner_text("main"))[0]
        follow(tab, "I have kept them")
        assert h1(tab).endswith("you can see")

    with visitor(browser, strict, 320, java_script_enabled=False) as tab:
        tab.goto("/people?q=D1001")
        enter_password(tab, "D9001", NEW_PASSWORD)
        assert h1(tab) == "Confirm that it is you"
        look(tab, 320)
        tab.fill("#code", "000 000")
        press(tab, "Continue")
        assert tab.title().startswith("Error: Confirm")
        look(tab, 320)
        tab.fill("#code", code)
        press(tab, "Continue")
        assert urlsplit(tab.url).path == "/people"


def sign_in_afresh_refused(tab: Tab) -> None:
    """Without a factor, an administrator's password opens nothing, and the page says whom to ask."""
    tab.goto("/sign-in")
    enter_password(tab, "D9001")
    assert h1(tab) == "You need a second factor"
    hold_to_account(tab)


def enter_password(tab: Tab, staff_number: str, password: str = PASSWORD) -> None:
    """Fill the sign-in page that is open, wherever it leads."""
    tab.fill("#name", staff_number)
    tab.fill("#password", password)
    with tab.expect_navigation():
        tab.click("main button:text-is('Sign in')")


def new_device(tab: Tab) -> CDPSession:
    """Put an authenticator into the browser, whose owner unlocks it whenever it asks."""
    session = tab.context.new_cdp_session(tab)
    session.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    return session


def test_a_passkey_signs_in_alone_and_again_for_a_grant(browser: Browser, strict: Server) -> None:
    with visitor(browser, strict) as tab:
        new_device(tab)
        tab.goto(invited(strict, "D6001"))
        tab.fill("#password", NEW_PASSWORD)
        press(tab, "Set password")
        follow(tab, "Add a passkey")
        look(tab, 1280)
        tab.fill("#label", "Laptop")
        press_enter(tab, "main form[data-passkey] button")
        assert h1(tab) == "Your recovery codes"
        follow(tab, "I have kept them")
        assert "Laptop" in tab.inner_text("main table")
        look(tab, 1280)

        tab.click("text=Sign out")
        tab.wait_for_url("**/sign-in*")
        tab.goto("/people")
        look(tab, 1280)
        press(tab, "Sign in with a passkey")
        assert urlsplit(tab.url).path == "/people"
        change(strict.instance, "UPDATE sign_in_session SET created_at = datetime(created_at, '-30 minutes')")

        tab.goto("/account/factors")
        press(tab, "Make new recovery codes")
        assert h1(tab) == "Sign in again to continue"
        look(tab, 1280)
        press(tab, "Use your passkey")
        assert h1(tab) == "Your request to get new recovery codes was kept"
        press(tab, "Continue")
        assert h1(tab) == "Your recovery codes"


@pytest.mark.sweep
def test_a_passkey_that_the_browser_does_not_give_is_said_in_words(browser: Browser, strict: Server) -> None:
    with visitor(browser, strict, 320) as tab:
        tab.goto("/sign-in")
        tab.evaluate("() => { navigator.credentials.get = () => Promise.reject(new Error('cancelled')); }")
        tab.click("main button:has-text('Sign in with a passkey')")
        tab.wait_for_selector("main [role=alert]:visible")
        assert "The passkey was not used" in tab.inner_text("main")
        hold_to_account(tab)


@pytest.mark.sweep
def test_without_scripts_no_button_is_shown_that_does_nothing(browser: Browser, strict: Server) -> None:
    with visitor(browser, strict, 320, java_script_enabled=False) as tab:
        tab.goto("/sign-in")
        assert not tab.is_visible("main button:has-text('passkey')")
        sign_in_afresh(tab, "D1001")
        tab.goto("/account/factors/passkeys")
        assert "Passkeys need JavaScript" in tab.inner_text("main")
        assert not tab.is_visible("main form button")
        hold_to_account(tab)
