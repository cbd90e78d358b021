"""Officers who save answers read little while others wait to save: SQLite has one lock for all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import Engine, event

from tests.factories.catalogue import make_version
from tests.page_reading import PortalClient
from tests.pages.learning.test_cases import CASE, decide, publish_case
from tests.pages.learning.working import answer_all, begin, learner


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
