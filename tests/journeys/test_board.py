"""A chief officer's morning and meeting: the board on one screen, on a phone and on paper."""

from io import BytesIO

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from tests.journeys.walking import follow, hold_to_account, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCREEN = {"width": 1280, "height": 800}


def test_the_four_answers_are_on_one_screen_and_on_one_sheet(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server, SCREEN["width"]) as tab:
        tab.set_viewport_size(SCREEN)
        sign_in(tab, "D6001")
        tab.goto("/assurance")
        answers = tab.locator("main table").first
        assert answers.locator("tbody tr").count() == 4
        box = answers.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= SCREEN["height"]
        hold_to_account(tab)
        with tab.expect_download() as download:
            tab.get_by_role("link", name="Download this page as one sheet of A4 (PDF)").click()
        assert len(PdfReader(BytesIO(download.value.path().read_bytes())).pages) == 1


@pytest.mark.sweep
def test_a_phone_has_the_answers_and_the_year_in_words(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server, 320) as tab:
        sign_in(tab, "D6001")
        tab.goto("/assurance")
        hold_to_account(tab)
        year = tab.locator("details", has_text="The same year as a table").first
        year.locator("summary").click()
        with tab.expect_navigation():
            year.get_by_role("link").last.click()
        assert tab.locator("main h1").inner_text().startswith("On ")
        follow(tab, "Show today")
        assert tab.url.endswith("/assurance")
