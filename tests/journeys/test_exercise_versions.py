"""An exercise goes from a proposal to a version that facilitators read, and back to its author by ZIP."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from portal.features.exercises.sources import open_exercise, pack_exercise
from tests.journeys.places import AUTHOR, PUBLISHER
from tests.journeys.walking import follow, go, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
FACILITATOR = "D5001"
LIST = "/exercises/versions"


def publish_what_waits(tab: Tab) -> None:
    tab.goto(LIST)
    hold_to_account(tab)
    go(tab, "main a:text-is('night-at-marrow-hill')")
    assert h1(tab) == "A night at Marrow Hill, version 2: 1 file changed"
    assert "peer support" in tab.inner_text("ins")
    hold_to_account(tab)
    press(tab, "Publish version 2")
    assert "Version 2 is published." in tab.inner_text("main")


def propose(tab: Tab, folder: Path) -> None:
    """Download the newest version as a ZIP, change its debrief, and send it."""
    tab.goto(f"{LIST}/night-at-marrow-hill/2")
    with tab.expect_download() as download:
        tab.click("main a:has-text('Download the folder')")
    key, files = open_exercise(download.value.path().read_bytes())
    changed = folder / "changed.zip"
    changed.write_bytes(pack_exercise(key, files | {"debrief.md": b"# What now?\n\nSay it aloud.\n"}))
    tab.goto(f"{LIST}/_propose")
    hold_to_account(tab)
    tab.set_input_files("#file", changed)
    tab.fill("#note", "Shorter.")
    press(tab, "Check it and send it")
    assert "Sent. A publisher who did not send it can publish it now." in tab.inner_text("main")


def test_a_proposal_is_published_by_a_second_person_and_the_next_one_sent_back(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    with visitor(browser, server, 320) as tab:  # on a phone
        sign_in(tab, PUBLISHER)
        publish_what_waits(tab)
    with visitor(browser, server) as tab:
        sign_in(tab, FACILITATOR)
        tab.goto(f"{LIST}/night-at-marrow-hill/2")
        assert "Turning point 1" not in tab.inner_text("main")  # the notes are folded
        tab.click("summary:has-text('For the facilitator') >> nth=3")
        expect(tab.locator("main")).to_contain_text("Turning point 1", use_inner_text=True)
        assert tab.locator("picture img").first.evaluate("image => image.complete && image.naturalWidth > 0")
        hold_to_account(tab)
    with visitor(browser, server) as tab:
        sign_in(tab, AUTHOR)
        propose(tab, tmp_path)
    with visitor(browser, server, java_script_enabled=False) as tab:
        sign_in(tab, PUBLISHER)
        tab.goto(LIST)
        go(tab, "main a:text-is('night-at-marrow-hill')")
        follow(tab, "Send back with a reason")
        tab.fill("#reason", "Keep the four questions.")
        press(tab, "Send back")
        assert "“Keep the four questions.”" in tab.inner_text("main")
