"""Accounts and sessions on a phone without scripts, by the keyboard: found, selected and ended."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys import keyboard
from tests.journeys.walking import h1, hold_to_account, sign_in, sign_in_afresh, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
LEARNER, ADMINISTRATOR = "D1001", "D9001"


def is_signed_in(tab: Tab) -> bool:
    """Whether the next request of this browser is a signed-in person's."""
    tab.goto("/account")
    return urlsplit(tab.url).path == "/account"


def test_sessions_are_selected_and_ended_by_keyboard_without_scripts(
    browser: Browser, shared_server: Server
) -> None:
    with (
        visitor(browser, shared_server, 320, java_script_enabled=False) as admin,
        visitor(browser, shared_server) as one,
        visitor(browser, shared_server) as two,
    ):
        sign_in_afresh(one, LEARNER)
        sign_in(admin, ADMINISTRATOR)
        admin.goto("/people/accounts?state=never")
        hold_to_account(admin)
        keyboard.press_enter(admin, "main a[href='/people/accounts/sessions']")
        hold_to_account(admin)
        admin.goto(f"/people/accounts/sessions?q={LEARNER}")
        before = int(h1(admin).split()[0])

        keyboard.walk_to(admin, "#end")  # the latest seen
        admin.keyboard.press("Space")
        with admin.expect_navigation():
            admin.keyboard.press("Enter")  # in the box: it goes on with those selected, and ends none
        assert h1(admin) == "End 1 session of 1 person"
        hold_to_account(admin)
        keyboard.send(admin)
        assert "1 session of 1 person ended." in admin.inner_text("main")
        assert h1(admin).startswith(str(before - 1))
        assert not is_signed_in(one)

        sign_in_afresh(one, LEARNER)
        sign_in_afresh(two, LEARNER)
        admin.goto(f"/people/accounts/sessions?q={LEARNER}")
        keyboard.press_enter(admin, "main a[href^='/people/accounts/sessions/end']")
        hold_to_account(admin)
        keyboard.send(admin)
        assert h1(admin) == "0 open sessions"
        hold_to_account(admin)
        assert not is_signed_in(one)
        assert not is_signed_in(two)
        assert is_signed_in(admin)
