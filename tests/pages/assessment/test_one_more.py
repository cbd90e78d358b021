"""One more attempt, opened to somebody who used every one: who may, what it does, and what it leaves."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from portal.domain.assessment.errors import AttemptsRemainError
from portal.domain.assessment.models import Attempt
from portal.domain.assessment.services import open_extra_attempt
from portal.domain.people.models import PersonName
from portal.domain.people.models import Post as UnitOf
from portal.domain.records.models import ExtraAttempt, Registration
from portal.platform.audit import AuditEvent
from portal.platform.db import db, stamp, transaction
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_unit
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.learning.asking import ask
from tests.pages.learning.working import answer_all, learner, take

ROAD = "/people/D1001/attempts"
MODULE = "/learning/modules/protect"


def count_rows(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def day(time_machine):
    time_machine.move_to("2026-03-02T09:00:00+00:00", tick=False)
    return time_machine


@pytest.fixture
def failed(client, day):
    """A learner who used the one attempt of a module."""
    make_version(attempts=1)
    ask("protect")
    learner(client)
    return take(client, 0)


def sign_in_manager(app, role="manager", staff_number="D2001", *, sees=True):
    """Somebody with a role over the learner's unit, or over another; an author has no unit."""
    unit = make_unit("Elsewhere")
    if sees:
        unit = db.session.scalars(select(UnitOf.unit_id).where(UnitOf.person_id == person("D1001"))).one()
    make_grant(make_account(staff_number), role, None if role == "author" else unit)
    client = another(app)
    let_in(client, staff_number)
    return client


def person(staff_number: str) -> int:
    return db.session.scalars(
        select(PersonName.person_id).where(PersonName.staff_number == staff_number)
    ).one()


def open_attempt(client, reason="prepared"):
    page = client.page(client.page("/people/D1001").links["Open one more attempt"])
    return client.press(page, "Open one more attempt", module="protect", reason=reason)


@pytest.mark.slow
def test_a_manager_opens_one_and_the_learner_passes_with_it(app, client, failed):
    assert "Every attempt used, your line manager can open one more" in client.page("/learning").text
    manager = sign_in_manager(app)

    page = open_attempt(manager)

    assert "One more attempt at Protect is open for Priya Shah." in page.text
    words = "One more attempt at Protect was opened by Priya Shah: has gone through the lessons again"
    assert words in page.text
    assert "Attempts used up" not in page.text
    assert words in client.page("/records").text
    mine = client.page(MODULE)
    assert "One more attempt was opened for you on 2 March 2026." in mine.text
    assert "You have 1 attempt left." in mine.text
    assert "your line manager can open" not in client.page("/learning").text
    mine = client.press(answer_all(client, client.press(mine, "Start assessment"), 4), "Submit answers")
    assert mine.h1 == "You passed"
    (fact,) = db.session.scalars(select(ExtraAttempt)).all()
    assert (fact.opened_by_id, fact.reason, fact.opened_on) == (person("D2001"), "prepared", date(2026, 3, 2))
    (noted,) = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "attempt.opened")).all()
    assert (noted.actor_id, noted.subject_id) == (person("D2001"), person("D1001"))
    assert noted.detail == {"module": "protect", "reason": "prepared"}


@pytest.mark.slow
def test_twice_on_a_day_is_once_and_the_next_day_another(app, client, failed, day):
    manager = sign_in_manager(app)
    page = manager.page(ROAD)
    manager.press(page, "Open one more attempt", module="protect", reason="prepared")

    answer = manager.press(page, "Open one more attempt", module="protect", reason="other")

    assert "One more attempt at Protect was opened already today for Priya Shah." in answer.text
    assert count_rows(ExtraAttempt) == 1
    day.move_to("2026-03-03T00:30:00+00:00", tick=False)
    let_in(client, "D1001")
    let_in(manager, "D2001")
    answer = manager.press(manager.page("/people/D1001"), "Show position")
    assert "Attempts used up" not in answer.text
    assert "You cannot open an attempt" in manager.page(ROAD).text
    token = answer.all("input", name="csrf_token")[0].get("value")
    sent = {"csrf_token": token, "module": "protect", "reason": "other"}
    answer = manager.page(manager.post(ROAD, data=sent).location)
    assert "No attempt was opened" in answer.text  # the first is still to be taken
    failing = client.press(client.page(MODULE), "Start assessment")
    failing = client.press(answer_all(client, failing, 0), "Submit answers")
    assert "Your line manager can open one more" in failing.text
    open_attempt(manager, "disturbed")
    assert count_rows(ExtraAttempt) == 2
    assert "opened for you on 3 March 2026" in client.page(MODULE).text


@pytest.mark.slow
def test_the_outcome_page_tells_of_the_attempt_that_was_opened(app, client, failed):
    open_attempt(sign_in_manager(app))

    page = client.page(client.page(MODULE).links["See which lessons to go over again"])

    assert "One more attempt was opened for you on 2 March 2026." in page.text
    client.press(page, "Try again")
    assert count_rows(Attempt) == 2


def test_a_reason_and_a_module_are_asked_for(app, failed):
    manager = sign_in_manager(app)

    page = manager.press(manager.page(ROAD), "Open one more attempt")

    assert page.title.startswith("Error: ")
    assert page.links["Select why one more attempt is opened"] == "#reason"
    assert page.links["Select a module"] == "#module"
    assert count_rows(ExtraAttempt) == 0


def test_whom_one_does_not_see_is_not_there(app, failed):
    sign_in_manager(app, sees=False).page(ROAD, status=404)
    other = sign_in_manager(app, "auditor", "D2002")
    assert "Open one more attempt" not in other.page("/people/D1001").links
    other.page(ROAD, status=403)


@pytest.mark.slow
def test_an_author_who_sees_the_person_may_open_one(app, failed):
    author = sign_in_manager(app, "author", "D3001")
    author.page(ROAD, status=404)
    make_grant(person("D3001"), "directive-owner", None)
    author = another(app)
    let_in(author, "D3001")

    open_attempt(author)

    assert count_rows(ExtraAttempt) == 1


def test_nobody_opens_one_for_themselves(app, client, failed):
    unit = db.session.scalars(select(UnitOf.unit_id).where(UnitOf.person_id == person("D1001"))).one()
    make_grant(person("D1001"), "manager", unit)
    me = another(app)
    let_in(me, "D1001")

    page = me.page(ROAD)

    assert "You cannot open an attempt for yourself." in page.text
    token = page.all("input", name="csrf_token")[0].get("value")
    me.post(ROAD, data={"csrf_token": token, "module": "protect", "reason": "prepared"})
    assert count_rows(ExtraAttempt) == 0


def test_nothing_is_opened_to_those_who_need_none(client, day):
    make_version()  # no limit
    learner(client)
    take(client, 0)
    (registration,) = db.session.scalars(select(Registration)).all()
    other = make_account("D2001")

    for one in (registration, None):
        with pytest.raises(AttemptsRemainError), transaction():
            open_extra_attempt(one, by=other, reason="other", at=stamp())

    client.press(client.page(MODULE), "Start assessment")
    with pytest.raises(AttemptsRemainError), transaction():
        open_extra_attempt(registration, by=other, reason="other", at=datetime(2026, 3, 2, tzinfo=UTC))
