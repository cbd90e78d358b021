"""The pause after several fails: what the learner reads, what the manager sees, and what ends it."""

import pytest
from sqlalchemy import func, select

from portal.domain.assessment.models import Response
from portal.domain.records.models import LessonVisit
from portal.platform.db import db
from tests.factories.catalogue import make_version
from tests.pages.account.browsing import let_in
from tests.pages.assessment.test_one_more import sign_in_manager
from tests.pages.learning.asking import ask
from tests.pages.learning.working import answer_all, learner, take

MODULE = "/learning/modules/protect"
AGAIN = "You can try again from 09:00 on 3 March 2026."


def fail_again(client):
    page = client.press(client.page(MODULE), "Start assessment")
    return client.press(answer_all(client, page, 0), "Submit answers")


def count(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


@pytest.mark.slow
def test_three_fails_are_a_pause_that_the_manager_may_end(app, client, time_machine):
    time_machine.move_to("2026-03-02T09:00:00+00:00", tick=False)
    make_version(pause=(3, 24))
    ask("protect")
    learner(client)
    take(client, 0)
    assert "You can try again now." in fail_again(client).text
    manager = sign_in_manager(app)
    assert manager.page("/people/help-needed").h1 == "No assessment needs your help"

    third = fail_again(client)
    kept = count(Response), count(LessonVisit)

    for page in (third, client.page(MODULE)):
        assert AGAIN in page.text
        assert "You have tried 3 times, so there is a pause." in page.text
        assert "can open an attempt for you before it ends" in page.text
    assert "Assessment to take again from 09:00 on 3 March 2026" in client.page("/learning").text
    assert "Start assessment" not in client.page(MODULE).text

    desk = manager.page(manager.page("/people").links["Who needs help with an assessment"])
    assert desk.h1 == "1 assessment needs your help"
    assert "Shah, Priya" in desk.text
    assert "09:00 on 3 March 2026" in desk.text
    assert "Protect can be tried again from 09:00 on 3 March 2026." in manager.page("/people/D1001").text
    page = manager.page("/people/D1001/attempts")
    opened = manager.press(page, "Open one more attempt", module="protect", reason="prepared")
    assert "One more attempt at Protect is open for Priya Shah." in opened.text
    assert manager.page("/people/help-needed").h1 == "No assessment needs your help"

    assert (count(Response), count(LessonVisit)) == kept
    page = client.press(client.page(MODULE), "Start assessment")
    assert client.press(answer_all(client, page, 4), "Submit answers").h1 == "You passed"


@pytest.mark.slow
def test_a_pause_ends_by_itself_and_the_list_leaves_out_whom_one_may_not_see(app, client, time_machine):
    time_machine.move_to("2026-03-02T09:00:00+00:00", tick=False)
    make_version(pause=(1, 2))
    ask("protect")
    learner(client)
    take(client, 0)
    assert "11:00 on 2 March 2026" in sign_in_manager(app).page("/people/help-needed").text
    stranger = sign_in_manager(app, staff_number="D3001", sees=False)
    assert stranger.page("/people/help-needed").h1 == "No assessment needs your help"
    assert client.get("/people/help-needed").status_code == 403

    time_machine.move_to("2026-03-02T11:00:01+00:00", tick=False)
    let_in(client, "D1001")

    assert "You have tried 2 times, so there is a pause." in fail_again(client).text
