"""A manager reads, filters, looks back and downloads; another manager sees nothing of it."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from python_calamine import CalamineWorkbook

from tests.journeys.walking import ask, follow, go, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
REPORT = "/monitoring/directives/OIC-2026"


def download(tab: Tab, words: str, target: Path) -> bytes:
    """What one click on this link brings."""
    with tab.expect_download() as waiting:
        tab.locator("main a", has_text=words).first.click()
    waiting.value.save_as(target)
    assert waiting.value.suggested_filename.startswith("OIC-2026-completions-")
    return target.read_bytes()


def staff_numbers(file: bytes) -> list[str]:
    """The staff numbers in a CSV, row by row."""
    return [row["staff_number"] for row in csv.DictReader(io.StringIO(file.decode("utf-8-sig")))]


def staff_numbers_in_workbook(file: bytes) -> list[str]:
    """The staff numbers in a workbook, row by row."""
    head, *rows = CalamineWorkbook.from_filelike(io.BytesIO(file)).get_sheet_by_index(0).to_python()
    column = head.index("staff_number")
    return [str(row[column]) for row in rows]


@pytest.mark.sweep
def test_a_manager_has_the_files_one_click_after_signing_in(
    browser: Browser, shared_server: Server, tmp_path: Path
) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D2001")
        assert tab.url.endswith("/monitoring")
        text = staff_numbers(download(tab, "CSV", tmp_path / "a.csv"))
        book = staff_numbers_in_workbook(download(tab, "XLSX", tmp_path / "a.xlsx"))
        assert text.count("D1001") == 4
        assert book == text
        assert f"{len(text)} rows" in tab.inner_text("main")
        go(tab, f"main a[href='{REPORT}']")
        assert staff_numbers(download(tab, "CSV", tmp_path / "b.csv")) == text


def test_a_manager_filters_opens_a_person_and_looks_back(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D2001")
        go(tab, f"main a[href='{REPORT}']")
        today = h1(tab)
        assert "complete" in today
        assert tab.locator("tbody th:has-text('D2001')").count() == 1
        tab.click("summary:text-is('Filter')")
        tab.fill("#q", "shah")
        press(tab, "Apply filters")
        rows = tab.locator("table:has-text('Due') tbody th")
        assert [text.split()[-1] for text in rows.all_inner_texts()] == ["D1001"]
        assert h1(tab).startswith("“shah”: 1 of ")
        today = h1(tab)
        go(tab, "table:has-text('Due') tbody th a")
        assert tab.url.endswith("/people/D1001")
        assert "Priya Shah" in h1(tab)
        tab.go_back()
        tab.fill("#as_at", "31/3/2026")
        press(tab, "Show position")
        assert "q=shah" in tab.url
        assert "31 March 2026" in tab.inner_text("main")
        hold_to_account(tab)
        follow(tab, "Show today")
        assert h1(tab) == today
        tab.fill("#as_at", "someday")
        press(tab, "Show position")
        assert tab.title().startswith("Error: ")
        hold_to_account(tab)


@pytest.mark.sweep
def test_every_column_of_the_report_is_in_view_at_a_desk(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D4001")
        tab.goto(f"{REPORT}?as_at=2026-04-30")  # the longest words: not started, in progress
        widths = (
            "() => [...document.querySelectorAll('.portal-scroll')].map(e => e.scrollWidth - e.clientWidth)"
        )
        assert set(tab.evaluate(widths)) == {0}


@pytest.mark.sweep
def test_the_address_of_a_past_position_is_iso(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D2001")
        tab.goto(REPORT)
        tab.fill("#as_at", "31/3/2026")
        press(tab, "Show position")
        assert "as_at=2026-03-31" in tab.url


@pytest.mark.sweep
def test_another_manager_meets_nobody_of_the_first(
    browser: Browser, shared_server: Server, tmp_path: Path
) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D2002")
        text = download(tab, "CSV", tmp_path / "a.csv")
        book = download(tab, "XLSX", tmp_path / "a.xlsx")
        assert "D2002" in staff_numbers(text)
        assert "D1001" not in staff_numbers(text)
        assert b"Shah" not in text
        assert staff_numbers_in_workbook(book) == staff_numbers(text)
        answer = tab.goto("/people/D1001")
        assert answer is not None
        assert answer.status == 404
        hold_to_account(tab)
        request = tab.context.request
        (known,) = ask(
            shared_server.instance, "SELECT person_id FROM person_name WHERE staff_number = 'D1001'"
        )
        for asked in (
            "",
            "?q=D1001",
            "?q=shah",
            "?unit=Response",
            f"?person={known[0]}",
            "?as_at=2026-04-30",
        ):
            file = request.get(f"{REPORT}/completions.csv{asked}")
            assert file.status == (400 if asked.startswith(("?unit", "?person")) else 200), asked
            assert "D1001" not in file.text(), asked
            assert "Priya" not in request.get(f"{REPORT}{asked}").text(), asked
        assert "Priya" not in request.get("/people?q=D1001").text()
        assert "Priya" not in request.get("/monitoring").text()
