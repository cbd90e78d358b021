"""The call to NCCU and the two documents, done well by keyboard on a phone without JavaScript, then shown."""

from collections.abc import Mapping

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys import keyboard
from tests.journeys.walking import h1, hold_to_account, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
CALL = "/learning/modules/respond/lessons/the-call-from-quarry-lay-by"
DOCUMENT = "/learning/modules/report/lessons/after-quarry-lay-by"
QUESTIONS = (
    "Who is hurt",
    "Ask each one apart",
    "Ask what nationality",
    "Reed, what does he say",
    "Who decided",
)
PASSED_ON = {
    "Place": "Quarry Lay-by",
    "How many people": "eleven",
    "Health": "Two very cold",
    "Ages": "A girl says 15",
    "Nationality and language": "Eight have stated",
    "How they were found": "Driver rang at 03:10",
    "Plate of the tractor": "ws00kld",
    "Route": "Driver says",
    "Safeguarding": "Social worker rung",
}
WRITTEN = {
    "For NCCU, today: the circumstances": "Log 214. Eleven people, counted twice.",
    "Grade of what she saw at 01:50": "A Known directly",
    "Grade of what she says of Dunn": "C Known indirectly",
    "Handling: C, with which condition?": "Speak to the author",
    "For your force: what was seen and said": "In the night a grey van stopped. The source saw it.",
}


def choose(tab: Tab, words: str) -> None:
    """Turn to the radio with these words, and press the page's button."""
    radio = tab.locator("main form .govuk-radios__item", has_text=words).locator("input")
    keyboard.fill_in(tab, [("choice", str(radio.get_attribute("value")))])
    keyboard.send(tab)


def fill_in(tab: Tab, answers: Mapping[str, str]) -> None:
    """Pick from each list the option that begins so, and type into the other fields."""
    fields = []
    for label, words in answers.items():
        control = tab.get_by_label(label, exact=True)
        option = control.locator("option", has_text=words)
        value = str(option.get_attribute("value")) if option.count() else words
        fields.append((str(control.get_attribute("name")), value))
    keyboard.fill_in(tab, fields)
    keyboard.send(tab)


def tick(tab: Tab, *words: str) -> None:
    """Tick the lines that begin so."""
    for line in words:
        box = tab.get_by_label(line)
        keyboard.walk_to(tab, f"#{box.get_attribute('id')}")
        tab.keyboard.press("Space")


def test_the_call_is_made_by_keyboard_on_a_phone(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server, 320, java_script_enabled=False) as tab:
        sign_in(tab, "D1001")
        tab.goto(f"{CALL}?again=y")
        for words in QUESTIONS:
            hold_to_account(tab)
            choose(tab, words)
        hold_to_account(tab)
        assert "Two are very cold" in tab.inner_text("main details")  # the notes are open
        fill_in(tab, PASSED_ON)
        hold_to_account(tab)
        debrief = tab.inner_text("main")
        assert "You asked 5 of 5 good questions, and passed on 9 of 9 things as they were known." in debrief
        assert "A model call" in debrief


def test_a_document_is_shown_to_the_manager_and_both_ticks_stand_beside_each_other(
    browser: Browser, shared_server: Server
) -> None:
    with (
        visitor(browser, shared_server, 320, java_script_enabled=False) as tab,
        visitor(browser, shared_server, 320, java_script_enabled=False) as manager,
    ):
        sign_in(tab, "D1001")
        tab.goto(f"{DOCUMENT}?again=y")
        fill_in(tab, WRITTEN)
        hold_to_account(tab)
        assert "3 of 3 choices are right. No score is kept." in tab.inner_text("main")
        tick(tab, "It has the log number")
        keyboard.press_enter(tab, "form[action$='/rubric'] button")
        hold_to_account(tab)
        tick(tab, "I agree that")
        keyboard.press_enter(tab, "form[action$='/copy'] button")
        name = tab.locator("#copy + p").inner_text().partition(" can read")[0]

        sign_in(manager, "D2001")
        manager.goto("/learning/copies")
        hold_to_account(manager)
        keyboard.press_enter(manager, "main .portal-tasks a")
        hold_to_account(manager)
        assert "Eleven people, counted twice." in manager.inner_text("main")
        tick(manager, "It gives the exact place", "You wrote how each thing is known")
        keyboard.send(manager)
        assert h1(manager) == "Texts shown to one person"

        tab.reload()
        hold_to_account(tab)
        debrief = tab.inner_text("main")
        assert (
            f"It has the log number, the time of the call to NCCU and their reference. – {name}: no"
            in debrief
        )
        assert "You wrote how each thing is known." in debrief
        assert tab.get_by_label("It has the log number").is_checked()
        keyboard.press_enter(tab, "form[action$='/end'] button")
        assert "The copy is erased." in tab.inner_text("main")
        manager.reload()
        assert "Nobody shows you a text at present." in manager.inner_text("main")
