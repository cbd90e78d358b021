"""The face in a real browser: it fits, works by keyboard, and nothing needed waits for a script."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, render_template
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab
from werkzeug.serving import WSGIRequestHandler, make_server
from wtforms import PasswordField, RadioField, StringField, SubmitField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.status.rules import Status
from portal.pages.layout.forms import GovInput, GovPassword, GovRadios, GovSubmit, PortalForm
from portal.pages.layout.query_arguments import Page as Slice
from tests.chromium import MILLISECONDS
from tests.examples import sweep_after
from tests.pages.layout.conftest import build

pytestmark = pytest.mark.browser
PAGES = Path(__file__).parent / "pages"


class SignIn(PortalForm):
    """Fields of three kinds."""

    who = StringField("Staff number", widget=GovInput(), validators=[InputRequired("Enter a staff number")])
    password = PasswordField(
        "Password", widget=GovPassword(), validators=[InputRequired("Enter your password")]
    )
    choice = RadioField(
        "Which report do you make?",
        choices=[SelectChoice(value=v, label=f"Report {v}") for v in "abc"],
        widget=GovRadios(),
        validators=[InputRequired("Select an answer")],
    )
    save = SubmitField("Save and continue", widget=GovSubmit())


class Quiet(WSGIRequestHandler):
    """Writes no line a request."""

    def log(self, *_: Any) -> None:
        """Keep silent."""


def _application() -> Flask:
    app = build({file.name: file.read_text(encoding="utf-8") for file in PAGES.glob("*.html")})

    @app.route("/form", methods=["GET", "POST"])
    def form() -> str:
        shown = SignIn()
        shown.validate_on_submit()
        return render_template("form.html", form=shown)

    @app.get("/desk")
    def desk() -> str:
        parts = [(status, 6) for status in reversed(Status) if not status.excluded]
        units = [{"name": "Roads Policing", "href": "/help", "done": 22, "total": 28}]
        page = Slice.of(39, "/desk", [], 8)
        return render_template("desk.html", parts=parts, units=units, page=page, statuses=list(Status))

    return app


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, _application(), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def opened(browser: Browser, width: int, **options: Any) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": width, "height": 800}, **options)
    complaints: list[str] = []
    context.set_default_timeout(MILLISECONDS)
    tab = context.new_page()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None)
    yield tab
    context.close()
    assert complaints == []


@pytest.fixture(params=sweep_after(1, 320, 1280))
def tab(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Tab]:
    yield from opened(browser, request.param)


@pytest.fixture
def plain_tab(browser: Browser) -> Iterator[Tab]:
    yield from opened(browser, 320, java_script_enabled=False)


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Tab]:
    yield from opened(browser, 1280, bypass_csp=True)


PATHS = ("/form", "/desk", "/help", "/accessibility", "/privacy", "/cookies", "/nothing")


def test_no_page_scrolls_sideways(tab: Tab, address: str) -> None:
    assert tab.viewport_size is not None
    for path in PATHS:
        tab.goto(address + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"], path


def test_the_checker_finds_nothing_in_anyones_way(open_tab: Tab, address: str) -> None:
    for path in PATHS:
        open_tab.goto(address + path)
        if path == "/form":
            open_tab.click("main button[type=submit]")
            open_tab.locator(".govuk-error-summary").wait_for()
        found = Axe().run(open_tab, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found.response["violations"]] == [], path
        assert found.response["passes"], path


def test_an_error_link_leads_to_its_field_by_keyboard(tab: Tab, address: str) -> None:
    tab.goto(f"{address}/form")
    tab.click("main button[type=submit]")
    tab.locator(".govuk-error-summary:focus").wait_for()
    for field in ("who", "password", "choice"):
        tab.focus(f".govuk-error-summary a[href='#{field}']")
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.id") == field


def test_the_skip_link_comes_first_and_leads_to_the_content(tab: Tab, address: str) -> None:
    tab.goto(f"{address}/desk")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to main content"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main-content"


def test_a_password_can_be_shown_and_is_hidden_again_when_sent(tab: Tab, address: str) -> None:
    tab.goto(f"{address}/form")
    tab.fill("#password", "correct horse")
    tab.click("button:has-text('Show')")
    expect(tab.locator("#password")).to_have_attribute("type", "text")
    tab.click("main button[type=submit]")
    tab.locator(".govuk-error-summary").wait_for()
    assert tab.get_attribute("#password", "type") == "password"
    assert tab.input_value("#password") == ""


def test_a_form_works_and_shows_no_dead_button_without_scripts(plain_tab: Tab, address: str) -> None:
    plain_tab.goto(f"{address}/form")
    assert not plain_tab.is_visible("button:has-text('Show')")
    plain_tab.click("main button[type=submit]")
    plain_tab.locator(".govuk-error-summary").wait_for()
    assert plain_tab.title().startswith("Error: Sign in")
    plain_tab.click(".govuk-error-summary a[href='#choice']")
    plain_tab.wait_for_url("**/form#choice")


def test_targets_that_stand_alone_are_large_enough_for_a_finger(tab: Tab, address: str) -> None:
    tab.goto(f"{address}/desk")
    for link in tab.query_selector_all(".portal-header a, .portal-header button, nav a, .portal-chip"):
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 24 or link.evaluate("e => e.closest('p, .portal-breadcrumb') !== null")
