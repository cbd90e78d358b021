"""Writes docs/pages.md: each page, who meets it, what it answers first, and how many clicks lead to it.

Run by ``make pages``, which also draws each page at two widths into ``build/pages/``; a test compares the
list with the application's map.
"""

import re
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import Browser, Error
from playwright.sync_api import Page as Tab
from werkzeug.exceptions import HTTPException

from config import Config
from portal.app import create_app
from tests.chromium import chromium
from tests.journeys import makings
from tests.journeys.places import PLACES, ROLES
from tests.journeys.walking import sign_in, visitor
from tests.running import ROOT, Server, make_force

PAGE = ROOT / "docs/pages.md"
PICTURES = ROOT / "build/pages"
WIDTHS = (1280, 320)
HEAD = """\
# Pages

<!-- Written by `make pages`, which draws the pictures into build/pages/. -->

Every page of the portal, with who meets most of it, the heading and the first sentence that it
answers with in the demo's force, and how many clicks lead to it from that person's first page.
“Form” says that a form leads there, not a link. The pictures are `build/pages/PAGE-1280.png` and
`PAGE-320.png`.

| Page | For | It answers | Clicks |
|---|---|---|--:|
"""
LINKS = "() => [...document.querySelectorAll('a[href]')].map((link) => link.href)"
FIRST = """() => {
  const heading = document.querySelector("main h1");
  const first = document.querySelector("main h1 ~ p, main .govuk-body-l, main p:not([class*=caption])");
  return [heading, first].map((part) => part ? part.innerText.replace(/\\s+/g, " ").trim() : "");
}"""
MOST = 300  # addresses that one person's walk opens


def endpoint_of(app: Flask, path: str) -> str:
    """The name of the page at an address; empty if there is none."""
    try:
        endpoint, _ = app.url_map.bind("127.0.0.1").match(path)
    except HTTPException:
        return ""
    return str(endpoint)


def count_clicks(tab: Tab, app: Flask) -> dict[str, int]:
    """The fewest links from the first page of whoever is signed in to each page, by its name."""
    clicks, ahead = {endpoint_of(app, urlsplit(tab.url).path): 0}, deque([(tab.url, 0)])
    for _ in range(MOST):
        if not ahead:
            break
        address, distance = ahead.popleft()
        try:
            tab.goto(address)
        except Error:  # a file, which the browser does not show
            continue
        for link in tab.evaluate(LINKS):
            parts = urlsplit(link)
            endpoint = endpoint_of(app, parts.path) if parts.netloc == urlsplit(tab.url).netloc else ""
            if endpoint in PLACES and endpoint not in clicks:
                clicks[endpoint] = distance + 1
                ahead.append((link, distance + 1))
    return clicks


def draw_person(tab: Tab, app: Flask, owner: str, made: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Draw the pages of one person; the name and the row of each."""
    clicks = count_clicks(tab, app)
    role = ", ".join(sorted(role.value for role in ROLES[owner])) or "learner"
    for endpoint, place in PLACES.items():
        if place.owner != owner:
            continue
        for width in WIDTHS:
            tab.set_viewport_size({"width": width, "height": 900})
            tab.goto(place.paths[0].format(**made))
            tab.screenshot(path=PICTURES / f"{endpoint}-{width}.png", full_page=True)
        heading, first = tab.evaluate(FIRST)
        sentence = re.split(r"(?<=[.?!]) ", first)[0].replace("|", "/")
        words = f"**{heading}** {sentence}".strip()
        yield endpoint, f"| {endpoint} | {role} | {words} | {clicks.get(endpoint, 'form')} |"


def draw(browser: Browser, server: Server) -> str:
    """The whole page."""
    app = create_app(Config(mode="demo", secret_key="k" * 32, instance=server.instance))
    made, rows = makings.made(browser, server), dict[str, str]()
    for owner in ROLES:
        with visitor(browser, server) as tab:
            sign_in(tab, owner)
            rows |= dict(draw_person(tab, app, owner, made))
    return HEAD + "".join(f"{rows[endpoint]}\n" for endpoint in sorted(rows))


def main() -> None:
    """Make a force, serve it, and draw all pages."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="portal-pages-") as folder:
        make_force(Path(folder))
        server = Server(Path(folder)).start()
        try:
            for browser in chromium():
                PAGE.write_text(draw(browser, server), encoding="utf-8")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
