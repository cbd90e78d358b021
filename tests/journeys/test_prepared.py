"""A manager waits for a large file on a phone, takes it, and nobody else can; without scripts and with."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys.prepared import file_asked
from tests.journeys.walking import change, follow, h1, hold_to_account, press, sign_in, visitor
from tests.pages.monitoring.reading import sheet_of
from tests.running import Server
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]


def wait_without_scripts(tab: Tab, heading: str) -> None:
    def is_shown() -> bool:
        if h1(tab) == heading:
            return True
        follow(tab, "Show the latest state")
        return False

    until(is_shown)


def taken(tab: Tab, folder: Path) -> Path:
    with tab.expect_download() as begun:
        tab.locator("main a:has-text('Download ')").click()
    path = folder / begun.value.suggested_filename
    begun.value.save_as(path)
    return path


def test_a_file_is_waited_for_and_taken_on_a_phone_without_scripts(
    browser: Browser, shared_server: Server, tmp_path: Path
) -> None:
    path = file_asked(shared_server, "D2001")
    with visitor(browser, shared_server, 320, java_script_enabled=False) as tab:
        sign_in(tab, "D2001")
        tab.goto(path)
        hold_to_account(tab)
        wait_without_scripts(tab, "Your file is ready")
        hold_to_account(tab)
        file = taken(tab, tmp_path)
        assert file.name.startswith("OIC-2026-completions-")
        assert sheet_of(file)
        follow(tab, "Back to the report")
        assert tab.url.split("?")[0].endswith("/monitoring/directives/OIC-2026")
    with visitor(browser, shared_server, 320, java_script_enabled=False) as tab:
        sign_in(tab, "D2002")
        for address in (path, f"{path}/download"):
            answer = tab.goto(address)
            assert answer is not None
            assert answer.status == 404
            assert h1(tab) == "This file is not here"
            hold_to_account(tab)


def test_the_page_shows_by_itself_that_the_file_is_ready(
    browser: Browser, shared_server: Server, tmp_path: Path
) -> None:
    path = file_asked(shared_server, "D2001", "completions.pdf", status="overdue")
    with visitor(browser, shared_server, 320) as tab:
        sign_in(tab, "D2001")
        tab.goto(path)
        tab.wait_for_selector("h1:has-text('Your file is ready')")
        hold_to_account(tab)
        assert "Status: overdue" in tab.inner_text("main")
        assert taken(tab, tmp_path).read_bytes().startswith(b"%PDF")


def test_a_file_that_could_not_be_made_is_tried_again(browser: Browser, shared_server: Server) -> None:
    path = file_asked(shared_server, "D2001", "people.xlsx")
    with visitor(browser, shared_server, 320, java_script_enabled=False) as tab:
        sign_in(tab, "D2001")
        tab.goto(path)
        wait_without_scripts(tab, "Your file is ready")
        fail(shared_server, path)
        tab.goto(path)
        assert h1(tab) == "Your file could not be made"
        assert "The disk is full." in tab.inner_text("main")
        hold_to_account(tab)
        press(tab, "Try again")
        wait_without_scripts(tab, "Your file is ready")


def fail(server: Server, path: str) -> None:
    """As a worker would have left it that found no room."""
    file = path.rpartition("/")[2].replace("-", "")
    assert change(
        server.instance,
        "UPDATE job SET state = 'failed', reason = 'The disk is full.', result = NULL"
        " WHERE reference = (SELECT job_id FROM prepared_file WHERE id = ?)",
        file,
    )
