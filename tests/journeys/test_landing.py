"""Whoever follows a link that promises people sees the list, on a desk and on a phone."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys import keyboard
from tests.journeys.walking import h1, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
REPORT = "/monitoring/directives/OIC-2026"
PAGES = ("/desk", "/monitoring", REPORT, f"{REPORT}?status=late", "/directives", "/directives/OIC-2026")
IN_VIEW = """() => {
  const heading = document.getElementById("people"), place = heading.getBoundingClientRect();
  const first = document.querySelector("main .portal-table--dense tbody tr");
  return [
    place.top >= -1 && place.bottom <= window.innerHeight,
    !first || first.getBoundingClientRect().top < window.innerHeight,
    document.querySelector(":target") === heading,
  ];
}"""


def links_to_people(tab: Tab) -> list[str]:
    """One address for each way of asking: links that differ in a value alone land alike."""
    links = tab.locator("main a[href*='#people']").evaluate_all("links => links.map((link) => link.href)")
    by_names = {
        tuple(part.split("=")[0] for part in link.partition("?")[2].split("&")): link for link in links
    }
    return list(by_names.values())


@pytest.mark.parametrize("width", [1280, 320])
def test_links_that_promise_people_land_on_them(browser: Browser, shared_server: Server, width: int) -> None:
    with visitor(browser, shared_server, width) as tab:
        tab.set_viewport_size({"width": width, "height": 720})
        sign_in(tab, "D4001")
        followed = set()
        for page in PAGES:
            tab.goto(page)
            links = links_to_people(tab)
            assert links, page
            followed.update(links)
        for link in sorted(followed):
            tab.goto("about:blank")
            tab.goto(link)
            assert tab.evaluate(IN_VIEW) == [True, True, True], link


def test_the_navigation_leads_by_keyboard_without_scripts(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server, 320, java_script_enabled=False) as tab:
        sign_in(tab, "D9001")
        assert urlsplit(tab.url).path == "/desk"
        keyboard.press_enter(tab, "nav[aria-label='Main'] a[href='/people']")
        keyboard.press_enter(tab, "nav[aria-label='People'] a[href='/imports']")
        assert h1(tab) == "Imports"
        keyboard.press_enter(tab, "nav[aria-label='Main'] a[href='/desk']")
        assert urlsplit(tab.url).path == "/desk"
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320
