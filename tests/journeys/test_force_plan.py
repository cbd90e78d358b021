"""The owner of the plan writes its next version, an auditor publishes it, and an officer is shown it."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.places import AUDITOR, LEARNER, OWNER
from tests.journeys.walking import go, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
PLAN = "/assurance/plan/document"
ONE_LINE = "ask who waits, and on which number (made up)"


def test_a_plan_is_rewritten_published_and_shown_in_a_lesson(browser: Browser, server: Server) -> None:
    with visitor(browser, server) as tab:
        sign_in(tab, OWNER)
        tab.goto(PLAN)
        assert h1(tab) == "Version 1 of the plan needs attention"
        hold_to_account(tab)
        go(tab, "main a:text-is('Continue writing the next version')")
        hold_to_account(tab)
        go(tab, "main a:text-is('Summary and contacts')")
        tab.fill("[name=plan-in_one_line]", ONE_LINE)
        hold_to_account(tab)
        press(tab, "Save and go on")
        tab.fill("#note", "Shorter, after the autumn review.")
        press(tab, "Send to a second person")
        assert h1(tab) == "2 changes to version 1 of the plan"
        hold_to_account(tab)
    with visitor(browser, server, 320) as tab:  # on a phone
        sign_in(tab, AUDITOR)
        tab.goto(PLAN)
        go(tab, "main a:text-is('The next version waits for a second person')")
        hold_to_account(tab)
        press(tab, "Publish it")
        assert h1(tab) == "Version 2 of the plan is up to date"
        hold_to_account(tab)
        tab.goto(f"{PLAN}?as_at=2026-04-30")
        assert h1(tab) == "Version 1 of the plan is up to date"
        hold_to_account(tab)
    with visitor(browser, server, 320) as tab:
        sign_in(tab, LEARNER)
        tab.goto("/guides/force-plan")
        assert ONE_LINE in tab.inner_text("main")
        hold_to_account(tab)
        tab.goto("/learning/modules/report/lessons/six-questions")
        assert f"{ONE_LINE} (the whole plan, of" in tab.inner_text("main")
