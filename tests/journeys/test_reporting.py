"""Reports and reminders in a browser: a number explained, a question answered and filed, a person nudged."""

import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from pypdf import PdfReader

from portal.platform import clock
from tests.journeys.walking import (
    ON_A_DESK_AND_A_PHONE,
    ask,
    follow,
    go,
    h1,
    hold_to_account,
    press,
    sign_in,
    visitor,
)
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
REPORT = "/monitoring/directives/OIC-2026"
SUPERVISORS = ("Sergeant", "Detective Sergeant", "Chief Inspector")
BOTH = pytest.mark.parametrize(("width", "scripts"), [(1280, True), (320, False)])


@pytest.mark.sweep
@BOTH
def test_a_manager_explains_a_number_down_to_the_last_person_and_fact(
    browser: Browser, shared_server: Server, width: int, scripts: bool
) -> None:
    with visitor(browser, shared_server, width, java_script_enabled=scripts) as tab:
        sign_in(tab, "D2001")
        tab.goto(REPORT)
        said = re.search(r"(\d+) of (\d+) people", h1(tab))
        assert said
        hold_to_account(tab)
        tab.goto(f"{REPORT}?status=satisfied")
        listed = tab.locator("tbody tr th a[href^='/people/']").all_inner_texts()
        assert len(listed) == min(int(said[1]), 25)  # the numerator, person by person
        go(tab, "tbody tr th a[href^='/people/']")
        hold_to_account(tab)
        assert "What happened" in tab.inner_text("main")
        follow(tab, "OIC-")
        assert re.search(r"OIC-\w{4}-\w{4}-\w", tab.inner_text("main"))
        hold_to_account(tab)


@ON_A_DESK_AND_A_PHONE
def test_an_auditor_answers_for_a_day_as_known_then_and_now_and_files_it(
    browser: Browser, shared_server: Server, width: int, scripts: bool, tmp_path: Path
) -> None:
    """What was your position on 30 April, then and now, for supervisors in response; who is missing?"""
    with visitor(browser, shared_server, width, java_script_enabled=scripts) as tab:
        sign_in(tab, "D6001")
        tab.goto("/monitoring")
        follow(tab, "Organised immigration crime e-learning")
        tab.fill("#as_at", "30 April 2026")
        tab.fill("#as_known_on", "30/4/2026")
        press(tab, "Show position")
        then = h1(tab)
        assert then.startswith("On 30 April 2026, ")
        group = narrowed(tab, "", SUPERVISORS, "response")
        hold_to_account(tab)
        known_now = tab.inner_text("p:has-text('With records added since, that day is')")
        missing = narrowed_to_missing(tab)
        hold_to_account(tab)
        printed = filed(tab, tmp_path / "position.pdf")
        assert re.split(", |: ", then)[-1] in printed  # the whole beside the group
        assert re.split(", |: ", group)[-1] in printed
        assert all(name in printed for name in missing)
        follow(tab, "See that position")
        now = tab.inner_text("h2:has-text('were complete')")
        assert re.split(", |: ", now)[-1].removesuffix(" people") in known_now
        hold_to_account(tab)
        tab.goto(f"{REPORT}/changes?from_as_at=2026-04-30&from_as_known_on=2026-04-30&as_at=2026-04-30")
        assert re.fullmatch(
            r"No status changed|1 person’s status changed|\d+ people’s status changed", h1(tab)
        )
        hold_to_account(tab)
        for row in tab.locator("tbody tr").all():
            assert row.locator("td").last.inner_text().strip(), "no fact explains this row"


@pytest.mark.sweep
@ON_A_DESK_AND_A_PHONE
def test_a_commander_reads_the_command_by_rank_and_role(
    browser: Browser, shared_server: Server, width: int, scripts: bool
) -> None:
    with visitor(browser, shared_server, width, java_script_enabled=scripts) as tab:
        sign_in(tab, "D2002")
        tab.goto("/monitoring")
        whole = tab.inner_text("h2#command")
        follow(tab, "Show by rank or grade and by role")
        assert tab.inner_text("h2#command") == whole
        counted = [
            sum(
                int(cell.rpartition(" of ")[2])
                for cell in table.locator("tbody td:last-child").all_inner_texts()
            )
            for table in tab.locator("section[aria-labelledby=command] table").all()
        ]
        assert len(set(counted)) == 1, "units, ranks and roles add up to the same whole"
        assert f"of {counted[0]} " in whole
        hold_to_account(tab)


def narrowed(tab: Tab, status: str, ranks: Sequence[str], role: str) -> str:
    """Apply filters as one does by hand; the heading, which then says whom the figures are about."""
    if not tab.locator(".portal-filter[open]").count():
        tab.click(".portal-filter > summary")
    tab.select_option("#role", role)
    for rank in ranks:
        tab.check(f"input[name=rank][value='{rank}']")
    tab.select_option("#status", status)
    press(tab, "Apply filters")
    assert tab.locator("#people").is_visible()
    return h1(tab)


def narrowed_to_missing(tab: Tab) -> list[str]:
    """Those of the group who had not completed it, by name; as many as the heading says."""
    group = narrowed(tab, "not_complete", SUPERVISORS, "response")
    said = re.search(r"(\d+) of (\d+) (?:person|people)$", group)
    assert said
    names = [one.split("\n")[0] for one in tab.locator("tbody tr > th[scope=row]").all_inner_texts()]
    assert len(names) == min(int(said[1]), 25)
    assert names, "somebody was missing in the force that the demo makes"
    return names


def filed(tab: Tab, target: Path) -> str:
    """The PDF of the people listed, as its reader has it."""
    with tab.expect_download() as waiting:
        tab.locator("main a[href*='completions.pdf']").last.click()
    waiting.value.save_as(target)
    assert waiting.value.suggested_filename.startswith("OIC-2026-completions-2026-04-30-response-")
    pages = PdfReader(io.BytesIO(target.read_bytes())).pages
    assert "We round down, so 100% means everyone" in re.sub(r"\s+", " ", pages[0].extract_text())
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("width", "scripts", "who"),
    [(1280, True, "D2001"), pytest.param(320, False, "D4001", marks=pytest.mark.sweep)],
)
def test_somebody_is_reminded_once_and_the_owner_sees_it(
    browser: Browser, shared_server: Server, width: int, scripts: bool, who: str
) -> None:
    missing = (  # late, begun or not started, not reminded yet; a sergeant sees direct reports
        "SELECT DISTINCT n.staff_number FROM status_period s"
        " JOIN post p ON p.id = s.post_id JOIN person_name n ON n.person_id = s.person_id"
        " LEFT JOIN person_name m ON m.person_id = p.line_manager_id"
        " WHERE ? IN ('D4001', m.staff_number) AND n.staff_number <> 'D4001' AND s.position = 0"
        " AND s.status IN (1, 3, 4)"
        " AND s.from_on <= ? AND s.to_on >= ? AND s.known_to > 9000000000000000000"
        " AND NOT EXISTS (SELECT 1 FROM message_line l WHERE l.about_id = s.person_id) ORDER BY 1"
    )
    day = clock.today().toordinal()
    number = ask(shared_server.instance, missing, who, day, day)[0][0]
    with visitor(browser, shared_server, width, java_script_enabled=scripts) as tab:
        sign_in(tab, who)
        tab.goto(f"/people/{number}")
        follow(tab, "of OIC-2026")
        hold_to_account(tab)
        press(tab, "Send the reminder")
        assert "Reminder to" in tab.inner_text("main")
        assert tab.get_by_role("link", name="Remind").count() == 0
        tab.goto(f"/people/{number}/nudge/OIC-2026")
        assert "You can remind them again from" in tab.inner_text("main")
        hold_to_account(tab)
    with visitor(browser, shared_server, width, java_script_enabled=scripts) as tab:
        sign_in(tab, "D4001")
        tab.goto("/reminders")
        assert "nudged by a manager" in tab.inner_text("main")
        assert number in tab.inner_text("main")
        hold_to_account(tab)
        follow(tab, "See what would be sent, and why")
        hold_to_account(tab)
        tab.fill("#day", "someday")
        press(tab, "Show")
        assert "Enter today’s date or a later one" in tab.inner_text("main")
        hold_to_account(tab)
