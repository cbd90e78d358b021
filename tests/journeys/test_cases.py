"""Each case of the modules walked by keyboard alone, at 320 px and without JavaScript, to its debrief."""

import pytest
from playwright.sync_api import Browser

from tests.journeys import keyboard
from tests.journeys.walking import ask, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
CASES = (
    "SELECT a.key, l.key, l.case_kind FROM lesson l JOIN module_version v ON v.id = l.module_version_id"
    " JOIN activity a ON a.id = v.activity_id WHERE l.case_kind IS NOT NULL ORDER BY 1, 2"
)
STEPS = 9  # more than any way has
DEBRIEFS = {
    "scenario": "The model’s way",
    "report": "A model",
    "picture": "What you walked past",
    "call": "A model",
}


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
            assert kind == "call" or ("Seen at 02:10." in debrief) == (kind != "picture")
            assert DEBRIEFS[kind] in debrief


@pytest.mark.parametrize(
    ("width", "scripts"), [(1280, True), (320, True), (320, False)], ids=["desk", "phone", "no-scripts"]
)
def test_places_are_chosen_on_the_picture_itself(
    browser: Browser, shared_server: Server, width: int, scripts: bool
) -> None:
    pictures = [
        (module, key) for module, key, kind in ask(shared_server.instance, CASES) if kind == "picture"
    ]
    assert len(pictures) == 4
    with visitor(browser, shared_server, width, java_script_enabled=scripts) as tab:
        sign_in(tab, "D2002")
        for module, key in pictures:
            tab.goto(f"/learning/modules/{module}/lessons/{key}?again=y")
            hold_to_account(tab)
            for place in tab.locator(".portal-picture__places:visible label").all():
                place.scroll_into_view_if_needed()
                top = tab.evaluate("scrollY")
                place.click()
                assert not scripts or tab.evaluate("scrollY") == top, "the page jumped to the list"
            assert tab.locator("input[name=place]:not(:checked)").count() == 0
            press(tab, "Check")
            assert "What you chose and did not need" in tab.inner_text("main")
            hold_to_account(tab)
