"""The owner enters an action, whoever it is given to says how far it is, the auditor asks for a date."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.walking import follow, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HERE = "/assurance/intelligence-documents"


def test_an_action_goes_from_its_owner_to_the_auditor(browser: Browser, shared_server: Server) -> None:
    """Without scripts; whoever owns the action has a phone, and no sight of the desk."""
    plain = {"java_script_enabled": False}
    with (
        visitor(browser, shared_server, **plain) as owner,
        visitor(browser, shared_server, 320, **plain) as learner,
        visitor(browser, shared_server, **plain) as auditor,
    ):
        sign_in(owner, "D4001")
        owner.goto(HERE)
        hold_to_account(owner)
        follow(owner, "Add an action")
        press(owner, "Add the action")
        assert owner.title().startswith("Error: ")
        assert "Enter what is to be done" in owner.inner_text("main")
        owner.fill("#title", "Put the checklist into every car")
        owner.fill("#owner", "D1001")
        owner.fill("#from_on", "2 March 2026")
        hold_to_account(owner)
        press(owner, "Add the action")
        assert "Put the checklist into every car" in owner.inner_text("main")

        sign_in(learner, "D1001")
        learner.goto("/desk")
        follow(learner, "1 action to see to")
        follow(learner, "Put the checklist into every car")
        hold_to_account(learner)
        learner.check("[name=state][value='under_way']")
        learner.fill("#reason", "Half of the cars have it.")
        press(learner, "Save")
        assert "Half of the cars have it." in learner.inner_text("main")
        hold_to_account(learner)

        sign_in(auditor, "D6001")
        auditor.goto(HERE)
        assert "Half of the cars have it." in auditor.inner_text("main")
        assert not auditor.locator("main a:has-text('Add an action')").count()
        auditor.fill("#as_at", "30 April 2026")
        press(auditor, "Show position")
        assert "Put the checklist into every car" in auditor.inner_text("main")
        assert "Half of the cars have it." not in auditor.inner_text("main")
        auditor.fill("#as_known_on", "30 April 2026")
        press(auditor, "Show position")
        assert "Put the checklist into every car" not in auditor.inner_text("main")
        hold_to_account(auditor)

        auditor.goto(HERE)
        follow(auditor, "Everything that was entered")
        assert h1(auditor) == "Everything that was entered"
        assert "entered late" in auditor.inner_text("main")
        hold_to_account(auditor)
