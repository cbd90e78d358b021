"""An author of questions and details: what follows the writing, what saves itself, and two at once."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from portal.domain.item_kinds import kinds_by_name
from tests.journeys.editing import again, author, author_too, open_editor, saved, saved_by_itself, seldom
from tests.journeys.walking import ON_A_DESK_AND_A_PHONE, go, h1, hold_to_account, press
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ITEM = "/authoring/protect/items/adult-refuses"
FILE = "items/adult.toml"
DETAILS = "/authoring/protect/details"
# A field of each kind whose words its preview shows.
SHOWN = {
    "single": "#choice-0-text",
    "multiple": "#choice-0-text",
    "order": "#step-0-text",
    "match": "#pair-0-left",
    "scenario": "#scene-0-text",
    "report": "#part-0-label",
}


@pytest.fixture(scope="module")
def second(shared_server: Server) -> str:
    """Another person who may write."""
    return author_too(shared_server)


def editor(tab: Tab, path: str = ITEM) -> None:
    """An editor that saves by itself in those tests alone that say so."""
    open_editor(tab, path)
    seldom(tab)


@pytest.mark.sweep
@pytest.mark.parametrize("width", [1280, pytest.param(320, marks=pytest.mark.sweep)])
def test_a_question_of_every_kind_is_shown_as_it_is_written(
    browser: Browser, shared_server: Server, width: int
) -> None:
    assert set(SHOWN) == set(kinds_by_name())
    with author(browser, shared_server, width) as tab:
        for kind, field in SHOWN.items():
            tab.goto(f"/authoring/protect/items/_new?kind={kind}")
            tab.fill("#prompt", f"Which way, {kind}?")
            tab.fill(field, "Written this minute")
            preview = tab.locator("#preview")
            expect(preview).to_contain_text(f"Which way, {kind}?")
            expect(preview).to_contain_text("Written this minute")
            hold_to_account(tab)
            tab.locator("#editor").dispatch_event("saved")  # so that leaving does not ask: it was only tried


@pytest.mark.sweep
def test_measures_and_findings_of_a_question_follow_the_writing(
    browser: Browser, shared_server: Server
) -> None:
    with author(browser, shared_server) as tab:
        editor(tab)
        before = saved(shared_server, FILE)
        right = tab.locator("input[name$=-correct]:checked").first
        place = (right.get_attribute("name") or "").removesuffix("-correct")
        tab.fill(f"#{place}-text", "Much longer than all the others, " * 5)
        expect(tab.locator("#lengths")).to_contain_text("The right choice has 164 characters")
        expect(tab.locator("#findings")).to_contain_text("its length gives it away")
        tab.fill("#prompt", "")
        expect(tab.locator("#told")).to_contain_text("1 thing to put right")
        expect(tab.locator("h2", has_text="Preview at phone width")).to_have_text(
            "Preview at phone width, as you write"
        )
        hold_to_account(tab)
        assert saved(shared_server, FILE) == before


@pytest.mark.sweep
@pytest.mark.parametrize("width", [320, pytest.param(1280, marks=pytest.mark.sweep)])
def test_without_scripts_a_button_shows_the_question_and_a_row_is_removed(
    browser: Browser, shared_server: Server, width: int
) -> None:
    with author(browser, shared_server, width, java_script_enabled=False) as tab:
        open_editor(tab, ITEM)
        before = saved(shared_server, FILE)
        tab.fill("#prompt", "What do you do without scripts?")
        go(tab, "main button:text-is('Preview')")
        assert "What do you do without scripts?" in tab.inner_text("#preview")
        assert "This is not saved yet" in tab.inner_text("main")
        hold_to_account(tab)
        rows = tab.locator("#editor fieldset.portal-row").count()
        go(tab, "#editor button:has-text('Remove')")
        expect(tab.locator("#editor fieldset.portal-row")).to_have_count(rows - 1)
        assert tab.input_value("#prompt") == "What do you do without scripts?"
        go(tab, "main button:text-is('Leave without saving')")
        assert saved(shared_server, FILE) == before


def test_questions_and_details_are_saved_while_they_are_written(
    browser: Browser, shared_server: Server
) -> None:
    with author(browser, shared_server) as tab:
        for path, field, file, button in (
            (ITEM, "#explanation", FILE, "Save the question"),
            (DETAILS, "#aim", "module.toml", "Save the details"),
        ):
            editor(tab, path)
            seldom(tab, "0.2")
            for words in ("Saved by itself.", "Saved by itself, twice."):
                saved_by_itself(tab, field, words)
                assert words in saved(shared_server, file)
            expect(tab.locator("#saved")).to_contain_text("Saved automatically at")
            press(tab, button)
            assert "saved" in tab.inner_text("main")
            assert "Saved by itself, twice." in saved(shared_server, file)


@pytest.mark.sweep
def test_a_save_by_the_button_waits_for_the_one_that_is_under_way(
    browser: Browser, shared_server: Server
) -> None:
    with author(browser, shared_server) as tab:
        editor(tab)
        held = list[Any]()
        tab.route(f"**{ITEM}", lambda route: held.append(route) if not held else route.continue_())
        seldom(tab, "0")
        with tab.expect_request(lambda asked: asked.method == "POST" and "render" not in asked.url):
            tab.fill("#explanation", "Under way.")
        seldom(tab)
        tab.fill("#explanation", "Under way, and more.")
        with tab.expect_navigation():
            tab.click("main button:text-is('Save the question')")
            held[0].continue_()
        assert "The question is saved." in tab.inner_text("main")
        assert "Under way, and more." in saved(shared_server, FILE)


@pytest.mark.sweep
def test_a_lost_connection_loses_no_question(browser: Browser, shared_server: Server) -> None:
    with author(browser, shared_server) as tab:
        editor(tab)
        tab.fill("#explanation", "Written on a train.")
        tab.context.set_offline(True)
        tab.click("main button:text-is('Save the question')")
        expect(tab.locator("[data-not-saved]")).to_contain_text("Not saved: the portal could not be reached.")
        hold_to_account(tab)
        assert tab.input_value("#explanation") == "Written on a train."
        tab.context.set_offline(False)
        again(tab)
        assert "Written on a train." in saved(shared_server, FILE)


@pytest.mark.sweep
@ON_A_DESK_AND_A_PHONE
@pytest.mark.parametrize(
    ("path", "file", "one_field", "two_field", "button"),
    [
        (ITEM, FILE, "#prompt", "#explanation", "Save the question"),
        pytest.param(DETAILS, "module.toml", "#title", "#aim", "Save the details", marks=pytest.mark.sweep),
        pytest.param(
            "/authoring/protect/lessons/which-offence",
            "lessons/which-offence.md",
            "#title",
            "#minutes",
            "Save and preview",
            marks=pytest.mark.sweep,
        ),
    ],
)
def test_what_two_changed_in_different_places_is_kept_by_one_button(
    browser: Browser,
    shared_server: Server,
    second: str,
    path: str,
    file: str,
    one_field: str,
    two_field: str,
    button: str,
    width: int,
    scripts: bool,
) -> None:
    numbers = two_field == "#minutes"
    theirs = str(width // 160) if numbers else f"Two wrote at {width}."
    with (
        author(browser, shared_server, width, java_script_enabled=scripts) as one,
        author(browser, shared_server, width, second, java_script_enabled=scripts) as two,
    ):
        editor(one, path)
        two.goto(path)
        assert "has been editing this since" in h1(two)
        press(two, "Take over")
        seldom(two)
        one.fill(one_field, f"One wrote at {width}.")
        two.fill(two_field, theirs)
        go(two, f"main button:text-is('{button}'):visible")
        go(one, f"main button:text-is('{button}'):visible")
        assert "saved this after you opened it" in one.inner_text("main")
        hold_to_account(one)
        go(one, "main button:text-is('Keep both')")
        assert f"One wrote at {width}." in saved(shared_server, file)
        assert (f"minutes = {theirs}\n" if numbers else theirs) in saved(shared_server, file)
