"""Fifty clicks at the same instant, and one officer's whole way, where writers really wait for each other."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, request
from sqlalchemy import Connection, Engine, event, func, select

from portal.domain.assessment.models import Attempt, Submission
from portal.domain.records.models import LessonVisit, PassRecord, Record, Registration
from portal.platform.db import db
from tests.factories.catalogue import make_version
from tests.page_reading import PortalClient
from tests.pages.account.browsing import make_account, sign_in
from tests.pages.learning.asking import ask
from tests.pages.learning.working import answer_all, begin, learner, read_lessons
from tests.waiting import PATIENCE

CLICKS = 50


def at_once(app: Flask, client: PortalClient, send: Callable) -> list:
    """What fifty browsers of one session were answered when all sent together."""
    answers: list = []
    gate = threading.Barrier(CLICKS, timeout=PATIENCE)

    def click() -> None:
        browser = app.test_client()
        browser._cookies = dict(client._cookies)
        gate.wait()
        answers.append(send(browser))

    threads = [threading.Thread(target=click) for _ in range(CLICKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == CLICKS
    return answers


def count_rows(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


@pytest.mark.slow
def test_fifty_submissions_are_one_submission_and_one_pass(serving):
    make_version()
    ask("protect")
    client = PortalClient(serving)
    learner(client)
    check = answer_all(client, begin(client), correct=4)
    form = check.form_with("Submit answers")

    answers = at_once(serving, client, lambda browser: browser.post(form.action, data=form.fields))

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    assert (count_rows(Submission), count_rows(Record), count_rows(PassRecord)) == (1, 1, 1)


@pytest.mark.slow
def test_fifty_starts_are_one_attempt(serving):
    make_version()
    client = PortalClient(serving)
    learner(client)
    form = read_lessons(client).form_with("Start assessment")

    answers = at_once(serving, client, lambda browser: browser.post(form.action, data=form.fields))

    assert {answer.status_code for answer in answers} == {303}
    assert len({re.search(r"[0-9a-f-]{36}", answer.location)[0] for answer in answers}) == 1
    assert count_rows(Attempt) == 1


@pytest.mark.slow
def test_fifty_starts_and_openings_are_one_registration_and_one_visit(serving):
    make_version()
    client = PortalClient(serving)
    learner(client)
    form = next(
        form for form in client.page("/learning/modules/protect").forms() if "registrations" in form.action
    )

    starts = at_once(serving, client, lambda browser: browser.post(form.action, data=form.fields))
    openings = at_once(serving, client, lambda browser: browser.get(starts[0].location))

    assert {answer.location for answer in starts} == {"/learning/modules/protect/lessons/lesson-1"}
    assert {answer.status_code for answer in openings} == {200}
    assert (count_rows(Registration), count_rows(LessonVisit)) == (1, 1)


@contextmanager
def write_transactions() -> Iterator[Counter[str]]:
    """How many were committed in the block, by the method and endpoint of the request."""
    committed = Counter[str]()

    def note(connection: Connection) -> None:
        if connection.get_execution_options().get("portal_writes"):
            committed[f"{request.method} {request.endpoint}"] += 1

    event.listen(Engine, "commit", note)
    try:
        yield committed
    finally:
        event.remove(Engine, "commit", note)


@pytest.mark.slow
def test_an_officers_whole_way_takes_one_write_transaction_for_each_act(serving):
    """What only shows a page writes nothing, so that at a busy hour nobody waits for more than they do."""
    make_version()
    ask("protect")
    make_account("D1001")
    client = PortalClient(serving)

    with write_transactions() as committed:
        page = client.press(sign_in(client), "Start: Protect, lesson 1 – Lesson called 1About 5 minutes")
        page = client.press(read_lessons(client), "Start assessment")
        page = client.press(answer_all(client, page, 4), "Submit answers")

    assert page.h1 == "You passed"
    assert Counter(db.session.scalars(select(LessonVisit.kind))) == {"opened": 2, "completed": 2}
    assert committed == {
        "POST sign_in.sign_in": 1,
        "POST learning.start_module": 1,
        "POST learning.complete_lesson": 2,
        "POST learning.start_assessment": 1,
        "POST assessment.save_answer": 4,
        "POST assessment.submit_attempt": 1,
    }
