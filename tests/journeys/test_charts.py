"""A manager explains a number down to the people and facts behind it; the drawings hold on every screen."""

import re

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.examples import sweep_after
from tests.journeys.walking import go, h1, hold_to_account, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
REPORT = "/monitoring/directives/OIC-2026"
INSIDE = """() => [...document.querySelectorAll(".portal-chart")].map((chart) => {
  const frame = chart.getBoundingClientRect();
  const shapes = [...chart.querySelectorAll("circle, text, line")].map((one) => one.getBoundingClientRect());
  const texts = [...chart.querySelectorAll("text")].map((one) => one.getBoundingClientRect());
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  return {
    inside: shapes.every((s) => s.left >= frame.left - 5 && s.right <= frame.right + 5
      && s.top >= frame.top - 5 && s.bottom <= frame.bottom + 5),
    apart: texts.every((a, i) => texts.every((b, j) => i >= j || apart(a, b))),
    dots: chart.querySelectorAll("circle").length,
  };
})"""
COLOURS = """() => {
  const of = (selector) => getComputedStyle(document.querySelector(selector));
  return {
    line: of(".portal-chart__line").stroke,
    ground: of(".portal-chart .portal-bar__rest").fill,
    words: of(".portal-chart text").fill,
    bar: of(".portal-bar--unit .portal-bar__done").fill,
  };
}"""


def unfold(tab: Tab) -> None:
    """Open every fold of the page as a person would, so that the checker meets what it holds."""
    for summary in tab.locator("main summary").all():
        if not summary.evaluate("one => one.parentElement.open"):
            summary.click()


def people_listed(tab: Tab) -> int:
    """How many people the page says it lists."""
    return int(
        re.findall(r"([\d,]+) of [\d,]+ (?:person|people)", tab.inner_text(".portal-chips"))[0].replace(
            ",", ""
        )
    )


def test_a_manager_explains_a_number_down_to_the_last_person(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D4001")
        tab.goto("/monitoring")
        unfold(tab)
        hold_to_account(tab)
        figure = tab.locator(".portal-figures a", has_text="overdue for OIC-2026").first
        told = int(figure.inner_text().split()[0].replace(",", ""))
        assert told
        go(tab, ".portal-figures a:has-text('overdue for OIC-2026')")
        assert people_listed(tab) == told
        bands = tab.locator(".portal-figures--report a", has_text="overdue").all_inner_texts()
        assert sum(int(text.split()[0].replace(",", "")) for text in bands) == told
        go(tab, "table:has-text('Due') tbody th a")
        assert "is overdue" in h1(tab)
        hold_to_account(tab)


def test_a_manager_of_a_unit_meets_their_own_command_first(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D2001")
        first = tab.locator("main h2").first.inner_text()
        assert "have completed all required training" in first
        unfold(tab)
        hold_to_account(tab)
        tab.goto("/monitoring?unit=Nowhere")
        assert "is not a known unit" in tab.inner_text(".govuk-error-summary")
        hold_to_account(tab)


def test_a_rank_and_a_day_of_the_line_lead_to_their_reports(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D2001")
        tab.goto(REPORT)
        row = tab.locator("table:has-text('Rank or grade') tbody tr", has_text="Constable").first
        share = row.locator(".portal-number").inner_text()
        go(tab, "main a:text-is('Constable')")
        assert "rank=Constable" in tab.url
        done, total = re.findall(r"(\d+) of (\d+)", share)[0]
        assert h1(tab).startswith("Constable: ")
        assert h1(tab).endswith(f"{done} of {total} people")
        tab.click("summary:has-text('The same numbers as a table')")
        day = tab.locator("table:has-text('At the end of') tbody tr:has(a)").first
        told = re.findall(r"(\d+) of (\d+)", day.inner_text())[0]
        go(tab, "table:has-text('At the end of') tbody tr:has(a) a")
        assert "rank=Constable" in tab.url
        assert h1(tab).startswith("Constable, on ")
        assert re.findall(r"(\d+) of (\d+)", h1(tab))[0] == told


@pytest.mark.parametrize("width", sweep_after(1, 320, 1280))
def test_the_drawings_fit_and_their_words_stand_apart(
    browser: Browser, shared_server: Server, width: int
) -> None:
    with visitor(browser, shared_server, width) as tab:
        sign_in(tab, "D4001")
        for path in (
            "/monitoring",
            "/monitoring?as_at=2026-03-31",
            "/monitoring?as_at=someday",
            REPORT,
            f"{REPORT}?rank=Constable&late=over-90",
            f"{REPORT}?role=custody&rank=Sergeant",
            f"{REPORT}?role=nobody",
        ):
            tab.goto(path)
            unfold(tab)
            hold_to_account(tab)
            for chart in tab.evaluate(INSIDE):
                assert chart["inside"], path
                assert chart["apart"], path
                assert chart["dots"] > 1, path  # the demo’s newest directive has few month ends


def test_without_scripts_every_figure_and_filter_works(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server, 320, java_script_enabled=False) as tab:
        sign_in(tab, "D4001")
        tab.goto(REPORT)
        hold_to_account(tab)
        tab.click("summary:text-is('Filter')")
        tab.select_option("#late", "over-90")
        tab.click("main button:text-is('Apply filters')")
        tab.wait_for_url(lambda url: "late=over-90" in url)
        assert "Overdue by: more than 90 days" in tab.inner_text(".portal-chips")
        assert people_listed(tab) > 0


def test_lines_and_bars_keep_their_colours_where_colours_are_forced(
    browser: Browser, shared_server: Server
) -> None:
    with visitor(browser, shared_server, forced_colors="active") as tab:
        sign_in(tab, "D2001")
        tab.goto(REPORT)
        assert tab.evaluate("matchMedia('(forced-colors: active)').matches")
        assert tab.evaluate(COLOURS) == {
            "line": "rgb(15, 122, 82)",
            "ground": "rgb(255, 255, 255)",
            "words": "rgb(72, 73, 73)",
            "bar": "rgb(15, 122, 82)",
        }
