"""What the script adds to the author's forms, by keyboard: the toolbar, the growing box, rows in place."""

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.editing import open_editor, saved, seldom, signed_in
from tests.journeys.walking import hold_to_account, press
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
LESSON = "/authoring/protect/lessons/whose-phone"
FILE = "lessons/whose-phone.md"
FOCUSED = "document.activeElement.textContent.trim() || document.activeElement.id"


def test_a_lesson_and_its_check_are_written_by_keyboard(browser: Browser, shared_server: Server) -> None:
    with signed_in(browser, shared_server) as tab:
        tab.goto("/authoring/protect")
        if tab.locator("main button:text-is('Edit')").count():
            press(tab, "Edit")
        open_editor(tab, LESSON)
        seldom(tab)
        text, toolbar = tab.locator("#body"), tab.get_by_role("toolbar", name="Write in the text")
        check = text.input_value()[text.input_value().index("::: check ") :].strip()

        # One stop of the Tab key, in which the arrow keys move round.
        text.focus()
        tab.keyboard.press("Shift+Tab")
        assert tab.evaluate(FOCUSED) == "Bold"
        tab.keyboard.press("ArrowLeft")
        assert tab.evaluate(FOCUSED) == "Check"
        tab.keyboard.press("Home")
        for _ in range(2):
            tab.keyboard.press("ArrowRight")
        assert tab.evaluate(FOCUSED) == "List"
        assert toolbar.get_attribute("aria-controls") == "body"
        expect(tab.locator(".portal-toolbar__note")).to_be_hidden()

        # What the buttons write; pressed again, they take it back.
        text.fill("Ask him.\nAsk her.")
        text.evaluate("box => box.setSelectionRange(0, box.value.length)")
        toolbar.get_by_role("button", name="List").click()
        expect(text).to_have_value("- Ask him.\n- Ask her.")
        text.evaluate("box => box.setSelectionRange(0, box.value.length)")
        toolbar.get_by_role("button", name="Steps").click()
        expect(text).to_have_value("1. Ask him.\n2. Ask her.")
        text.evaluate("box => box.setSelectionRange(0, box.value.length)")
        toolbar.get_by_role("button", name="Steps").click()
        expect(text).to_have_value("Ask him.\nAsk her.")
        text.evaluate("box => box.setSelectionRange(0, 3)")
        tab.keyboard.press("Control+b")
        expect(text).to_have_value("**Ask** him.\nAsk her.")
        tab.keyboard.press("Control+b")
        expect(text).to_have_value("Ask him.\nAsk her.")
        tab.keyboard.press("Control+k")
        tab.keyboard.type("https://www.gov.uk/")
        expect(text).to_have_value("[Ask](https://www.gov.uk/) him.\nAsk her.")

        # The box grows with its text, up to most of the window.
        low = text.bounding_box()
        text.fill("A line.\n\n" * 30 + check)
        high = text.bounding_box()
        assert low is not None
        assert high is not None
        assert low["height"] < high["height"] <= 0.76 * tab.evaluate("innerHeight")
        hold_to_account(tab)

        # Rows come, move and go without another page, and the keyboard stays where the row is.
        press(tab, "Edit check 1")
        tab.evaluate("window.here = true")
        rows = tab.locator("#editor fieldset.portal-row")
        number = rows.count()
        tab.locator("#explanation").fill("Kept while rows change.")
        tab.get_by_role("button", name="Add another choice").focus()
        tab.keyboard.press("Enter")
        expect(rows).to_have_count(number + 1)
        expect(tab.locator(f"#choice-{number}-text")).to_be_focused()
        tab.keyboard.type("By keyboard")
        tab.keyboard.press("Tab")
        tab.keyboard.type("Written by keyboard alone.")
        rows.nth(number).get_by_role("button", name="Move up").press("Enter")
        expect(tab.locator(f"#choice-{number - 1}-text")).to_have_value("By keyboard")
        rows.nth(0).get_by_role("button", name="Remove").press("Enter")
        expect(rows).to_have_count(number)
        assert tab.evaluate("window.here") is True
        assert tab.input_value("#explanation") == "Kept while rows change."
        if not tab.locator("#editor input[name$=-correct]:checked").count():
            tab.locator("#choice-0-correct").check()
        press(tab, "Save the check")
        expect(tab.locator("main")).to_contain_text("The check is saved.")
        assert 'text = "By keyboard"\nfeedback = "Written by keyboard alone."' in saved(shared_server, FILE)
        hold_to_account(tab)
