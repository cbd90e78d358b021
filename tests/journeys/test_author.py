"""An author at the desk: with and without scripts, by keyboard alone, on a phone, offline, with another."""

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from tests.journeys.editing import again, author, author_too, open_editor, saved, saved_by_itself, seldom
from tests.journeys.walking import (
    change,
    fill_sign_in,
    follow,
    go,
    h1,
    hold_to_account,
    press,
    sign_in,
    visitor,
)
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LESSON = "/authoring/protect/lessons/refer-or-notify"
LONG_AGO = "2026-01-01 00:00:00.000000"
FAULTY = "They **may** be a victim.\n\nRead [this](lesson:nowhere).\n\n## Next\n\nCall first.\n"


@pytest.fixture(scope="module")
def second(shared_server: Server) -> str:
    """Another person who may write."""
    return author_too(shared_server)


def written(server: Server) -> str:
    return saved(server, "lessons/refer-or-notify.md")


def open_lesson(tab: Tab) -> None:
    """The editor of the lesson; it saves by itself in those tests alone that say so."""
    open_editor(tab, LESSON)
    seldom(tab)


@pytest.mark.parametrize(
    ("width", "scripts"),
    [
        (1280, True),
        pytest.param(320, False, marks=pytest.mark.sweep),
        pytest.param(320, True, marks=pytest.mark.sweep),
        pytest.param(1280, False, marks=pytest.mark.sweep),
    ],
)
def test_a_lesson_is_written_previewed_and_put_right(
    browser: Browser, shared_server: Server, width: int, scripts: bool
) -> None:
    with author(browser, shared_server, width, java_script_enabled=scripts) as tab:
        hold_to_account(tab)
        tab.goto("/authoring")
        hold_to_account(tab)
        follow(tab, "Protect: law, victims and children")
        open_lesson(tab)
        hold_to_account(tab)
        tab.fill("#body", FAULTY)
        press(tab, "Save and preview")
        assert "1 thing to put right" in tab.inner_text("main")
        hold_to_account(tab)
        tab.click("#findings a")
        expect(tab.locator("#mark-1")).to_be_in_viewport()
        assert tab.url.endswith("#mark-1")
        tab.fill("#body", FAULTY.replace("lesson:nowhere", "lesson:may-be-a-child"))
        go(tab, "main button:text-is('Preview')")
        expect(tab.locator("main")).to_contain_text("This is not saved yet")
        expect(tab.locator("#findings .portal-findings__error")).to_have_count(0)
        hold_to_account(tab)
        press(tab, "Save and preview")
        assert "lesson:may-be-a-child" in written(shared_server)
        follow(tab, "Preview as a learner, with the check at the end")
        assert h1(tab) == "Refer or notify"
        assert "This is a preview of the draft" in tab.inner_text("main")
        hold_to_account(tab)


@pytest.mark.sweep
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_of_a_draft_is_in_nobodys_way(browser: Browser, shared_server: Server, width: int) -> None:
    pages = (
        "details",
        "lessons/_new",
        "lessons/which-offence/remove",
        "job-aid",
        "job-aid/remove",
        "history",
        "discard",
        "preview",
        "preview/job-aid",
        "preview/items/adult-refuses",
    )
    with author(browser, shared_server, width) as tab:
        for page in ("/authoring/_new", "/authoring/report", *(f"/authoring/protect/{p}" for p in pages)):
            answer = tab.goto(page)
            assert answer is not None
            assert answer.status == 200
            hold_to_account(tab)
        tab.goto("/authoring/_new")
        press(tab, "Create the module")
        assert tab.title().startswith("Error: ")
        hold_to_account(tab)
        tab.goto("/authoring/protect/details")
        tab.fill("#review_on", "soon")
        press(tab, "Save the details")
        expect(tab.locator("main")).to_contain_text("Enter a date, such as 31 May 2027")
        hold_to_account(tab)
        tab.goto("/authoring/protect/preview/items/adult-refuses")
        press(tab, "Save and continue")
        hold_to_account(tab)
        tab.locator("main input[type=radio]").first.check()
        press(tab, "Save and continue")
        assert "as a learner reads it after a pass" in tab.inner_text("main")
        hold_to_account(tab)


@pytest.mark.sweep
def test_the_preview_follows_the_writing(browser: Browser, shared_server: Server) -> None:
    with author(browser, shared_server) as tab:
        open_lesson(tab)
        before = written(shared_server)
        expect(tab.locator("h2", has_text="Preview at phone width")).to_have_text(
            "Preview at phone width, as you write"
        )
        tab.fill("#body", "Five words are written here.\n\nRead [this](lesson:nowhere).")
        expect(tab.locator("#preview")).to_contain_text("Five words are written here.")
        expect(tab.locator("#words")).to_have_text("7 words. A lesson has 350 to 600.")
        expect(tab.locator("#told")).to_contain_text("1 thing to put right")
        expect(tab.locator("#preview .portal-mark")).to_contain_text("There is no lesson “nowhere”")
        tab.fill("#title", "Another title")
        expect(tab.locator(".portal-preview__title")).to_have_text("Another title")
        assert written(shared_server) == before


@pytest.mark.sweep
def test_what_is_unfolded_in_the_preview_stays_so(browser: Browser, shared_server: Server) -> None:
    with author(browser, shared_server) as tab:
        open_lesson(tab)
        tab.fill("#body", "::: details More\nFolded words.\n:::\n")
        expect(tab.locator("#preview summary")).to_have_count(1)
        tab.locator("#preview summary").click()
        tab.locator("#body").press("Control+End")
        tab.keyboard.type("\nAnd more.")
        expect(tab.locator("#preview")).to_contain_text("And more.")
        expect(tab.locator("#preview details")).to_have_attribute("open", "")


@pytest.mark.sweep
def test_a_box_is_written_at_the_cursor_and_can_be_undone(browser: Browser, shared_server: Server) -> None:
    with author(browser, shared_server) as tab:
        open_lesson(tab)
        expect(tab.get_by_role("toolbar", name="Write in the text")).to_be_visible()
        tab.fill("#body", "First.\n\nLast.")
        tab.locator("#body").evaluate("text => text.setSelectionRange(6, 6)")
        tab.click("main button:text-is('Inset')")
        text = "First.\n\n::: inset\nWrite the point to remember.\n:::\n\nLast."
        expect(tab.locator("#body")).to_have_value(text)
        tab.keyboard.type("Ask why.")
        expect(tab.locator("#body")).to_have_value(text.replace("Write the point to remember.", "Ask why."))
        expect(tab.locator("#preview .govuk-inset-text")).to_have_text("Ask why.")
        for _ in range(30):
            if tab.input_value("#body") == "First.\n\nLast.":
                break
            tab.keyboard.press("Control+z")
        expect(tab.locator("#body")).to_have_value("First.\n\nLast.")


@pytest.mark.sweep
def test_a_box_is_added_to_the_end_without_scripts(browser: Browser, shared_server: Server) -> None:
    with author(browser, shared_server, java_script_enabled=False) as tab:
        open_lesson(tab)
        before = written(shared_server)
        assert tab.inner_text(".portal-toolbar__note") == "Each button adds to the end of the text."
        expect(tab.locator(".portal-toolbar button:text-is('Bold')")).to_be_hidden()
        tab.fill("#body", "First.")
        press(tab, "Warning")
        assert (
            tab.input_value("#body") == "First.\n\n::: warning\nSay what can go wrong, and what to do.\n:::\n"
        )
        assert written(shared_server) == before


def test_a_text_is_saved_while_it_is_written(browser: Browser, shared_server: Server) -> None:
    with author(browser, shared_server) as tab:
        open_lesson(tab)
        seldom(tab, "0.2")
        for words in ("Saved by itself.", "Saved by itself, twice."):
            saved_by_itself(tab, "#body", words)
            assert words in written(shared_server)
        press(tab, "Save and preview")
        assert h1(tab) != "This could not be done"


@pytest.mark.sweep
def test_a_lost_connection_loses_no_text(browser: Browser, shared_server: Server) -> None:
    with author(browser, shared_server) as tab:
        open_lesson(tab)
        tab.fill("#body", "Written on a train.")
        tab.context.set_offline(True)
        tab.click("main button:text-is('Save and preview')")
        told = tab.locator("[data-not-saved]")
        expect(told).to_contain_text("Not saved: the portal could not be reached. Your text is still here.")
        hold_to_account(tab)
        assert tab.input_value("#body") == "Written on a train."
        tab.context.set_offline(False)
        again(tab)
        assert "Written on a train." in written(shared_server)


@pytest.mark.sweep
@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.sweep)])
def test_a_long_lesson_is_kept_when_the_session_has_lapsed(
    browser: Browser, shared_server: Server, scripts: bool
) -> None:
    body = "\n\n".join(f"It’s paragraph {number} of a “long” lesson." for number in range(1_400))
    assert 60_000 > len(body) > 55_000
    with author(browser, shared_server, java_script_enabled=scripts) as tab:
        open_lesson(tab)
        tab.locator("#body").evaluate(
            "(text, words) => (text.value = words)", f"{body}\n\nWith scripts: {scripts}."
        )
        aged = change(
            shared_server.instance,
            "UPDATE sign_in_session SET seen_at = ?, created_at = ? WHERE person_id ="
            " (SELECT person_id FROM person_name WHERE staff_number = 'D3001')",
            LONG_AGO,
            LONG_AGO,
        )
        assert aged > 0
        if scripts:  # what the page's own script sends meanwhile is not kept for later
            seldom(tab, "0.1")
            tab.locator("#body").dispatch_event("input")
            expect(tab.locator("#saved")).to_contain_text("You have been signed out.")
        press(tab, "Save and preview")
        tab.wait_for_url("**/sign-in*")
        fill_sign_in(tab, "D3001")
        assert h1(tab) == "What you sent was kept"
        assert tab.locator("main button").all_inner_texts() == ["Continue"]
        press(tab, "Continue")
        assert h1(tab) == "Refer or notify" or "title" in h1(tab)
        assert f"paragraph 1399 of a “long” lesson.\n\nWith scripts: {scripts}." in written(shared_server)


@pytest.mark.sweep
def test_leaving_unsaved_text_asks_first(browser: Browser, shared_server: Server) -> None:
    with author(browser, shared_server) as tab:
        open_lesson(tab)
        asked = list[str]()
        tab.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        tab.locator("#body").press("Control+End")
        tab.keyboard.type("Unsaved.")
        tab.goto("/authoring")
        assert asked == ["beforeunload"]


@pytest.mark.sweep
@pytest.mark.parametrize("width", [1280, pytest.param(320, marks=pytest.mark.sweep)])
def test_two_authors_at_once_lose_nothing(
    browser: Browser, shared_server: Server, second: str, width: int
) -> None:
    with author(browser, shared_server, width) as one, author(browser, shared_server, width, second) as two:
        open_lesson(one)
        one.fill("#body", f"The police must tell the Home Office at {width}.")
        two.goto(LESSON)
        assert "has been editing this since" in h1(two)
        hold_to_account(two)
        press(two, "Take over")
        two.fill("#body", f"The police may tell the Home Office at {width}.")
        press(two, "Save and preview")
        press(one, "Save and preview")
        assert "saved this after you opened it" in h1(one)
        expect(one.locator("main button:text-is('Keep both')")).to_have_count(0)
        assert one.locator("main del").all_inner_texts() == ["may"]
        assert one.locator("main ins").all_inner_texts() == ["must"]
        hold_to_account(one)
        press(one, "Edit before saving")
        hold_to_account(one)
        one.fill("#body", f"The police must or may tell the Home Office at {width}.")
        press(one, "Save and preview")
        assert f"must or may tell the Home Office at {width}." in written(shared_server)


def reach(tab: Tab, words: str) -> None:
    """Press Tab until the link, button or field of these words has the focus."""
    script = "() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
    for _ in range(500):
        tab.keyboard.press("Tab")
        if tab.evaluate(script) == words:
            assert tab.evaluate("document.activeElement.checkVisibility()")
            return
    raise AssertionError(f"{words} cannot be reached by keyboard on {tab.url}")


def enter(tab: Tab, words: str) -> None:
    """Reach something, press it by keyboard, and wait for the page that answers."""
    reach(tab, words)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")


@pytest.mark.sweep
def test_the_whole_way_by_keyboard_alone(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D3001")
        tab.goto("/authoring")
        enter(tab, "Respond: the first hour at the scene")
        enter(tab, "Edit")
        assert "Draft of version 2" in tab.inner_text("main")
        enter(tab, "Add a lesson")
        reach(tab, "Title")
        tab.keyboard.type("Written by keyboard")
        reach(tab, "Minutes to read")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Space")
        enter(tab, "Add the lesson")
        assert h1(tab) == "Written by keyboard"
        reach(tab, "Lesson text")
        tab.keyboard.press("Control+a")
        tab.keyboard.type("Only keys.")
        tab.keyboard.press("Shift+Tab")  # to the toolbar, in which the arrow keys move
        for _ in range(5):
            tab.keyboard.press("ArrowRight")
        assert tab.evaluate("document.activeElement.textContent") == "Inset"
        tab.keyboard.press("Enter")
        tab.keyboard.type("Remember.")
        enter_saves(tab)
        main = tab.inner_text("#preview")
        assert "Only keys." in main
        assert "Remember." in main
        enter(tab, "Remove this lesson")
        enter(tab, "Remove the lesson")
        enter(tab, "History")
        enter(tab, "Bring this back, state 3")
        assert "State 3 is back" in tab.inner_text("main")
        enter(tab, "Discard this draft")
        enter(tab, "Discard the draft")
        expect(tab.locator("main button:text-is('Edit')")).to_have_count(1)


def enter_saves(tab: Tab) -> None:
    """In a line of text Enter saves, and presses no button of the toolbar."""
    tab.locator("#title").focus()
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert "Saved" in tab.inner_text("main")
