"""The desk, dip samples and returns without a mouse: each person's work by Tab, arrows, Space and Enter."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from portal.platform.signing.keys import take_fingerprint
from tests.features.returns.made import make_returns
from tests.features.returns.making import make_content, public_key, sign
from tests.journeys import keyboard
from tests.journeys.answering import Fields
from tests.journeys.assurance_places import ASSURANCE
from tests.journeys.places import AUDITOR, MANAGER, OWNER
from tests.journeys.return_paths import RETURN_PATHS
from tests.journeys.walking import ON_A_DESK_AND_A_PHONE, h1, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
DESK = "/assurance/e-learning"
COUNTS = ("8", "7", "7", "4", "3", "4", "1")
# Every place where Tab should stop, in the order of the page, and how each looks without the focus. A group
# of radios is one stop.
STOPS = """() => {
  const look = (e) => [e, e.nextElementSibling].map((part, sibling) => {
    if (!part) return "";
    const style = getComputedStyle(part, sibling ? "::before" : null);
    return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.backgroundColor].join();
  }).join();
  const groups = new Set();
  window.look = look;
  window.stops = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
  )].filter((e) => {
    if (e.disabled || !e.checkVisibility({visibilityProperty: true})) return false;
    if (e.type !== "radio") return true;
    const all = [...document.querySelectorAll(`input[type=radio][name="${e.name}"]`)];
    const one = all.find((each) => each.checked) || all[0];
    return e === one && !groups.has(e.name) && groups.add(e.name);
  });
  const start = document.activeElement;  // the summary of errors, where there is one
  start.blur();
  window.rest = stops.map(look);
  window.before = null;
  return [stops.findIndex((e) => start.compareDocumentPosition(e) & 4), stops.length];
}"""
# What is wrong with the focus where it is; empty: nothing.
FOCUS = """(place) => {
  const e = document.activeElement, name = (part) => part.outerHTML.slice(0, 90);
  if (e !== stops[place]) return `the focus is at ${name(e)}, not at ${name(stops[place])}`;
  if (look(e) === rest[place]) return `the focus cannot be seen at ${name(e)}`;
  const box = e.getClientRects()[0];
  const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
  const x = middle(box.left, box.right, innerWidth), y = middle(box.top, box.bottom, innerHeight);
  if (x < box.left || x > box.right || y < box.top || y > box.bottom)
    return `the focus is out of sight at ${name(e)}`;
  const seen = document.elementFromPoint(x, y), label = e.labels && e.labels[0];
  if (!(seen && (e.contains(seen) || seen.contains(e) || (label && label.contains(seen)))))
    return `${seen && name(seen)} covers ${name(e)}`;
  const top = box.top + scrollY, up = before && top + box.height <= before.top && box.left <= before.left;
  window.before = {top, left: box.left};
  return up && e.closest("main") ? `the focus goes back up to ${name(e)}` : "";
}"""


def focused(tab: Tab) -> Any:
    """The id, or else the class, of what has the focus."""
    return tab.evaluate("document.activeElement.id || document.activeElement.className")


def follow(tab: Tab, words: str) -> None:
    """Walk to the first link of the page with these words, and press it."""
    href = tab.locator(f"main a:has-text('{words}')").first.get_attribute("href")
    keyboard.press_enter(tab, f"main a[href='{href}']")


def press(tab: Tab, words: str) -> None:
    """Walk to the button of these words, and press it."""
    number = tab.locator("main button").all_inner_texts().index(words)
    tab.locator("main button").nth(number).evaluate("e => { e.dataset.wanted = '' }")
    keyboard.press_enter(tab, "main button[data-wanted]")


def fill(tab: Tab, name: str, text: str) -> None:
    """Walk to a field, and type over what is there."""
    keyboard.walk_to(tab, f"main [name='{name}']")
    tab.keyboard.press("Control+A")
    tab.keyboard.insert_text(text)


def send_wrong(tab: Tab, first: str, *, scripts: bool) -> None:
    """Send a form as it is: it is refused, and the first error leads to its field."""
    keyboard.send(tab)
    assert tab.title().startswith("Error: "), tab.url
    if scripts:
        assert "govuk-error-summary" in focused(tab)
    keyboard.walk_to(tab, ".govuk-error-summary a")
    tab.keyboard.press("Enter")
    tab.wait_for_function("id => document.activeElement.id === id", arg=first)


def skip(tab: Tab) -> None:
    """From the top of the page straight to its content."""
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.matches('.govuk-skip-link')")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("Boolean(document.activeElement.closest('main'))"), tab.url


def own_and_judge(tab: Tab, *, scripts: bool) -> None:
    """The owner adds an action, says how far one of theirs is, and judges."""
    tab.goto("/assurance")
    skip(tab)
    keyboard.press_enter(tab, f"main a[href^='{DESK}']")
    follow(tab, "Add an action")
    send_wrong(tab, "title", scripts=scripts)
    added: Fields = [("title", "Read the guide at every briefing"), ("owner", OWNER), ("state", "under_way")]
    keyboard.fill_in(tab, added)
    keyboard.send(tab)
    assert "Read the guide at every briefing" in tab.inner_text("main")
    follow(tab, "Judge whether it is met")
    send_wrong(tab, "state", scripts=scripts)
    keyboard.fill_in(tab, [("state", "partly_met"), ("reason", "Two units of nine have still to begin.")])
    keyboard.send(tab)
    assert "Somebody else has to confirm it." in tab.inner_text("main")
    tab.goto("/assurance/mine")
    follow(tab, "Read the guide at every briefing")
    keyboard.fill_in(tab, [("reason", "It was read at six of nine.")])
    keyboard.send(tab)
    assert h1(tab) == "Yours to do"


def decide(tab: Tab, *, scripts: bool) -> None:
    """The second person reads the judgement on an earlier day, and confirms it."""
    tab.goto(f"{DESK}/judgement")
    fill(tab, "as_at", "30 April 2026")
    press(tab, "Show position")
    assert "30 April 2026" in tab.inner_text("main")
    follow(tab, "Show today")
    press(tab, "Confirm it")
    assert "Two units of nine have still to begin." in tab.inner_text("main")


def read_the_year(tab: Tab, *, scripts: bool) -> None:
    """The chief officer opens the year of a recommendation, and goes to one of its month ends."""
    tab.goto("/assurance")
    keyboard.walk_to(tab, "main summary")
    tab.keyboard.press("Enter")
    keyboard.press_enter(tab, "main details[open] tr:nth-child(2) a")
    assert h1(tab).startswith("On ")


def count(tab: Tab, *, scripts: bool) -> None:
    """The supervisor counts the month that is missing."""
    tab.goto("/dip-samples")
    follow(tab, "Missing")
    send_wrong(tab, "reported", scripts=scripts)
    names = ("reported", "submitted", "on_time", "sampled", "complete", "graded", "returned")
    keyboard.fill_in(tab, [*zip(names, COUNTS, strict=True), ("reason", "in_hand")])
    keyboard.send(tab)
    assert h1(tab).startswith("Dip sample of")


def coordinate(tab: Tab, *, file: Path, scripts: bool) -> None:
    """The coordinator registers a force and its key, receives its return, and reads another month."""
    tab.goto("/returns/forces")
    follow(tab, "Register a force")
    send_wrong(tab, "key", scripts=scripts)
    keyboard.fill_in(tab, [("key", "westland"), ("name", "Westland Police"), ("headcount", "900")])
    keyboard.send(tab)
    follow(tab, "Register a key")
    keyboard.fill_in(tab, [("public_key", public_key(9)), ("read_out", take_fingerprint(public_key(9)))])
    keyboard.send(tab)
    tab.goto("/returns/received/new")
    if scripts:
        # Around the walk too: the browser hears of the driver's wish a moment after the call, and a chooser
        # that opens before is lost (6 of 40 on an idle machine).
        with tab.expect_file_chooser() as chooser:
            keyboard.walk_to(tab, "#file")
            tab.keyboard.press("Enter")
        chooser.value.set_files(file)
    else:  # the driver meets no chooser there
        keyboard.walk_to(tab, "#file")
        tab.set_input_files("#file", file)
    keyboard.send(tab)
    assert h1(tab) == "Westland Police"
    tab.goto("/returns/national")
    keyboard.walk_to(tab, "main summary")
    tab.keyboard.press("Enter")
    keyboard.walk_to(tab, "main select")
    tab.keyboard.press("ArrowDown")
    press(tab, "Show")
    assert "/returns/national?" in tab.url


@ON_A_DESK_AND_A_PHONE
def test_each_person_does_their_work_without_a_mouse(
    browser: Browser, server: Server, tmp_path: Path, width: int, scripts: bool
) -> None:
    file = tmp_path / "return.json"
    file.write_bytes(sign(make_content(force="westland", force_name="Westland Police"), 9))
    people = [
        (OWNER, own_and_judge),
        (AUDITOR, decide),
        (AUDITOR, read_the_year),
        (MANAGER, count),
        (OWNER, partial(coordinate, file=file)),
    ]
    for who, work in people:
        with visitor(browser, server, width, java_script_enabled=scripts) as tab:
            sign_in(tab, who)
            work(tab, scripts=scripts)


@ON_A_DESK_AND_A_PHONE
def test_the_focus_goes_through_every_page_and_is_seen(
    browser: Browser, server: Server, width: int, scripts: bool
) -> None:
    made = make_returns(server.instance)
    pages = {path: place.owner for place in ASSURANCE.values() for path in place.paths[:2]}
    pages |= {path.format(**made): OWNER for paths in RETURN_PATHS.values() for path in paths}
    wrong: list[str] = []
    for who in {OWNER, AUDITOR, MANAGER}:
        with visitor(browser, server, width, java_script_enabled=scripts) as tab:
            sign_in(tab, who)
            for path in (path for path, owner in pages.items() if owner == who):
                tab.goto(path)
                wrong += walk_through(tab)
    assert wrong == []


def walk_through(tab: Tab) -> list[str]:
    """Press Tab from the top of a page to its end; what is wrong with the focus on the way."""
    wrong = []
    for place in range(*tab.evaluate(STOPS)):
        tab.keyboard.press("Tab")
        if fault := tab.evaluate(FOCUS, place):
            wrong.append(f"{tab.url}: {fault}")
            if fault.startswith("the focus is at"):
                break
    return wrong
