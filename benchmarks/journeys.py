"""(j) Ten journeys in a browser from each person's first page: clicks, requests and bytes on the wire.

They run on a force of the demo's people, because a click on a force of 15,000 is the same click. Each begins
with an empty cache: the first page counts with all that it needs. Signing in is timed on a slow line, too.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab

from benchmarks.figures import Figure
from benchmarks.serving import Server, environment, free_port, serving
from benchmarks.world import REPORT, flask

PEOPLE = 120
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SECRET = "a-journey-of-many-steps"
FIGURE = "media/refer-or-notify.svg"
SLOW_LINE = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000 / 8,
    "uploadThroughput": 50_000 / 8,
}
MOST_SECONDS = 3
LEARNER, MANAGER, AUTHOR, OWNER, ADMINISTRATOR = "D1001", "D2001", "D3001", "D4001", "D9001"


class Traveller:
    """A person at a browser, whose clicks, requests and bytes are counted."""

    def __init__(self, tab: Tab) -> None:
        self.tab, self.clicks, self.requests, self.bytes = tab, 0, 0, 0
        devtools = tab.context.new_cdp_session(tab)
        devtools.send("Network.enable")
        devtools.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, Any]) -> None:
        if event["encodedDataLength"]:  # none from the cache
            self.requests += 1
            self.bytes += int(event["encodedDataLength"])

    def click(self, words: str) -> None:
        """Click the first link or button with these words in the page's main part; another page answers."""
        self.clicks += 1
        with self.tab.expect_navigation():
            self.tab.locator("main").locator("a, button:not([aria-hidden])").filter(
                has_text=words
            ).first.click()

    def click_first(self, selector: str) -> None:
        """Click the first link that a selector finds in the page's main part; another page answers."""
        self.clicks += 1
        with self.tab.expect_navigation():
            self.tab.locator("main").locator(selector).first.click()

    def download(self, words: str) -> None:
        """Click a link that brings a file."""
        self.clicks += 1
        with self.tab.expect_download() as waiting:
            self.tab.locator("main a", has_text=words).first.click()
        self.bytes += Path(waiting.value.path()).stat().st_size

    def navigate(self, words: str) -> None:
        """Click a link of the navigation; another page answers."""
        self.clicks += 1
        with self.tab.expect_navigation():
            self.tab.locator("nav a", has_text=words).first.click()

    def choose(self, selector: str) -> None:
        """Choose one of several boxes or circles."""
        self.clicks += 1
        self.tab.check(selector)

    def fill(self, selector: str, text: str) -> None:
        """Type into a field; typing is no click."""
        self.tab.fill(selector, text)

    def require_heading(self, words: str) -> None:
        """Raise unless the journey has arrived at a page whose heading contains these words."""
        heading = self.tab.inner_text("h1")
        if words not in heading:
            raise RuntimeError(f"The journey ended at “{heading}”.")


def read_lesson(me: Traveller) -> None:
    """From My learning into the first lesson."""
    me.click_first("a[href^='/learning/modules/']")
    me.click_first("a[href*='/lessons/'], form button")
    if "/lessons/" not in me.tab.url:
        raise RuntimeError(me.tab.url)


def find_whom_to_call(me: Traveller) -> None:
    """A guide, by the navigation."""
    me.navigate("Guides")
    me.click("Who to call")
    me.require_heading("Who to call")


def download_file(me: Traveller) -> None:
    """From the report, as a manager who first looks at it."""
    me.click_first(f"a[href='{REPORT}']")
    me.download("CSV")


def print_past_day(me: Traveller) -> None:
    """The report of a day that is past, as PDF."""
    me.click_first(f"a[href='{REPORT}']")
    me.fill("#as_at", "30 April 2026")
    me.click("Show position")
    me.download("PDF")


def find_person(me: Traveller) -> None:
    """The page of somebody in the report's list."""
    me.click_first(f"a[href='{REPORT}']")
    me.click_first("table a[href^='/people/']")


def ask_exemption(me: Traveller) -> None:
    """For somebody in the report's list."""
    find_person(me)
    me.click("exemption from OIC-2026")
    me.fill("#from_on", "1 November 2026")
    me.fill("#to_on", "31 December 2099")
    me.choose("[name=reason][value='secondment']")
    me.click("Send request")
    me.require_heading("Exemption")


def remind_all(me: Traveller) -> None:
    """Everyone who is overdue, after a preview."""
    me.click("Remind ")
    me.click_first("form button[type=submit]")
    if "error" in me.tab.title().lower():
        raise RuntimeError(me.tab.title())


def add_question_with_figure(me: Traveller) -> None:
    """With a figure that the module has already."""
    me.click_first("form[action*='/authoring/protect/'] button")  # Edit
    me.click("Add a question")
    me.click("One right choice")
    me.fill("#name", "Nail bar")
    me.tab.select_option("#figure", FIGURE)
    me.fill("#prompt", "Whom do you ring first?")
    for place in (0, 1):
        me.fill(f"#choice-{place}-text", f"Choice number {place + 1}")
        me.fill(f"#choice-{place}-feedback", "Look at the figure.")
    me.choose("[name=choice-0-correct]")
    me.fill("#explanation", "The figure says so.")
    me.choose("[name=outcome] >> nth=0")
    me.tab.select_option("[name=source-0]", "practice")
    me.click("Add the question")
    if "_new" in me.tab.url:
        raise RuntimeError(me.tab.inner_text("main")[:500])


def close_account(me: Traveller) -> None:
    """Of the first in the list."""
    me.navigate("People")
    me.navigate("Accounts")
    me.click_first("table a[href$='/account']")
    me.click("Close")
    me.require_heading("Close the account")


def sign_out(me: Traveller) -> None:
    """From the first page."""
    me.clicks += 1
    with me.tab.expect_navigation():
        me.tab.locator("header button", has_text="Sign out").first.click()


# Who walks, what, how, and in how many clicks at most; None: reported alone.
JOURNEYS: tuple[tuple[str, str, Callable[[Traveller], None], int | None], ...] = (
    (LEARNER, "read a lesson", read_lesson, 2),
    (LEARNER, "look up whom to call", find_whom_to_call, None),
    (MANAGER, "download the completion file", download_file, 2),
    (MANAGER, "print a past date as PDF", print_past_day, 4),
    (MANAGER, "see what one person has left", find_person, None),
    (MANAGER, "ask for an exemption", ask_exemption, 5),
    (OWNER, "remind everyone who is overdue", remind_all, 3),
    (AUTHOR, "add a question with a figure", add_question_with_figure, 6),
    (ADMINISTRATOR, "close an account", close_account, None),
    (MANAGER, "sign out", sign_out, None),
)


def measure() -> list[Figure]:
    """Each journey once, by a browser that has seen nothing."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder, sync_playwright() as playwright:
        instance = Path(folder) / "instance"
        instance.mkdir(mode=0o700)
        flask(instance, "db", "upgrade")
        flask(instance, "demo", "create", "--people", str(PEOPLE), DEMO_PASSWORD=SECRET)
        port = free_port()
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        mail = {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_FROM": "portal@westshire.example",
        }  # nothing is sent meanwhile
        with serving(["serve.py"], environment(instance, port, DEMO_PASSWORD=SECRET, **mail), port) as server:
            figures = [each for journey in JOURNEYS for each in _walk(browser, server, *journey)]
            return [*figures, _sign_in_on_a_slow_line(browser, server)]


def _sign_in_on_a_slow_line(browser: Browser, server: Server) -> Figure:
    """Seconds from pressing the button to the whole overview; the page of the sign-in was loaded before."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}")
    tab = context.new_page()
    tab.goto("/sign-in")
    tab.fill("#name", MANAGER)
    tab.fill("#password", SECRET)
    devtools = context.new_cdp_session(tab)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_LINE)
    begun = time.perf_counter()
    tab.click("main button:text-is('Sign in')")
    tab.wait_for_url("**/monitoring", wait_until="load")
    seconds = time.perf_counter() - begun
    context.close()
    what = "from sign-in to the overview at 50 kbit/s and 400 ms"
    return Figure("j", what, seconds, "s", None, "", seconds, "s", MOST_SECONDS)


def _walk(
    browser: Browser,
    server: Server,
    person: str,
    what: str,
    walk: Callable[[Traveller], None],
    most: int | None,
) -> list[Figure]:
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", accept_downloads=True)
    tab = context.new_page()
    tab.set_default_timeout(15_000)
    me = Traveller(tab)
    tab.goto("/sign-in")
    tab.fill("#name", person)
    tab.fill("#password", SECRET)
    tab.click("main button:text-is('Sign in')")
    tab.wait_for_url(lambda url: "/sign-in" not in url)
    walk(me)
    tab.wait_for_load_state("networkidle")
    context.close()
    name = f"journey: {what}"
    return [
        Figure(
            "j", f"{name}, clicks", me.clicks, "clicks", None, "", me.clicks, "clicks", most,
            fails_build=True,
        ),
        Figure("j", f"{name}, requests", me.requests, "requests"),
        Figure("j", f"{name}, on the wire", me.bytes / 1024, "KiB"),
    ]  # fmt: skip
