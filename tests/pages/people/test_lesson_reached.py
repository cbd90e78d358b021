"""A person's page says how far a module under way is, and only for today's position."""

import pytest

from portal.domain.accounts.services import set_password
from portal.platform import clock
from portal.platform.db import transaction
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.account.browsing import PASSWORD, another, let_in
from tests.pages.learning.asking import ask
from tests.pages.learning.working import NEXT, begin, learner, read_lessons, take


@pytest.fixture
def manager(app, client, time_machine):
    """A learner of whom two modules are asked is signed in at ``client``; this is the auditor's browser."""
    time_machine.move_to("2026-03-02T09:00:00+00:00", tick=False)
    make_version(lessons=7)
    make_version("respond", lessons=3)
    ask("protect", "respond")
    learner(client)
    auditor = make_person(make_unit("Audit"), staff_number="D6001", role="audit")
    make_grant(auditor, "auditor")
    with transaction():
        set_password(auditor, PASSWORD, clock.now())
    browser = another(app)
    let_in(browser, "D6001")
    return browser


def test_the_lesson_reached_of_all_lessons(client, manager):
    assert "lesson" not in manager.page("/people/D1001").text.casefold().split("what happened")[0]

    page = client.page("/learning/modules/protect/lessons/lesson-1")
    for _ in range(4):
        page = client.press(page, NEXT)

    said = manager.page("/people/D1001").text
    assert "Started on 2 March 2026 · lesson 5 of 7 · about 17 minutes left" in said
    assert said.count(" of 7 ") == 1


@pytest.mark.slow
def test_every_lesson_read_and_then_passed(client, manager):
    begin(client)
    assert "every lesson complete" in manager.page("/people/D1001").text

    take(client, 4, "respond")
    assert "of 3" not in manager.page("/people/D1001").text


def test_a_past_position_does_not_tell_of_lessons(client, manager, time_machine):
    read_lessons(client, "respond")
    time_machine.move_to("2026-03-05T09:00:00+00:00", tick=False)
    let_in(manager, "D6001")

    assert "every lesson complete" in manager.page("/people/D1001").text
    assert "every lesson" not in manager.page("/people/D1001?as_at=2026-03-03").text
