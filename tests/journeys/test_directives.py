"""The owner of directives: issues, previews, changes and withdraws, on a phone without scripts too."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from portal.platform import clock
from portal.platform.wording import date as say_date
from tests.journeys.walking import ON_A_DESK_AND_A_PHONE, follow, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@ON_A_DESK_AND_A_PHONE
def test_a_directive_from_its_first_version_to_its_end(
    browser: Browser, shared_server: Server, width: int, scripts: bool
) -> None:
    with visitor(browser, shared_server, width, java_script_enabled=scripts) as tab:
        sign_in(tab, "D4001")
        tab.goto("/directives")
        hold_to_account(tab)
        reference = f"CALL-{width}"
        issue(tab, reference)
        change(tab, reference)
        take_back(tab)
        change(tab, reference, number=4)
        withdraw(tab, reference)
        tab.goto("/directives")
        assert reference in tab.inner_text("main")
        hold_to_account(tab)


def issue(tab: Tab, reference: str) -> None:
    """A new directive for custody, first with a mistake in each part, then mended."""
    follow(tab, "Issue a new directive")
    tab.fill("#reference", reference)
    tab.fill("#effective_on", "someday")
    press(tab, "Preview what it does")
    assert tab.locator(".govuk-error-summary a").count() >= 6
    assert tab.title().startswith("Error: New directive")
    hold_to_account(tab)
    tab.fill("#title", "Whom to call")
    tab.fill("#source", "Local policy")
    tab.fill("#wording", "Everyone in custody reads whom to call.")
    tab.fill("#effective_on", "1 January 2026")
    tab.check("input[name='requirements'][value='guide:who-to-call']")
    tab.check("input[name='audience-0-roles'][value='custody']")
    tab.fill("#due_days", "30")
    press(tab, "Add an exception")
    tab.check("input[name='exceptions-0-ranks'][value='Sergeant']")
    assert tab.input_value("#title") == "Whom to call"
    hold_to_account(tab)
    press(tab, "Preview what it does")
    assert "will have to do this" in h1(tab)
    assert "with the role custody, except those of the rank or grade Sergeant" in tab.inner_text("main")
    hold_to_account(tab)
    tab.go_back()  # a browser shows the form as it was left
    assert tab.input_value("#title") == "Whom to call"
    press(tab, "Preview what it does")
    press(tab, "Issue version 1")
    assert h1(tab) == "Whom to call"
    hold_to_account(tab)


def change(tab: Tab, reference: str, number: int = 2) -> None:
    """Another time to read it; going back from the preview keeps what was typed."""
    follow(tab, "Change it")
    hold_to_account(tab)
    tab.fill("#effective_on", say_date(clock.today() + timedelta(days=30)))
    tab.fill("#due_days", "60")
    press(tab, "Preview what it does")
    assert h1(tab).endswith("a new due date")
    hold_to_account(tab)
    press(tab, "Go back and change it")
    assert tab.input_value("#due_days") == "60"
    press(tab, "Preview what it does")
    press(tab, f"Issue version {number}")
    assert f"Version {number} of" in tab.inner_text("main")
    assert "60 days after joining the audience" in tab.inner_text("main")
    hold_to_account(tab)


def take_back(tab: Tab) -> None:
    """The version to come is withdrawn before its day, after a look at whom that changes."""
    follow(tab, "Withdraw version 2 before it takes effect")
    assert h1(tab).endswith("a new due date")
    assert "Version 1 stays in force." in tab.inner_text("main")
    hold_to_account(tab)
    press(tab, "Withdraw version 2")
    assert "It will not take effect" in tab.inner_text("main")
    assert "Withdrawn before they took effect" in tab.inner_text("main")
    hold_to_account(tab)


def withdraw(tab: Tab, reference: str) -> None:
    """Withdrawn from a later day; the history stays on its page."""
    follow(tab, "Withdraw it")
    press(tab, "See who is affected")
    assert tab.title().startswith("Error: ")
    hold_to_account(tab)
    tab.fill("#effective_on", say_date(clock.today() + timedelta(days=90)))
    press(tab, "See who is affected")
    assert "will no longer have to do this" in h1(tab)
    hold_to_account(tab)
    press(tab, f"Withdraw {reference}")
    assert "Withdrawn." in tab.inner_text("main")
    follow(tab, "Version 1")
    assert h1(tab) == f"Version 1 of {reference}"
    hold_to_account(tab)
