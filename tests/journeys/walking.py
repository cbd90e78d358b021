"""What the journeys share: a tab that refuses what no page may do, signing in, and the answers on file."""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID
from weakref import WeakKeyDictionary, WeakSet

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Request
from playwright.sync_api import Page as Tab

from benchmarks.browser import CASE, FORM, MOST_STEPS, case_button, form_fields
from tests.chromium import MILLISECONDS
from tests.journeys.answering import Fields, fill_in, forms, response, told
from tests.journeys.checking import check_page
from tests.running import PASSWORD, Server

# The content with the title, and all that is around it: what the checker can find is in one or the other.
PARTS = """() => {
  const page = document.documentElement.cloneNode(true);
  for (const hidden of page.querySelectorAll("input[type=hidden]")) hidden.removeAttribute("value");
  const told = [...page.querySelectorAll("title, main")].map((part) => {
    const html = part.outerHTML;
    part.replaceChildren();
    return html;
  });
  return [told.join(""), page.outerHTML];
}"""
# Instants as programs write them, in what a person sees; code, and cells of others' files, may have them.
INSTANTS = """() => {
  const page = document.body.cloneNode(true);
  for (const part of page.querySelectorAll("code, pre, samp, script, style")) part.remove();
  const typed = [...document.querySelectorAll("input:not([type=hidden])")].map((field) => field.value);
  return [page.textContent, ...typed].join(" ").match(/\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\S*/g) || [];
}"""
# What a journey shows on a phone without scripts, the client of tests/pages.py shows of most forms, too.
ON_A_DESK_AND_A_PHONE = pytest.mark.parametrize(
    ("width", "scripts"), [(1280, True), pytest.param(320, False, marks=pytest.mark.sweep)]
)
NEXT = "Mark as complete and continue"
Kept = Path | str  # an instance folder with its database file, or the address of a PostgreSQL database
without_scripts: WeakSet[BrowserContext] = WeakSet()
servers: WeakKeyDictionary[BrowserContext, str] = WeakKeyDictionary()  # their addresses
sessions: dict[tuple[str, str], list[Any]] = {}  # cookies by server and person
checked: set[tuple[int, int]] = set()  # what the checker has found nothing in, by its width


@contextmanager
def visitor(
    browser: Browser, server: Server, width: int = 1280, *, also: str = "", **options: Any
) -> Iterator[Tab]:
    """A tab of a browser of its own; its end fails on a script error, a refused resource or another host.

    Args:
        browser: Any.
        server: Whose pages are opened.
        width: Of the window.
        also: The address of a provider that pages may lead to.
        options: Of the browser's context.
    """
    own, complaints = {urlsplit(address).netloc for address in (server.address, also)}, list[str]()

    def asked(request: Request) -> None:
        if urlsplit(request.url).scheme in {"http", "https"} and urlsplit(request.url).netloc not in own:
            complaints.append(f"another host: {request.url}")

    context = browser.new_context(
        viewport={"width": width, "height": 900}, base_url=server.address, accept_downloads=True, **options
    )
    servers[context] = server.address
    if not options.get("java_script_enabled", True):
        without_scripts.add(context)
    context.set_default_timeout(MILLISECONDS)
    context.on("request", asked)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None
    )
    try:
        yield context.new_page()
    finally:
        context.close()
    assert complaints == []


def sign_in(tab: Tab, staff_number: str) -> None:
    """Open the first page of a person, who signs in once a server unless a test ended that session."""
    person = (servers[tab.context], staff_number)
    tab.context.add_cookies(sessions.get(person, []))
    tab.goto("/")
    if urlsplit(tab.url).path == "/sign-in":
        fill_sign_in(tab, staff_number)
        kept: Any = tab.context.cookies()
        sessions[person] = kept


def sign_in_afresh(tab: Tab, staff_number: str, password: str = PASSWORD) -> None:
    """Fill the two fields and press the one button."""
    tab.goto("/sign-in")
    fill_sign_in(tab, staff_number, password)


def fill_sign_in(tab: Tab, staff_number: str, password: str = PASSWORD) -> None:
    """Sign in on the page that is open."""
    tab.fill("#name", staff_number)
    tab.fill("#password", password)
    tab.click("main button:text-is('Sign in')")
    tab.wait_for_url(lambda url: urlsplit(url).path != "/sign-in")


def h1(tab: Tab) -> str:
    """The heading as read."""
    return re.sub(r"\s+", " ", tab.inner_text("h1")).strip()


def go(tab: Tab, selector: str) -> None:
    """Click the first that fits, and wait for the page it leads to."""
    with tab.expect_navigation():
        tab.locator(selector).first.click()


def press(tab: Tab, words: str) -> None:
    """Press the button of these words, and wait for the page that answers."""
    go(tab, f"main button:has-text('{words}')")


def take_new_values(tab: Tab) -> None:
    """Say of each value that a roster has for the first time that it is new, as long as it is asked."""
    while tab.url.endswith("/values") and tab.locator("option", has_text="New:").count():
        for select in tab.locator("main select").all():
            new = select.locator("option", has_text="New:")
            if new.count():
                select.select_option(value=new.first.get_attribute("value"))
        press(tab, "Check the file")


def follow(tab: Tab, words: str) -> None:
    """Follow the first link of these words, and wait for its page."""
    go(tab, f"main a:has-text('{words}')")


def hold_to_account(tab: Tab, *, content_too: bool = True) -> None:
    """What is true of every page: nothing in anyone's way, and no sideways scroll.

    The checker, which takes longest, runs where the content, or what is around it, is new at this width.

    Args:
        tab: The page, as it is.
        content_too: False where the checker has met this content with somebody who sees more of it:
            it then runs for what is around it alone.
    """
    width = tab.viewport_size["width"] if tab.viewport_size else 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= width, f"{tab.url} scrolls sideways"
    assert tab.locator("[hidden]:visible").count() == 0, f"{tab.url} shows what waits for a script"
    assert tab.evaluate(INSTANTS) == [], tab.url
    if tab.context in without_scripts:  # the checker itself waits for timers, which never come there
        return
    content, around = ((width, hash(part)) for part in tab.evaluate(PARTS))
    if around in checked and (content in checked or not content_too):
        return
    check_page(tab)
    checked.update((content, around))


def ask(instance: Kept, query: str, *values: Any) -> list[Any]:
    """Rows of the database while the server runs."""
    if isinstance(instance, str):
        with psycopg.connect(instance) as opened:
            return list(opened.execute(query.replace("?", "%s"), values))
    with closing(sqlite3.connect(instance / "portal.sqlite", timeout=20)) as connection:
        return connection.execute(query, values).fetchall()


def _read(kept: Any) -> Any:
    """JSON as each driver gives it: text, or what it holds."""
    return json.loads(kept) if isinstance(kept, str) else kept


def change(instance: Path, query: str, *values: Any) -> int:
    """Change the database file while the server runs; how many rows it met."""
    with closing(sqlite3.connect(instance / "portal.sqlite", timeout=20)) as connection, connection:
        return connection.execute(query, values).rowcount


def attempt_of(tab: Tab) -> str:
    """The attempt that the page is about."""
    found = re.search(r"/assessment/([0-9a-f-]{36})", tab.url)
    assert found, tab.url
    return found[1]


@dataclass(frozen=True)
class Asked:
    """A question of an attempt, as the database holds it."""

    kind: str
    content: Any
    order: list[str]
    explanation: str


def questions(instance: Kept, attempt_id: str) -> list[Asked]:
    """Every question of an attempt, in order."""
    ((drawn,),) = ask(instance, "SELECT drawn FROM attempt WHERE id = ?", UUID(attempt_id).hex)
    query = "SELECT kind, content, explanation_html FROM item WHERE id = ?"
    found = []
    for question in _read(drawn):
        ((kind, content, why),) = ask(instance, query, question["item_id"])
        found.append(Asked(kind, _read(content), question["order"], why))
    return found


def answers(instance: Kept, attempt_id: str, *, right: bool) -> list[tuple[int, list[Fields]]]:
    """The forms to send for each question, by its number, to have it right, or wrong."""
    return [
        (number, forms(q.kind, q.content, q.order, response(q.kind, q.content, right=right)))
        for number, q in enumerate(questions(instance, attempt_id), start=1)
    ]


def right_texts(instance: Kept, attempt_id: str) -> list[str]:
    """What tells of a right choice in an attempt: what nobody may read before a pass."""
    return [
        text for q in questions(instance, attempt_id) for text in (*told(q.kind, q.content), q.explanation)
    ]


def choose(tab: Tab, wanted: list[str]) -> None:
    """Make these choices, and no others."""
    fill_in(tab, [("choice", key) for key in wanted])


def answer_all(tab: Tab, instance: Kept, *, right: bool) -> None:
    """Answer every question from the first to the check of answers."""
    for number, sent in answers(instance, attempt_of(tab), right=right):
        for fields in sent:
            assert tab.url.endswith(f"/items/{number}"), tab.url
            fill_in(tab, fields)
            press(tab, "Save and continue")
    assert h1(tab) == "Check your answers"


def answer_by_forms(
    context: BrowserContext, instance: Kept, attempt_id: str, token: str, *, right: bool
) -> None:
    """Answer every question by forms alone."""
    for number, sent in answers(instance, attempt_id, right=right):
        for fields in sent:
            send(context, f"/assessment/{attempt_id}/items/{number}", token, fields)


def token_in(html: str) -> str:
    """The forms' token of a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)
    assert found
    return found[1]


def send(context: BrowserContext, path: str, token: str, fields: Fields | None = None, **more: str) -> str:
    """Send a form straight, following to the page that answers; returns its address."""
    body = urlencode([("csrf_token", token), *(fields or []), *more.items()])
    answer = context.request.post(
        path, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.ok, f"{path}: {answer.status}"
    return answer.url


def reach_assessment(context: BrowserContext, instance: Kept, slug: str) -> str:
    """Complete every lesson and begin the assessment by forms alone; returns the attempt."""
    token = token_in(context.request.get(f"/learning/modules/{slug}").text())
    lessons = ask(
        instance,
        "SELECT lesson.key FROM lesson JOIN module_version v ON v.id = module_version_id"
        " JOIN activity a ON a.id = v.activity_id WHERE a.key = ? ORDER BY position",
        slug,
    )
    for (key,) in lessons:
        path = f"/learning/modules/{slug}/lessons/{key}"
        assert context.request.get(path).ok
        send(context, path, token)
        work_through_by_forms(context, path)
    arrived = send(context, f"/learning/modules/{slug}/assessment", token)
    found = re.search(r"/assessment/([0-9a-f-]{36})", arrived)
    assert found, arrived
    return found[1]


def work_through_by_forms(context: BrowserContext, path: str) -> None:
    """A case to its end by forms alone, the first of all choices taken; no other lesson has such a form."""
    for _ in range(MOST_STEPS):
        if CASE not in (html := context.request.get(path).text()):
            return
        head, inside = next(form for form in FORM.findall(html) if CASE in form[0])
        fields = form_fields(inside, case_button(html))
        action = re.search(r'action="([^"]+)"', head)
        assert action
        send(context, action[1], fields.pop("csrf_token"), list(fields.items()))
    raise AssertionError(f"{path} has no end")


def pass_by_forms(context: BrowserContext, instance: Kept, slug: str) -> str:
    """A module from its first lesson to the outcome by forms alone; returns the outcome's address."""
    attempt_id = reach_assessment(context, instance, slug)
    token = token_in(context.request.get(f"/learning/modules/{slug}").text())
    answer_by_forms(context, instance, attempt_id, token, right=True)
    return send(context, f"/assessment/{attempt_id}/submission", token)


def work_through(tab: Tab) -> None:
    """A case to its end, the first of all choices taken, and on to what follows."""
    for _ in range(MOST_STEPS):
        if not tab.locator("form[action*='/runs/']").count():
            break
        for name in dict.fromkeys(
            box.get_attribute("name") for box in tab.locator("main input[type=radio]").all()
        ):
            tab.locator(f"main input[name='{name}']").first.check(force=True)
        for box in tab.locator("main textarea").all():
            box.fill("Seen at 02:10.")
        for box in tab.locator("main input[type=text]").all():
            box.fill("11")
        for box in tab.locator("main select").all():
            box.select_option(index=1)
        for box in tab.locator("form[action*='/runs/'] input[name=place]").all()[:1]:
            box.check(force=True)
        go(tab, "main form[action*='/runs/'] button[type=submit]")
    else:
        raise AssertionError(f"{tab.url} has no end")
    go(tab, "main a.govuk-button")


def read_every_lesson(tab: Tab) -> str:
    """From My learning through the lessons of the first module to its assessment; returns the module."""
    go(tab, "main .portal-next")
    slug = tab.url.split("/modules/")[1].split("/")[0]
    hold_to_account(tab)
    read = 0
    while "/lessons/" in tab.url:
        if tab.locator("form[action*='/runs/']").count():
            work_through(tab)
        else:
            press(tab, NEXT)
        read += 1
    assert read >= 3
    assert tab.url.endswith(f"/learning/modules/{slug}")
    hold_to_account(tab)
    return slug


def statuses_in_file(manager: Tab) -> dict[str, str]:
    """The learner's status by requirement, by one request for the file."""
    answer = manager.context.request.get("/monitoring/directives/OIC-2026/completions.csv")
    assert answer.ok
    rows = list(csv.DictReader(io.StringIO(answer.body().decode("utf-8-sig"))))
    return {row["requirement"]: row["status"] for row in rows if row["staff_number"] == "D1001"}
