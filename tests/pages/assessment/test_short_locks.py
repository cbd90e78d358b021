"""Officers who save answers read little while others wait to save: SQLite has one lock for all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import Engine, event

from portal.domain.catalogue.models import ModuleVersion
from portal.platform.db import db
from tests.domain.status.facts import make_directive
from tests.domain.status.facts import make_version as require
from tests.factories.catalogue import make_version
from tests.page_reading import Page, PortalClient
from tests.pages.learning.test_cases import CASE, decide, publish_case
from tests.pages.learning.working import NEXT, answer_all, begin, learner

BEGINNING = [  # the stamp, whether it is begun already, what is begun, and the newest rules
    "SELECT max(stamp.recorded_at) AS",
    "INSERT INTO stamp",
    "SELECT registration.id",
    "INSERT INTO registration",
    "INSERT INTO lesson_visit",
    "SELECT (SELECT max(directive_version.recorded_at)",
]
# Nobody here has a record, so no revocations are read.
LEARNING = ["SELECT exclusion.id", "SELECT record.id", "SELECT registration.id"]


@contextmanager
def locked_statements() -> Iterator[dict[str, list[str]]]:
    """What each request sent in its writing transaction, by endpoint; of one that came often, the last."""
    sent: dict[str, list[str]] = {}

    def forget(connection: Any) -> None:
        if connection.get_execution_options().get("portal_writes"):
            sent[request.endpoint or ""] = []

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if connection.get_execution_options().get("portal_writes") and "FOR UPDATE" not in statement:
            sent[request.endpoint or ""].append(" ".join(statement.split()[:3]))

    event.listen(Engine, "begin", forget)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "begin", forget)
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.slow
def test_a_lesson_and_an_answer_read_what_may_change_and_no_more(serving: Flask) -> None:
    make_version()
    client = PortalClient(serving)
    learner(client)

    with locked_statements() as sent:
        answer_all(client, begin(client), correct=4)

    assert sent["learning.complete_lesson"] == ["INSERT INTO lesson_visit"]
    reading, *writing = sent["assessment.save_answer"]
    assert reading.startswith("SELECT submission.attempt_id,")
    assert writing == ["INSERT INTO response"]


@pytest.mark.slow
def test_who_begins_a_module_reads_only_what_their_status_follows_from(serving: Flask) -> None:
    version = make_version()
    under_none, first, second = (learner_at_lesson(serving, f"D100{number}") for number in (1, 2, 3))

    assert sent_for_next(*under_none) == [*BEGINNING, "SELECT post.id", "SELECT assignment.id"]

    require(make_directive(), {1: db.session.get_one(ModuleVersion, version).activity_id})
    sent_for_next(*first)  # reads the new rules, too
    reading = [*BEGINNING, "SELECT post.id", "SELECT assignment.id", *LEARNING, "SELECT status_period.id"]
    assert sent_for_next(*second)[: len(reading)] == reading


def learner_at_lesson(app: Flask, staff_number: str) -> tuple[PortalClient, Page]:
    """A learner who reads the first lesson of a module that they have not begun."""
    client = PortalClient(app)
    learner(client, staff_number)
    return client, client.page("/learning/modules/protect/lessons/lesson-1")


def sent_for_next(client: PortalClient, page: Page) -> list[str]:
    """What was sent under the lock as the learner marked the lesson complete."""
    with locked_statements() as sent:
        client.press(page, NEXT)
    statements = sent["learning.complete_lesson"]
    return [each.partition(",")[0] for each in statements if "advisory" not in each]


@pytest.mark.slow
def test_a_decision_in_a_case_reads_what_may_change_and_no_more(serving: Flask, tmp_path: Path) -> None:
    publish_case(tmp_path / "modules", "scenario")
    client = PortalClient(serving)
    learner(client)
    page = decide(client, client.page(CASE), "Open the doors")

    with locked_statements() as sent:
        client.press(page, "Go back one scene", back="y")

    reading, *writing = sent["learning.save_case_step"]
    assert reading.startswith("SELECT case_run.id,")
    assert writing == ["INSERT INTO case_step"]
