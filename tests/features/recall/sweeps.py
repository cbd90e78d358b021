"""Recall in the tests over all pages, acts and commands."""

from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser

from tests.journeys.visiting import AUTHOR, MANAGER, Place
from tests.journeys.walking import press, sign_in, visitor
from tests.pages.access.shown import NOBODY, OWN
from tests.running import Server

PLACES = {
    "recall.show_recalls": Place(("/learning/recall",)),
    "recall.ask_recall": Place(("/learning/recall/protect",), MANAGER),
    "recall.show_recall_answers": Place(("/learning/recall/recognise/answers/1",), MANAGER),
    "recall.show_outcomes": Place(("/authoring/protect/recall",), AUTHOR),
}
OF_SOMEONE = {"recall.ask_recall", "recall.show_recall_answers"}
MAY_BE_UNKNOWN = {"recall.ask_recall", "recall.answer_recall", "recall.show_recall_answers"}  # nobody passed
ROUTES = {
    "recall.show_recalls": OWN,
    "recall.choose_recall": OWN,
    "recall.ask_recall": OWN,
    "recall.answer_recall": OWN,
    "recall.show_recall_answers": OWN,
    "recall.show_outcomes": NOBODY,
}
ADDRESSES = {"recall.show_outcomes": {"key": "protect"}}
WITHOUT_ENTRY = dict.fromkeys(
    ("recall.answer_recall", "recall.choose_recall"),
    "nobody's but the learner's own: it would be a report on a person (docs/decisions/privacy.md)",
)


def make_by_pages(browser: Browser, server: Server) -> dict[str, str]:
    """The manager passed every module months ago, and answers the questions of one."""
    with visitor(browser, server) as tab:
        sign_in(tab, MANAGER)
        tab.goto("/learning/recall/recognise")
        for question in tab.locator("main fieldset").all():
            question.locator("input").first.check(force=True)
        press(tab, "Check my answers")
        assert tab.url.split("?")[0].endswith("/learning/recall/recognise/answers/1")
    return {}


def make_states(_app: Flask, _instance: Path, sign_in: Any) -> dict[str, str]:
    """The same for the golden record."""
    manager = sign_in(MANAGER)
    page = manager.page("/learning/recall/recognise")
    manager.press(page, "Check my answers")
    return {}


MAKE_BY_PAGES = (make_by_pages,)
MAKE_STATES = (make_states,)
