"""What the browser prints of the desk and of returns: the board on one sheet, and nothing cut anywhere."""

from io import BytesIO

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from pypdf import PdfReader

from tests.journeys.places import AUDITOR, OWNER
from tests.journeys.walking import sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
DENSE = "/assurance?as_at=2026-05-09&as_known_on=2026-05-09"  # a day with many changes
PAGES = {
    "/assurance/e-learning": "As at ",
    "/assurance/pack?as_at=2026-04-30": "As at 30 April 2026, as known now",
    "/returns/national?as_at=2026-04-30": "As at 30 April 2026, as known now",
    "/returns/national/receipts": "As at ",
    "/dip-samples?months=12": "Documents submitted",
}
# As if every recommendation had ten changes, and each month end were different today.
FILL = """() => {
  for (const list of document.querySelectorAll("main .govuk-list--bullet")) {
    const first = list.children[0];
    for (let more = 0; more < 10; more++) first.after(first.cloneNode(true));
  }
  for (const frame of document.querySelectorAll(".portal-chips svg")) frame.setAttribute("height", 110);
}"""
# The sheet's breadth between its margins, in pixels of the page: across it where a table is dense.
BREADTH = "Boolean(document.querySelector('.portal-table--dense')) ? 1009 : 680"
CUT = "[...document.querySelectorAll('.portal-scroll')].some((e) => e.scrollWidth > e.clientWidth + 1)"


def print_page(tab: Tab) -> list[str]:
    """The text of each sheet."""
    pages = PdfReader(BytesIO(tab.pdf(prefer_css_page_size=True))).pages
    return [" ".join(page.extract_text().split()) for page in pages]


def test_the_board_is_printed_on_one_sheet(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, AUDITOR)
        tab.goto("/assurance")
        assert len(print_page(tab)) == 1
        tab.goto(DENSE)
        (sheet,) = print_page(tab)
        assert "As at 9 May 2026, as known at the end of that day" in sheet
        assert "May 26" in sheet
        assert "and 1 more change" in sheet
        for left_out in ("Monitoring", "Show today", "Show position", "Download", "Run by"):
            assert left_out not in sheet
        tab.evaluate(FILL)
        assert len(print_page(tab)) == 1


def test_other_pages_say_their_position_on_paper_and_cut_no_table(
    browser: Browser, shared_server: Server
) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, OWNER)
        for path, words in PAGES.items():
            tab.emulate_media(media="null")
            tab.goto(path)
            first, *_ = sheets = print_page(tab)
            assert words in first, path
            for left_out in ("Monitoring", "Show today", "Show position", "How forces differ", "Download"):
                assert not any(left_out in sheet for sheet in sheets), (path, left_out)
            tab.emulate_media(media="print")
            tab.set_viewport_size({"width": tab.evaluate(BREADTH), "height": 900})
            assert not tab.evaluate(CUT), path
