"""A publisher at the desk: reads what changed, comments, sends back and publishes, by keyboard alone too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from tests.journeys.walking import ON_A_DESK_AND_A_PHONE, ask, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DESK = "/authoring/protect"
LESSON = f"{DESK}/lessons/refer-or-notify"
HELPLINE = "The Modern Slavery and Exploitation Helpline is 08000 121 700."
MOST_TABS = 120


def sent_by_the_author(tab: Tab, note: str) -> None:
    """Protect with a changed lesson and a changed question, sent for review."""
    tab.goto(DESK)
    if tab.locator("main button:text-is('Edit')").count():
        press(tab, "Edit")
    tab.goto(LESSON)
    body = tab.input_value("#body").replace(
        "Two reports can meet it.", f"Two reports can meet it. {HELPLINE}"
    )
    tab.fill("#body", body)
    press(tab, "Save and preview")
    tab.goto(f"{DESK}/items/adult-refuses")
    tab.fill("#choice-0-feedback", "She may refuse a referral. The Home Office must still be notified.")
    press(tab, "Save the question")
    tab.goto(f"{DESK}/review/send")
    tab.fill("#note", note)
    press(tab, "Send for review")


@contextmanager
def at_the_review(
    browser: Browser, server: Server, width: int = 1280, **options: Any
) -> Iterator[tuple[Tab, Tab]]:
    """The author and the publisher, with a review before them."""
    with (
        visitor(browser, server, width, **options) as author,
        visitor(browser, server, width, **options) as tab,
    ):
        sign_in(author, "D3001")
        sent_by_the_author(author, "The helpline was missing.")
        sign_in(tab, "D3002")
        tab.goto(f"{DESK}/review")
        yield author, tab


def reach(tab: Tab, words: str) -> None:
    """Press Tab until what has these words is focused."""
    for _ in range(MOST_TABS):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.innerText.trim()") == words:
            return
    raise AssertionError(f"{words} is not reached by keyboard on {tab.url}")


def by_keyboard(tab: Tab, words: str) -> None:
    """Reach it and press Enter."""
    reach(tab, words)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")


@ON_A_DESK_AND_A_PHONE
def test_what_changed_is_read_sent_back_and_published(
    browser: Browser, server: Server, width: int, scripts: bool
) -> None:
    with at_the_review(browser, server, width, java_script_enabled=scripts) as (author, tab):
        assert h1(tab) == "Protect, version 2: 2 changes since version 1"
        assert tab.locator("ins").all_inner_texts()[0] == HELPLINE
        expect(tab.locator("del").first).to_be_visible()
        assert "working on version 1 and will finish it." in tab.inner_text(".portal-decide")
        hold_to_account(tab)
        picture(tab, width)
        place = tab.locator("section", has_text=", Refer or notify")
        place.locator("summary").last.click()
        place.locator("textarea").fill("Name the source of the number.")
        with tab.expect_navigation():
            place.locator("button:has-text('Add comment')").click()
        assert "Name the source of the number." in tab.inner_text("main")
        tab.goto(f"{DESK}/review/send-back")
        hold_to_account(tab)
        tab.fill("#reason", "One source is missing.")
        press(tab, "Send back with a comment")
        hold_to_account(tab)

        author.goto(f"{DESK}/review")
        assert "“One source is missing.”" in author.inner_text("main")
        assert "Name the source of the number." in author.inner_text("main")
        author.goto(f"{DESK}/review/send")
        author.fill("#note", "The source is named.")
        press(author, "Send for review")
        hold_to_account(author)
        tab.goto(f"{DESK}/review")
        press(tab, "Publish version 2")
        assert "Version 2 of Protect is published." in tab.inner_text("main")
        hold_to_account(tab)
    published = "SELECT number, published_by_id IS NOT NULL FROM module_version v JOIN activity a"
    rows = ask(
        server.instance, f"{published} ON a.id = v.activity_id WHERE a.key = 'protect' ORDER BY number"
    )
    assert rows == [(1, 0), (2, 1)]


def picture(tab: Tab, width: int) -> None:
    """The review, for the page on authoring."""
    kept = os.environ.get("PICTURES", "")
    if kept and width > 1000:
        tab.set_viewport_size({"width": width, "height": 760})
        tab.screenshot(path=Path(kept) / "author-review.png", animations="disabled")
        tab.set_viewport_size({"width": width, "height": 900})


@pytest.mark.sweep
def test_a_version_is_published_by_keyboard_alone(browser: Browser, server: Server) -> None:
    with at_the_review(browser, server) as (_, tab):
        reach(tab, "Comment on this")
        tab.keyboard.press("Enter")
        tab.keyboard.press("Tab")
        tab.keyboard.type("Clear now.")
        by_keyboard(tab, "Add comment")
        assert "Clear now." in tab.inner_text("main")
        by_keyboard(tab, "Publish version 2")
        assert "Version 2 of Protect is published." in tab.inner_text("main")


@pytest.mark.sweep
def test_of_two_publishers_the_second_is_told_and_nobody_publishes_their_own(
    browser: Browser, server: Server
) -> None:
    with at_the_review(browser, server) as (author, first), visitor(browser, server) as second:
        assert author.goto(f"{DESK}/review") is not None
        expect(author.locator("button:has-text('Publish')")).to_have_count(0)
        sign_in(second, "D3002")
        second.goto(f"{DESK}/review")
        press(first, "Publish version 2")
        press(second, "Publish version 2")
        assert "This has been published." in second.inner_text("main")
        hold_to_account(second)
    assert ask(server.instance, "SELECT count(*) FROM module_version WHERE number = 2") == [(1,)]
