"""From nothing: a module made, published and passed in the browser, then required by a directive."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys.first_hour import AIM, KEY, LESSONS, OUTCOMES, QUESTIONS, TITLE
from tests.journeys.walking import (
    NEXT,
    ON_A_DESK_AND_A_PHONE,
    answer_all,
    ask,
    follow,
    go,
    h1,
    hold_to_account,
    press,
    sign_in,
    visitor,
)
from tests.running import Server, command, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MOST_PAGES = 12
MOST_BYTES = 150_000
PASSES = (
    "SELECT n.staff_number, v.number FROM pass_record p JOIN record r ON r.id = p.record_id"
    " JOIN module_version v ON v.id = p.module_version_id JOIN activity a ON a.id = r.activity_id"
    " JOIN person_name n ON n.person_id = r.person_id WHERE a.key = ?"
)
DIRECTIVE = """reference = "HOUR-2026"
title = "First hour"
source = "Chief Constable"
wording = "Complete First hour."
owner = "D4001"
effective_on = 2026-01-01
target = 1.0
notice_days = [30]
expiring_days = 60
[due]
days_after_joining = 60
[[audience]]
designated_role = ["response"]
[[requirement]]
kind = "module"
key = "first-hour"
"""


class Walk:
    """An author's tab: counts the pages it meets, holds each to account and keeps pictures of some."""

    def __init__(self, tab: Tab, folder: Path | None) -> None:
        self.tab, self.folder = tab, folder
        self.pages: set[str] = set()
        tab.on("domcontentloaded", lambda _: self.pages.add(urlsplit(tab.url).path))

    def look(self, name: str = "") -> None:
        hold_to_account(self.tab)
        nameless = self.tab.evaluate(
            "[...document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')]"
            ".filter(c => !(c.labels && [...c.labels].some(l => l.textContent.trim()))).map(c => c.name)"
        )
        assert nameless == [], f"{self.tab.url}: fields without words: {nameless}"
        if name and self.folder:
            self.tab.goto(self.tab.url)  # without what the step before had to say
            self.tab.set_viewport_size({"width": 1280, "height": 640})
            self.tab.evaluate("window.scrollTo(0, 0)")
            self.tab.screenshot(path=self.folder / f"{name}.png", animations="disabled")
            self.tab.set_viewport_size({"width": 1280, "height": 900})


def pictures(width: int) -> Path | None:
    """Where the pictures go; none of the narrow walk."""
    kept = os.environ.get("PICTURES", "")
    return Path(kept) if kept and width > 1000 else None


def make(walk: Walk) -> None:
    tab = walk.tab
    follow(tab, "New module")
    walk.look("author-new-module")
    tab.fill("#title", TITLE)
    tab.fill("#key", KEY)
    press(tab, "Create the module")
    assert h1(tab) == TITLE
    walk.look()


def write_details(walk: Walk) -> None:
    tab = walk.tab
    follow(tab, "Change the module details")
    tab.fill("#aim", AIM)
    for number, text in enumerate(OUTCOMES):
        tab.fill(f"#outcomes-{number}-text", text)
    walk.look()
    press(tab, "Save the details")
    if not tab.url.endswith(f"/authoring/{KEY}"):
        tab.goto(f"/authoring/{KEY}")


def write_lessons(walk: Walk) -> None:
    tab = walk.tab
    for number, lesson in enumerate(LESSONS, 1):
        go(tab, f"#lesson-lesson-{number} a")
        tab.fill("#title", lesson.title)
        tab.fill("#body", lesson.body)
        tab.fill("#minutes", "3")
        press(tab, "Save and preview")
        assert h1(tab) == lesson.title
        walk.look("author-lesson" if number == 1 else "")
        tab.goto(f"/authoring/{KEY}")


def write_questions(walk: Walk) -> None:
    tab = walk.tab
    for number, question in enumerate(QUESTIONS, 1):
        go(tab, f"#item-question-{number} a")
        assert "still the template’s text" in tab.inner_text("main")
        tab.fill("#stimulus", question.stimulus)
        tab.fill("#prompt", question.prompt)
        tab.fill("#explanation", question.explanation)
        for place, (text, feedback) in enumerate(question.choices):
            tab.fill(f"#choice-{place}-text", text)
            tab.fill(f"#choice-{place}-feedback", feedback)
        press(tab, "Save the question")
        assert "The question is saved." in tab.inner_text("main")
        walk.look("author-question" if number == 1 else "")
        tab.goto(f"/authoring/{KEY}")
    assert "to put right" not in tab.inner_text("main .portal-lead")
    walk.look("author-draft")


def send_for_review(walk: Walk) -> None:
    tab = walk.tab
    follow(tab, "Send for review")
    tab.fill("#note", "New: what to do in the first hour, for response officers.")
    walk.look()
    press(tab, "Send for review")
    assert h1(tab) == "First hour, version 1: a new module"
    walk.look()


def publish(publisher: Tab) -> None:
    publisher.goto("/authoring")
    go(publisher, f"main a:text-is('{TITLE}')")
    follow(publisher, "Read the review")
    hold_to_account(publisher)
    assert "Everyone in the force can take First hour from now on." in publisher.inner_text("main")
    press(publisher, "Publish version 1")
    assert "Version 1 of First hour is published." in publisher.inner_text("main")
    hold_to_account(publisher)


def pass_it(learner: Tab, server: Server) -> None:
    learner.goto("/modules")
    follow(learner, TITLE)
    hold_to_account(learner)
    go(learner, "main a[href*='/lessons/']")
    while "/lessons/" in learner.url:
        hold_to_account(learner)
        press(learner, NEXT)
    press(learner, "Start assessment")
    answer_all(learner, server.instance, right=True)
    press(learner, "Submit answers")
    assert h1(learner) == "You passed"
    hold_to_account(learner)


def require_it(server: Server, folder: Path) -> None:
    file = folder / "directive.toml"
    file.write_text(DIRECTIVE)
    done = command(settings(server.instance), "directives", "issue", str(file))
    assert done.returncode == 0, done.stderr


@ON_A_DESK_AND_A_PHONE
def test_a_module_from_nothing_to_a_pass(
    browser: Browser, server: Server, tmp_path: Path, width: int, scripts: bool
) -> None:
    with (
        visitor(browser, server, width, java_script_enabled=scripts) as author,
        visitor(browser, server, width, java_script_enabled=scripts) as publisher,
        visitor(browser, server, width, java_script_enabled=scripts) as learner,
    ):
        sign_in(author, "D3001")
        walk = Walk(author, pictures(width))
        author.goto("/authoring")
        make(walk)
        write_details(walk)
        write_lessons(walk)
        write_questions(walk)
        send_for_review(walk)
        assert len(walk.pages) <= MOST_PAGES, sorted(walk.pages)

        sign_in(publisher, "D3002")
        publish(publisher)
        sign_in(learner, "D1001")
        pass_it(learner, server)
        require_it(server, tmp_path)
        learner.goto("/learning")
        assert "1 of 5 complete" in learner.inner_text("main")
        assert ask(server.instance, PASSES, KEY) == [("D1001", 1)]
    kept = sorted(walk.folder.glob("author-*.png")) if walk.folder else []
    assert [file.name for file in kept if not 5_000 < file.stat().st_size < MOST_BYTES] == []
