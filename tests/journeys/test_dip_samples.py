"""A supervisor's dip sample on a phone: last month is missing, is counted, corrected, and counts at once."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.walking import follow, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE = 320
SUPERVISOR, LEAD = "D2001", "D4001"
COUNTS = {
    "reported": "8",
    "submitted": "7",
    "on_time": "7",
    "sampled": "4",
    "complete": "3",
    "graded": "4",
    "returned": "1",
}


def test_a_supervisor_counts_last_month_on_a_phone_and_corrects_it(browser: Browser, server: Server) -> None:
    with visitor(browser, server, width=PHONE) as tab:
        sign_in(tab, SUPERVISOR)
        tab.goto("/dip-samples")
        hold_to_account(tab)
        follow(tab, "Missing")
        hold_to_account(tab)
        assert h1(tab) == "Record a dip sample"
        for name, count in COUNTS.items():
            tab.fill(f"[name={name}]", count)
        press(tab, "Save the counts")
        assert "Choose why documents are missing" in tab.inner_text("main")
        tab.select_option("[name=reason]", "in_hand")
        press(tab, "Save the counts")
        assert h1(tab).startswith("Dip sample of")
        hold_to_account(tab)

        follow(tab, "Correct the counts")
        tab.fill("[name=submitted]", "8")
        tab.select_option("[name=reason]", "came_later")
        press(tab, "Save the counts")
        assert "Documents came in after the count" in tab.inner_text("main")
        hold_to_account(tab)

        tab.goto("/dip-samples")
        assert "8 of 8" in tab.inner_text("main table")
        tab.goto("/dip-samples/figures")
        hold_to_account(tab)

    with visitor(browser, server) as tab:
        sign_in(tab, LEAD)
        tab.goto("/dip-samples/figures")
        hold_to_account(tab)
        slow = tab.locator("tr", has_text="Response South, Team B")
        assert "than chance explains" in slow.inner_text()
        assert "Response+South%2C+Team+B" in (slow.locator("a").get_attribute("href") or "")
