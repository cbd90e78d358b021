"""A learner from the first sign-in to the record, and the manager who sees it."""

import re

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys.walking import (
    ON_A_DESK_AND_A_PHONE,
    answer_all,
    ask,
    attempt_of,
    follow,
    h1,
    hold_to_account,
    pass_by_forms,
    press,
    read_every_lesson,
    right_texts,
    sign_in,
    sign_in_afresh,
    statuses_in_file,
    visitor,
)
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSES = (
    "SELECT a.key FROM record r JOIN pass_record p ON p.record_id = r.id"
    " JOIN activity a ON a.id = r.activity_id JOIN person_name n ON n.person_id = r.person_id"
    " WHERE n.staff_number = 'D1001'"
)


def fail_on_purpose(tab: Tab, server: Server) -> None:
    press(tab, "Start assessment")
    hold_to_account(tab)
    answer_all(tab, server.instance, right=False)
    hold_to_account(tab)
    press(tab, "Submit answers")
    assert h1(tab) == "You did not pass"
    assert tab.locator("main a[href*='/lessons/']").count() >= 1
    hold_to_account(tab)
    secrets = right_texts(server.instance, attempt_of(tab))
    seen = tab.inner_html("main")
    follow(tab, "See what you answered")
    hold_to_account(tab)
    seen += tab.inner_html("main")
    assert [text for text in secrets if text in seen] == []
    tab.go_back()


def pass_at_last(tab: Tab, server: Server) -> str:
    """Try again and pass; returns the reference."""
    press(tab, "Try again")
    answer_all(tab, server.instance, right=True)
    press(tab, "Submit answers")
    assert h1(tab) == "You passed"
    hold_to_account(tab)
    reference = tab.inner_text(".portal-passed__number")
    assert re.fullmatch(r"OIC-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z*~$=]", reference)
    follow(tab, "See your answers and why each is right")
    assert tab.locator("main section").count() >= 12
    # How often a question says “right” depends on its kind; that each was answered rightly does not.
    assert tab.locator("main section", has_text="Worth 1 of 1").count() == tab.locator("main section").count()
    assert tab.locator("text=– right").count() > 0
    hold_to_account(tab)
    tab.go_back()
    follow(tab, "View or print your record")
    assert reference in tab.inner_text("main")
    hold_to_account(tab)
    tab.goto("/learning")
    assert reference in tab.inner_text("main")
    done = tab.locator("li", has_text=reference)
    assert "Complete" in done.inner_text()
    hold_to_account(tab)
    return reference


def finish_by_forms(tab: Tab, server: Server, done: str) -> None:
    """The modules that are left, to the end."""
    held = ask(server.instance, "SELECT key FROM activity WHERE kind = 'module' ORDER BY key")
    left = [key for (key,) in held if key != done]
    assert len(left) == 3
    for slug in left:
        assert pass_by_forms(tab.context, server.instance, slug).endswith("/outcome")
    assert sorted(ask(server.instance, PASSES)) == [(key,) for key in sorted([*left, done])]
    tab.goto("/learning")
    assert "to complete" not in h1(tab)
    assert "Your passes are stored" in tab.inner_text("main")
    tab.goto("/records")
    assert tab.locator("main a[href*='/records/OIC-']").count() == 4
    hold_to_account(tab)


def cells_of_learner(manager: Tab) -> list[str]:
    """The learner's row in the report, by one request for the page."""
    manager.goto("/monitoring/directives/OIC-2026?q=D1001")
    return manager.locator("tr", has_text="D1001").locator("td").all_inner_texts()


@ON_A_DESK_AND_A_PHONE
def test_from_the_first_lesson_to_the_record(
    browser: Browser, server: Server, width: int, scripts: bool
) -> None:
    with (
        visitor(browser, server) as manager,
        visitor(browser, server, width, java_script_enabled=scripts) as tab,
    ):
        sign_in(manager, "D2001")
        assert "satisfied" not in statuses_in_file(manager).values()
        sign_in_afresh(tab, "D1001")
        assert "4 modules" in h1(tab)
        hold_to_account(tab)
        slug = read_every_lesson(tab)
        fail_on_purpose(tab, server)
        assert "satisfied" not in statuses_in_file(manager).values()
        assert "Complete" not in cells_of_learner(manager)
        pass_at_last(tab, server)
        assert ask(server.instance, PASSES) == [(slug,)]
        assert {key for key, status in statuses_in_file(manager).items() if status == "satisfied"} == {slug}
        assert cells_of_learner(manager).count("Complete") == 1
        finish_by_forms(tab, server, slug)
        assert set(statuses_in_file(manager).values()) == {"satisfied"}
        assert cells_of_learner(manager).count("Complete") == 5
