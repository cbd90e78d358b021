"""Pages in the dark, in forced colours, on paper and on a phone; going back, and staying signed in."""

import re
from io import BytesIO
from typing import Any
from unicodedata import normalize

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab
from pypdf import PdfReader

from tests.journeys import makings
from tests.journeys.checking import check_page
from tests.journeys.walking import press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
REPORT = "/monitoring/directives/OIC-2026"


def first_lesson(server: Server) -> str:
    return str(makings.longest_lessons(server)[0])


@pytest.mark.parametrize("width", [1280, 320])
def test_pages_are_readable_in_the_dark(browser: Browser, shared_server: Server, width: int) -> None:
    with visitor(browser, shared_server, width, color_scheme="dark") as tab:
        tab.goto("/sign-in")
        check_page(tab)
        sign_in(tab, "D2002")
        for path in ("/learning", "/monitoring", REPORT, "/people", first_lesson(shared_server)):
            tab.goto(path)
            assert ground_of(tab) == "rgb(18, 23, 30)", path
            check_page(tab)


def ground_of(tab: Tab) -> str:
    return str(tab.evaluate("() => getComputedStyle(document.body).backgroundColor"))


def test_nothing_moves_for_who_asks_for_less_motion(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server, reduced_motion="reduce", forced_colors="active") as tab:
        sign_in(tab, "D2002")
        tab.goto(REPORT)
        moving = "() => [...document.querySelectorAll('*')].filter(e => {const s = getComputedStyle(e);"
        moving += " return parseFloat(s.transitionDuration) > 0 && s.transitionProperty !== 'none'"
        moving += " || s.animationName !== 'none'}).length"
        assert tab.evaluate(moving) == 0
        check_page(tab)


@pytest.mark.parametrize("width", [1280, 320])
def test_a_table_is_one_for_readers_at_every_width(
    browser: Browser, shared_server: Server, width: int
) -> None:
    with visitor(browser, shared_server, width) as tab:
        sign_in(tab, "D2002")
        tab.goto(REPORT)
        caption = "People complete, by unit, the lowest first"
        rows = tab.locator("table", has=tab.get_by_text(caption)).locator("tr").count()

        table = parts_of_table(tab, caption)

        assert table["row"] == rows > 1
        assert table["columnheader"] == 3
        assert table["cell"] == 3 * (rows - 1)


def parts_of_table(tab: Tab, name: str) -> dict[str, int]:
    """How many parts of each role the accessibility tree has in a table."""
    nodes: list[dict[str, Any]] = tab.context.new_cdp_session(tab).send("Accessibility.getFullAXTree")[
        "nodes"
    ]
    by_id = {node["nodeId"]: node for node in nodes}
    (table,) = [
        node
        for node in nodes
        if role_of(node) == "table" and node.get("name", {}).get("value", "").strip() == name
    ]
    parts: dict[str, int] = {}
    waiting = list(table["childIds"])
    while waiting:
        node = by_id.get(waiting.pop())
        if node is not None:
            parts[role_of(node)] = parts.get(role_of(node), 0) + 1
            waiting += node.get("childIds", [])
    return parts


def role_of(node: dict[str, Any]) -> str:
    return str(node["role"]["value"])


def printed(tab: Tab) -> PdfReader:
    return PdfReader(BytesIO(tab.pdf(format="A4", prefer_css_page_size=True)))


def squeezed(text: str) -> str:
    """The text without white space, which lines break at, and without ligatures."""
    return re.sub(r"\s+", "", normalize("NFKC", text))


def words_of(document: PdfReader) -> str:
    return squeezed("".join(page.extract_text() for page in document.pages))


def test_a_printed_report_has_every_column_and_says_where_the_others_are(
    browser: Browser, shared_server: Server
) -> None:
    with visitor(browser, shared_server, color_scheme="dark") as tab:
        sign_in(tab, "D6001")
        tab.goto(REPORT)
        last = tab.locator(".portal-table--dense tbody tr").last.locator("th a").inner_text()
        document = printed(tab)
        tab.emulate_media(media="print")
        grounds = ground_of(tab)

    text = words_of(document)
    assert "Thepercentageis" in text  # folded on the screen
    assert "PersonOverall▲RecogniseProtectRespondReportDueRankorgradeRoleUnit" in text
    assert squeezed(last) in text
    assert re.search(r"Onlyrows1to25of\d+areprintedhere", text)
    assert re.search(rf"All[\d,]+peopleareinthePDFfileat{re.escape(shared_server.address)}/monitoring/", text)
    assert "(/people/" not in text
    assert {round(float(page.mediabox.width)) for page in document.pages} <= {841, 842}
    assert grounds == "rgb(255, 255, 255)"


# Parts of the briefing that leave its frame, or lie over what stands below them.
OUTSIDE = """() => {
  const screen = document.querySelector(".portal-screen").getBoundingClientRect();
  const foot = document.querySelector(".portal-screen__foot").getBoundingClientRect();
  const places = [...document.querySelectorAll(".portal-screen__part *")];
  return places.filter((part) => part.getBoundingClientRect().bottom > foot.top + 1).length
    + (screen.bottom > innerHeight + 1) + (document.documentElement.scrollHeight > innerHeight);
}"""


def test_a_briefing_fills_a_screen_without_scrolling_and_one_sheet(
    browser: Browser, shared_server: Server
) -> None:
    with visitor(browser, shared_server, color_scheme="dark") as tab:
        sign_in(tab, "D6001")
        for width, height in ((1280, 720), (1920, 1080)):
            tab.set_viewport_size({"width": width, "height": height})
            tab.goto(f"{REPORT}/briefing")
            expect(tab.locator(".portal-header")).to_be_hidden()
            assert tab.evaluate(OUTSIDE) == 0
            check_page(tab)
        document = printed(tab)

    assert len(document.pages) == 1
    assert round(float(document.pages[0].mediabox.width)) == 842  # A4 across
    assert "Whotoaskforwhat" in words_of(document)


def test_a_printed_lesson_has_what_is_folded_and_the_feedback(
    browser: Browser, shared_server: Server
) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D2002")
        tab.goto(first_lesson(shared_server))
        folded = tab.locator(".portal-prose details > :not(summary)").all_text_contents()
        document = printed(tab)

    text = words_of(document)
    assert len(folded) > 2
    assert "Youaresignedoutafter" not in text
    for words in folded:
        for line in filter(None, map(str.strip, words.splitlines())):  # lists are numbered on paper
            assert squeezed(line)[:40] in text, line


def test_going_back_to_a_refused_form_finds_what_was_typed(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server, java_script_enabled=False) as tab:
        sign_in(tab, "D9001")
        tab.goto("/force-settings")
        tab.locator("main textarea").first.fill("z" * 301)
        press(tab, "Save")
        assert tab.title().startswith("Error: ")
        tab.goto("/help")

        tab.go_back()

        assert tab.title().startswith("Error: ")
        expect(tab.locator("main textarea").first).to_have_value("z" * 301)


def test_a_sign_in_that_soon_ends_says_so_and_stays_on_demand(
    browser: Browser, shared_server: Server
) -> None:
    with visitor(browser, shared_server) as tab:
        tab.clock.install()
        sign_in(tab, "D9001")
        tab.goto("/account")
        notice = tab.get_by_role("dialog")
        wait(tab, minutes=53)
        expect(notice).not_to_be_visible()

        wait(tab, minutes=2)
        expect(notice).to_contain_text("You will be signed out in 4 minutes")
        with tab.expect_response("**/account"):
            notice.get_by_role("button", name="Stay signed in").click()
        expect(notice).not_to_be_visible()

        wait(tab, minutes=55)
        expect(notice).to_contain_text("You will be signed out in 4 minutes")
        wait(tab, minutes=5)
        expect(notice).to_contain_text("You have been signed out")


def wait(tab: Tab, *, minutes: int) -> None:
    tab.clock.fast_forward(minutes * 60 * 1000)
    tab.clock.run_for(6000)


def test_a_link_for_somebody_fits_a_phone(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server, 320) as tab:
        sign_in(tab, "D9001")
        tab.goto("/people/D5001/account")
        press(tab, "Make a link to set a password")

        tab.locator("#link").evaluate("element => element.append('x'.repeat(60))")

        assert tab.evaluate("() => document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("width", [1280, 320])
def test_a_long_word_does_not_widen_the_table_of_acts(
    browser: Browser, shared_server: Server, width: int
) -> None:
    table = "() => document.querySelector('main .portal-scroll').scrollWidth"
    with visitor(browser, shared_server, width) as tab:
        sign_in(tab, "D9001")
        tab.goto("/audit")
        before = tab.evaluate(table)

        tab.locator(".portal-act-cell").first.evaluate("element => element.prepend('x'.repeat(200))")

        assert tab.evaluate(table) == before
