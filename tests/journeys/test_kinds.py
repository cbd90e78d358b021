"""Items of each kind in real hands: by keyboard alone, at both widths, with scripts and without."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from tests.domain.catalogue.folders import MODULE, lesson, write
from tests.domain.catalogue.kinds_written import check, item
from tests.journeys.walking import (
    ON_A_DESK_AND_A_PHONE,
    ask,
    attempt_of,
    follow,
    h1,
    hold_to_account,
    press,
    reach_assessment,
    sign_in,
    visitor,
)
from tests.running import Server, command, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PLACES = {"Stop the lorry": "1", "Call the control room": "2", "Wait for the ambulance": "3"}
BELONGS = {
    "An intelligence report": "The NCCU",
    "A child at risk": "Children's services",
    "A referral": "The NCCU",
}


@pytest.fixture(scope="module")
def published(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The server with a module whose four items are each of another kind."""
    kinds = {"order": "see", "match": "say", "scenario": "see", "report": "say"}
    bank = "\n".join(item(kind, f"one-{kind}", outcome) for kind, outcome in kinds.items())
    files = {"sample/items/bank.toml": bank, "sample/module.toml": MODULE.replace("draw = 2", "draw = 4")}
    files["sample/lessons/second.md"] = lesson(f"{check('order', 'steps')}\n{check('match', 'pairs')}")
    folder: Path = write(tmp_path_factory.mktemp("modules"), files)
    done = command(settings(shared_server.instance), "modules", "publish", str(folder / "sample"))
    assert done.returncode == 0, done.stderr
    return shared_server


@contextmanager
def asked(browser: Browser, server: Server, person: str, **options: Any) -> Iterator[Tab]:
    """A person before the first question of the assessment."""
    with visitor(browser, server, **options) as tab:
        sign_in(tab, person)
        tab.goto(f"/assessment/{reach_assessment(tab.context, server.instance, 'sample')}")
        yield tab


def kind_of(tab: Tab) -> str:
    """The kind of the question on the page."""
    number = int(tab.url.rpartition("/")[2].partition("?")[0])
    ((drawn,),) = ask_of(tab, "SELECT drawn FROM attempt WHERE id = ?", attempt_of(tab).replace("-", ""))
    ((kind,),) = ask_of(tab, "SELECT kind FROM item WHERE id = ?", json.loads(drawn)[number - 1]["item_id"])
    return str(kind)


INSTANCE: dict[str, Path] = {}


def ask_of(tab: Tab, query: str, *values: Any) -> list[Any]:
    return ask(INSTANCE[tab.url.split("/assessment/")[0]], query, *values)


def walk_to(tab: Tab, selector: str) -> None:
    """Press Tab until the focus is there."""
    for _ in range(60):
        tab.keyboard.press("Tab")
        if tab.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is out of the keyboard's reach")


def lists(tab: Tab) -> dict[str, str]:
    """The id of the list below each label."""
    return {
        label.inner_text().strip(): label.get_attribute("for") or ""
        for label in tab.locator("main form label").all()
    }


def set_lists(tab: Tab, wanted: dict[str, str]) -> None:
    """Choose in each list by typing the beginning of what it is to say."""
    found = lists(tab)
    for label in sorted(wanted, key=lambda label: found[label]):
        walk_to(tab, f"#{found[label]}")
        tab.keyboard.type(wanted[label])
        assert tab.locator(f"#{found[label]} option:checked").inner_text() == wanted[label]


def tick(tab: Tab, name: str, words: str) -> None:
    """Choose the radio beside these words with Tab and arrows."""
    walk_to(tab, f"input[name='{name}']")
    tab.keyboard.press("Space")
    for _ in range(8):
        if tab.evaluate("document.activeElement.labels[0].innerText").strip().startswith(words):
            return
        tab.keyboard.press("ArrowDown")
    raise AssertionError(words)


def send(tab: Tab) -> None:
    """Go to the button and press it."""
    walk_to(tab, "main button.govuk-button:not(.govuk-button--secondary)")
    with tab.expect_navigation():
        tab.keyboard.press("Enter")


def take(tab: Tab, kind: str, good: bool) -> None:
    """Answer one question by keyboard, well or badly."""
    if kind == "order":
        set_lists(tab, PLACES if good else dict(zip(PLACES, "321", strict=True)))
    elif kind == "match":
        set_lists(tab, {left: right if good else "Nobody" for left, right in BELONGS.items()})
    elif kind == "scenario":
        for choice in ("Listen", "Call") if good else ("Open", "Count"):
            tick(tab, "choice", choice)
            walk_to(tab, "#reason")
            tab.keyboard.type(f"Because I would {choice.lower()}")
            send(tab)
            hold_to_account(tab)
        assert "The scenario ends here." in tab.inner_text("main")
    else:
        tick(tab, "answer-1", "2:" if good else "1:")
        tick(tab, "answer-2", "P:" if good else "C:")
        walk_to(tab, "#answer-3")
        tab.keyboard.type("At 02:10 voices were heard.")
    send(tab)


@pytest.mark.parametrize(
    ("person", "good", "options"),
    [
        ("D1001", True, {"width": 1280}),
        pytest.param("D3001", False, {"width": 320}, marks=pytest.mark.sweep),
        pytest.param("D2001", True, {"width": 320, "java_script_enabled": False}, marks=pytest.mark.sweep),
    ],
)
def test_every_kind_by_keyboard_alone(
    browser: Browser, published: Server, person: str, good: bool, options: dict[str, Any]
) -> None:
    INSTANCE[published.address] = published.instance
    with asked(browser, published, person, **options) as tab:
        met = []
        for _ in range(4):
            hold_to_account(tab)
            met.append(kind_of(tab))
            take(tab, met[-1], good)
        assert sorted(met) == ["match", "order", "report", "scenario"]
        assert h1(tab) == "Check your answers"
        hold_to_account(tab)
        press(tab, "Submit answers")
        assert h1(tab) == ("You passed" if good else "You did not pass")
        follow(tab, "See your answers" if good else "See what you answered")
        hold_to_account(tab)
        text = tab.inner_text("main")
        assert ("Your reason: Because I would " + ("listen" if good else "open")) in text
        assert ("A model" in text) == good
        assert ("You learn that people are alive." in text) == good


@pytest.mark.sweep
def test_what_is_missing_is_shown_at_its_control(browser: Browser, published: Server) -> None:
    INSTANCE[published.address] = published.instance
    with asked(browser, published, "D4001", width=320) as tab:
        for number in range(1, 5):
            tab.goto(f"/assessment/{attempt_of(tab)}/items/{number}")
            press(tab, "Save and continue")
            assert tab.title().startswith("Error: ")
            hold_to_account(tab)
            tab.locator(".govuk-error-summary a").first.click()
            assert tab.evaluate("document.activeElement.matches('select, input, textarea')")


@pytest.mark.sweep
@pytest.mark.parametrize(
    "options",
    [
        {"width": 1280},
        pytest.param({"width": 320, "java_script_enabled": False}, marks=pytest.mark.sweep),
    ],
)
def test_lists_of_a_check_are_worked_and_checked_by_keyboard(
    browser: Browser, published: Server, options: dict[str, Any]
) -> None:
    with visitor(browser, published, **options) as tab:
        sign_in(tab, "D5001")
        tab.goto("/learning/modules/sample/lessons/second")
        hold_to_account(tab)
        checks = tab.locator(".portal-check:has(select)")
        for label, wanted in {**PLACES, **BELONGS}.items():
            select = checks.locator(".portal-pick-row", has_text=label).locator("select")
            select.focus()
            tab.keyboard.type(wanted)
            expect(select.locator("option:checked")).to_have_text(wanted)
        scripts = options.get("java_script_enabled", True)
        for number in range(checks.count()):
            checks.nth(number).locator("button:text-is('Check my answer')").focus()
            if scripts:  # answers in place, and the keyboard goes on from the feedback
                tab.evaluate("window.isSamePage = true")
                tab.keyboard.press("Enter")
                expect(checks.nth(number).locator(".portal-feedback:focus")).to_be_visible()
                assert tab.evaluate("window.isSamePage")
            else:
                with tab.expect_navigation():
                    tab.keyboard.press("Enter")
        in_place = checks.all_inner_texts()
        if scripts:
            tab.reload()  # the page of the form's own address says the same
            assert checks.all_inner_texts() == in_place
        shown = checks.locator(".portal-feedback:visible")
        expect(shown).to_have_count(len(PLACES) + len(BELONGS))
        assert {text.split()[0] for text in shown.all_inner_texts()} == {"Correct"}
        hold_to_account(tab)


ROWS = {
    "order": ("Add another step", "#step-3-text"),
    "match": ("Add another pair", "#pair-3-left"),
    "scenario": ("Add a scene with choices", "#scene-5-text"),
    "report": ("Add a part that is marked", "#part-3-label"),
}


@pytest.mark.sweep
@ON_A_DESK_AND_A_PHONE
def test_a_row_is_added_to_the_editor_of_each_kind(
    browser: Browser, published: Server, width: int, scripts: bool
) -> None:
    with visitor(browser, published, width=width, java_script_enabled=scripts) as tab:
        sign_in(tab, "D3001")
        tab.goto("/authoring/sample")
        if tab.locator("main button:text-is('Edit')").count():  # the first to come opens the draft
            press(tab, "Edit")
        for kind, (button, new) in ROWS.items():
            tab.goto(f"/authoring/sample/items/one-{kind}")
            hold_to_account(tab)
            assert not tab.locator(new).count()
            tab.locator(f"#editor button:text-is('{button}')").focus()
            tab.keyboard.press("Enter")  # with scripts the row comes without a new page
            tab.wait_for_selector(new)
            hold_to_account(tab)
            tab.locator(new).fill("Something new")
            assert tab.evaluate("s => document.querySelector(s).getBoundingClientRect().top", new) < 900
            press(tab, "Save the question")
            if kind == "order":
                assert "The question is saved." in tab.inner_text("main")
            else:
                assert tab.title().startswith("Error: ")  # the rest of the row is missing
                assert tab.locator(new).input_value() == "Something new"
        tab.goto("/authoring/sample/items/one-order")
        buttons = tab.locator("#editor button:has-text('Remove')")
        rows = buttons.count()
        buttons.last.click()
        expect(buttons).not_to_have_count(rows)  # of three none can be removed
        press(tab, "Save the question")
        assert "The question is saved." in tab.inner_text("main")
