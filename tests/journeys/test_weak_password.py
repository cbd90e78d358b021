"""Somebody signs in with a password that an earlier release let pass, and chooses another one."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from portal.domain.accounts import passwords
from tests.journeys.walking import change, h1, hold_to_account, press, sign_in_afresh, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
WEAK = "jennifer1234"


@pytest.mark.parametrize(
    ("staff_number", "scripts"), [("D4001", True), pytest.param("D1001", False, marks=pytest.mark.sweep)]
)
def test_another_password_is_chosen_before_anything_else(
    browser: Browser, shared_server: Server, staff_number: str, scripts: bool
) -> None:
    met = change(
        shared_server.instance,
        "UPDATE credential SET password_hash = ?, password_rule = NULL WHERE person_id ="
        " (SELECT person_id FROM person_name WHERE staff_number = ?)",
        passwords.hash_password(WEAK),
        staff_number,
    )
    assert met == 1
    with visitor(browser, shared_server, java_script_enabled=scripts) as tab:
        sign_in_afresh(tab, staff_number, WEAK)
        for width in (1280, 320):
            tab.set_viewport_size({"width": width, "height": 900})
            hold_to_account(tab)
        tab.goto("/learning")
        assert h1(tab) == "Choose a new password"
        tab.fill("#password", "westshirepolice1")
        press(tab, "Save and continue")
        assert tab.title().startswith("Error: Choose a new password")
        hold_to_account(tab)
        tab.fill("#password", "lantern-orbit-walnut-quay")
        press(tab, "Save and continue")

        assert urlsplit(tab.url).path == "/learning"
        assert "Your password is changed" in tab.inner_text("main")
