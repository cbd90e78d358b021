"""One question in real hands: by keyboard, with Back, in two tabs, clicked twice, and after a lapse."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.domain.catalogue.folders import write
from tests.journeys.walking import (
    answer_all,
    ask,
    attempt_of,
    change,
    choose,
    fill_sign_in,
    follow,
    h1,
    press,
    questions,
    reach_assessment,
    sign_in,
    visitor,
)
from tests.running import Server, command, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LONG_AGO = "2026-01-01 00:00:00.000000"


@pytest.fixture(scope="module", autouse=True)
def published(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A module of two questions with one right choice each."""
    folder = write(tmp_path_factory.mktemp("modules"))
    done = command(settings(shared_server.instance), "modules", "publish", str(folder / "sample"))
    assert done.returncode == 0, done.stderr


@contextmanager
def asked(browser: Browser, server: Server, person: str, **options: Any) -> Iterator[Tab]:
    """A person before the first question of an assessment."""
    with visitor(browser, server, **options) as tab:
        sign_in(tab, person)
        tab.goto(f"/assessment/{reach_assessment(tab.context, server.instance, 'sample')}")
        assert tab.url.endswith("/items/1")
        yield tab


def saved(server: Server, tab: Tab) -> list[str]:
    """Every saved choice of the attempt, in the order of saving."""
    rows = ask(
        server.instance,
        "SELECT choices FROM response WHERE attempt_id = ? ORDER BY id",
        attempt_of(tab).replace("-", ""),
    )
    return [choices for (choices,) in rows]


def kept(server: Server, tab: Tab, value: str) -> str:
    """How a choice of the first question is kept that the page sends so."""
    order = questions(server.instance, attempt_of(tab))[0].order
    return f'["{order[int(value.removeprefix("c.")) - 1]}"]'


def ends(server: Server, tab: Tab) -> tuple[int, int]:
    """How many submissions and passes the attempt has."""
    attempt = attempt_of(tab).replace("-", "")
    count = "SELECT count(*) FROM {} WHERE attempt_id = ?"
    return (
        ask(server.instance, count.format("submission"), attempt)[0][0],
        ask(server.instance, count.format("pass_record"), attempt)[0][0],
    )


def step_to(tab: Tab, selector: str) -> None:
    """Press Tab until the focus is there; each stop on the way can be seen."""
    for _ in range(40):
        tab.keyboard.press("Tab")
        seen = tab.evaluate(
            "() => { const e = document.activeElement; const all = [e, e.nextElementSibling].filter(Boolean)"
            ".flatMap(x => [getComputedStyle(x), getComputedStyle(x, '::before')]);"
            " return all.some(s => s.outlineStyle !== 'none' || s.boxShadow !== 'none') }"
        )
        assert seen, tab.evaluate("document.activeElement.outerHTML")
        if tab.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is out of the keyboard's reach")


def values(tab: Tab) -> list[str]:
    """The choices of the question, as shown."""
    return [box.get_attribute("value") or "" for box in tab.locator("input[name=choice]").all()]


@pytest.mark.sweep
def test_a_question_by_keyboard_alone(browser: Browser, shared_server: Server) -> None:
    with asked(browser, shared_server, "D1001") as tab:
        first = values(tab)[0]
        step_to(tab, "main button[type=submit]")
        tab.keyboard.press("Enter")
        tab.locator(".govuk-error-summary:focus").wait_for()
        assert tab.title().startswith("Error: ")
        step_to(tab, ".govuk-error-summary a")
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.name") == "choice"
        tab.keyboard.press("Space")
        step_to(tab, "main button[type=submit]")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/items/2")
        assert saved(shared_server, tab) == [kept(shared_server, tab, first)]


@pytest.mark.sweep
def test_back_shows_what_was_saved_and_takes_a_change(browser: Browser, shared_server: Server) -> None:
    with asked(browser, shared_server, "D3001") as tab:
        first, second = values(tab)[:2]
        choose(tab, [first])
        press(tab, "Save and continue")
        tab.wait_for_url("**/items/2")
        tab.go_back()
        assert tab.url.endswith("/items/1")
        assert tab.locator(f"input[value='{first}']").is_checked()
        choose(tab, [second])
        press(tab, "Save and continue")
        tab.wait_for_url("**/items/2")
        tab.goto(f"/assessment/{attempt_of(tab)}/items/1")
        assert tab.locator("input[name=choice]:checked").get_attribute("value") == second
        assert saved(shared_server, tab)[-1] == kept(shared_server, tab, second)


def test_two_tabs_on_one_attempt_end_in_one_outcome(browser: Browser, shared_server: Server) -> None:
    with asked(browser, shared_server, "D3002") as tab:
        other, late = tab.context.new_page(), tab.context.new_page()
        other.goto(tab.url)
        first, second = values(tab)[:2]
        for page, choice in ((tab, first), (other, second)):
            page.bring_to_front()  # a tab behind another is slow to be clicked
            choose(page, [choice])
            press(page, "Save and continue")
            page.wait_for_url("**/items/2")
        tab.goto(f"/assessment/{attempt_of(tab)}/items/1")
        assert tab.locator("input[name=choice]:checked").get_attribute("value") == second
        late.goto(tab.url)
        tab.bring_to_front()
        answer_all(tab, shared_server.instance, right=True)
        other.goto(tab.url)
        press(tab, "Submit answers")
        assert h1(tab) == "You passed"
        other.bring_to_front()
        press(other, "Submit answers")
        assert (h1(other), other.url) == (h1(tab), tab.url)
        late.bring_to_front()
        choose(late, [first])
        press(late, "Save and continue")
        assert h1(late) == "These answers were already submitted"
        follow(late, "See the outcome")
        assert late.url == tab.url
        assert ends(shared_server, tab) == (1, 1)


@pytest.mark.sweep
@pytest.mark.parametrize(("person", "scripts"), [("D4001", True), ("D5001", False)])
def test_submit_clicked_twice_is_one_submission(
    browser: Browser, shared_server: Server, person: str, scripts: bool
) -> None:
    with asked(browser, shared_server, person, java_script_enabled=scripts) as tab:
        answer_all(tab, shared_server.instance, right=True)
        tab.dblclick("main button:has-text('Submit answers')")
        tab.wait_for_url("**/outcome")
        assert h1(tab) == "You passed"
        assert ends(shared_server, tab) == (1, 1)


@pytest.mark.sweep
def test_an_answer_sent_after_a_lapse_is_kept(browser: Browser, shared_server: Server) -> None:
    with asked(browser, shared_server, "D6001") as tab:
        first = values(tab)[0]
        choose(tab, [first])
        aged = change(
            shared_server.instance,
            "UPDATE sign_in_session SET seen_at = ?, created_at = ? WHERE person_id ="
            " (SELECT person_id FROM person_name WHERE staff_number = 'D6001')",
            LONG_AGO,
            LONG_AGO,
        )
        assert aged == 1
        press(tab, "Save and continue")
        tab.wait_for_url("**/sign-in*")
        assert "is kept" in tab.inner_text("main")
        fill_sign_in(tab, "D6001")
        assert h1(tab) == "Your answer to question 1 was kept"
        press(tab, "Continue")
        tab.wait_for_url("**/items/2")
        assert saved(shared_server, tab) == [kept(shared_server, tab, first)]
