"""Each case of the modules walked by keyboard alone, at 320 px and without JavaScript, to its debrief."""

import pytest
from playwright.sync_api import Browser

from tests.journeys import keyboard
from tests.journeys.walking import ask, h1, hold_to_account, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
CASES = (
    "SELECT a.key, l.key, l.case_kind FROM lesson l JOIN module_version v ON v.id = l.module_version_id"
    " JOIN activity a ON a.id = v.activity_id WHERE l.case_kind IS NOT NULL ORDER BY 1, 2"
)
STEPS = 9  # more than any way has


def test_every_case_is_worked_through_by_keyboard_on_a_phone(browser: Browser, shared_server: Server) -> None:
    cases = ask(shared_server.instance, CASES)
    assert {module for module, _, _ in cases} == {"recognise", "protect", "respond", "report"}
    with visitor(browser, shared_server, 320, java_script_enabled=False) as tab:
        sign_in(tab, "D1001")
        for module, key, kind in cases:
            tab.goto(f"/learning/modules/{module}/lessons/{key}")
            title = h1(tab)
            for _ in range(STEPS):
                hold_to_account(tab)
                if not tab.locator(keyboard.CASE_FORM).count():
                    break
                keyboard.take_case_step(tab)
            debrief = tab.inner_text("main")
            assert h1(tab) == title
            assert "To take away" in debrief, key
            assert kind == "call" or "Seen at 02:10." in debrief
            assert ("The model’s way" if kind == "scenario" else "A model") in debrief
