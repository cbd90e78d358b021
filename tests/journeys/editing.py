"""What the journeys of the desk share: an author who need not sign in again, an editor, what it saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys.walking import ask, press, sign_in, visitor
from tests.running import Server, command, settings


@contextmanager
def signed_in(
    browser: Browser, server: Server, width: int = 1280, person: str = "D3001", **options: Any
) -> Iterator[Tab]:
    """A person who is signed in, in a browser of their own."""
    with visitor(browser, server, width, **options) as tab:
        sign_in(tab, person)
        yield tab


@contextmanager
def author(
    browser: Browser, server: Server, width: int = 1280, person: str = "D3001", **options: Any
) -> Iterator[Tab]:
    """An author signed in, with a draft of the module Protect."""
    with signed_in(browser, server, width, person, **options) as tab:
        tab.goto("/authoring/protect")
        if tab.locator("main button:text-is('Edit')").count():
            press(tab, "Edit")
        yield tab


def author_too(server: Server) -> str:
    """The number of another person who may write."""
    done = command(settings(server.instance), "people", "grant", "D2001", "author")
    assert done.returncode == 0, done.stderr
    return "D2001"


def open_editor(tab: Tab, path: str) -> None:
    """An editor, taken over where somebody of another test is there."""
    tab.goto(path)
    if tab.locator("main button:text-is('Take over')").count():
        press(tab, "Take over")


def seldom(tab: Tab, seconds: str = "3600") -> None:
    """Let the editor save by itself only after as many seconds without a key."""
    tab.locator("#editor").evaluate("(form, seconds) => (form.dataset.saves = seconds)", seconds)


def saved_by_itself(tab: Tab, field: str, words: str) -> None:
    """Write into a field, and wait until the page has saved it."""
    before = tab.locator("#editor input[name=expected]").input_value()
    tab.fill(field, words)
    tab.wait_for_function(
        "before => document.querySelector('#editor input[name=expected]').value !== before", arg=before
    )


def again(tab: Tab) -> None:
    """Save once more at once; a button that is clicked twice within a second counts once."""
    with tab.expect_navigation():
        tab.locator("#editor").evaluate("form => form.requestSubmit(form.querySelector('[name=save]'))")


def saved(server: Server, path: str) -> str:
    """A file of the draft of Protect as it stands."""
    ((content,),) = ask(
        server.instance,
        "SELECT c.content FROM draft d JOIN draft_save s ON s.draft_id = d.id, json_each(s.files) f"
        " JOIN draft_content c ON c.sha256 = f.value WHERE d.module_key = 'protect' AND d.ended_at IS NULL"
        " AND f.key = ? ORDER BY s.number DESC LIMIT 1",
        path,
    )
    return str(bytes(content).decode())
