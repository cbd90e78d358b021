"""Each case of the modules walked by keyboard alone, at 320 px and without JavaScript, to its debrief."""

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys.walking import ask, h1, hold_to_account, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
CASES = (
    "SELECT a.key, l.key, l.case_kind FROM lesson l JOIN module_version v ON v.id = l.module_version_id"
    " JOIN activity a ON a.id = v.activity_id WHERE l.case_kind IS NOT NULL ORDER BY 1, 2"
)
FOCUSED = (
    "(({tagName, name, type}) => [tagName.toLowerCase(), name || '', type || ''])(document.activeElement)"
)
STEPS = 9  # more than any way has


def fill_by_keyboard(tab: Tab) -> None:
    """Tab from the skip link on: the first of all choices, a word in each text, and the first button."""
    form = tab.locator("form[action*='/runs/']")
    chosen: set[str] = set()
    tab.locator("h1").evaluate("element => { element.tabIndex = -1; element.focus() }")
    for _ in range(80):
        tab.keyboard.press("Tab")
        tag, name, kind = tab.evaluate(FOCUSED)
        if kind == "radio" and name not in chosen:
            tab.keyboard.press("Space")
            chosen.add(name)
        elif tag == "textarea":
            tab.keyboard.type("Seen at 02:10.")
        elif tag == "button" and form.locator("button:focus").count():
            with tab.expect_navigation():
                tab.keyboard.press("Enter")
            return
    raise AssertionError(f"{tab.url}: the button cannot be reached by keyboard")


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
                if not tab.locator("form[action*='/runs/']").count():
                    break
                fill_by_keyboard(tab)
            debrief = tab.inner_text("main")
            assert h1(tab) == title
            assert "To take away" in debrief, key
            assert "Seen at 02:10." in debrief
            assert ("The model’s way" if kind == "scenario" else "A model") in debrief
