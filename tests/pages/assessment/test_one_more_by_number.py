"""One more attempt that an author opens by staff number, without sight of the person."""

from datetime import date

import pytest
from sqlalchemy import func, select

from portal.domain.people.models import PersonName
from portal.domain.records.models import ExtraAttempt
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant
from tests.limits import reset_limits
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.learning.working import answer_all, learner, take

PAGE = "/authoring/protect/attempts"
BUTTON = "Open one more attempt"
REFUSED = (
    "No attempt at Protect was opened. Either nobody has the staff number {}, or that person has an attempt"
    " left or has passed. Their line manager can see which."
)


@pytest.fixture
def failed(client, time_machine):
    """A learner who used the one attempt of a module, on 2 March 2026."""
    time_machine.move_to("2026-03-02T09:00:00+00:00", tick=False)
    make_version(attempts=1)
    learner(client)
    return take(client, 0)


@pytest.fixture
def author(app, failed):
    """An author, who sees nobody, signed in."""
    holder = make_account("D3001")
    make_grant(holder, "author")
    with transaction():
        row = db.session.get_one(PersonName, holder)
        row.forenames, row.surname = "Carys", "Rees"
    client = another(app)
    let_in(client, "D3001")
    return client


def submit_number(client, number, reason="prepared"):
    return client.press(client.page(PAGE), BUTTON, staff_number=number, reason=reason)


def page_messages(page) -> str:
    return " ".join("".join(each.itertext()) for each in page.all("div", class_="govuk-notification-banner"))


def count_extra_attempts() -> int:
    return db.session.scalar(select(func.count()).select_from(ExtraAttempt))


def make_person_with_number(staff_number: str) -> int:
    return db.session.scalars(
        select(PersonName.person_id).where(PersonName.staff_number == staff_number)
    ).one()


def audit_events(action):
    rows = db.session.scalars(select(AuditEvent).where(AuditEvent.action == action)).all()
    return [(row.actor_id, row.subject_id, row.detail) for row in rows]


def test_an_author_without_sight_opens_one_and_the_learner_passes_with_it(client, author):
    page = author.page(author.page("/authoring/protect").links[BUTTON])
    assert "This module allows 1 attempt." in page.text

    page = author.press(page, BUTTON, staff_number=" D1001 ", reason="disturbed")

    assert "One more attempt at Protect was opened today for D1001." in page.text
    mine = client.page("/learning/modules/protect")
    assert "You have 1 attempt left." in mine.text
    mine = client.press(answer_all(client, client.press(mine, "Start assessment"), 4), "Submit answers")
    assert mine.h1 == "You passed"
    (fact,) = db.session.scalars(select(ExtraAttempt)).all()
    assert (fact.opened_by_id, fact.reason, fact.opened_on) == (
        make_person_with_number("D3001"),
        "disturbed",
        date(2026, 3, 2),
    )
    detail = {"module": "protect", "reason": "disturbed"}
    assert audit_events("attempt.opened") == [
        (make_person_with_number("D3001"), make_person_with_number("D1001"), detail)
    ]


def test_the_page_and_its_answer_tell_nothing_of_the_person(author):
    page = submit_number(author, "D1001")

    for told in ("Shah", "Priya", "0%", "2 March", "submitted", "Lesson called"):
        assert told not in page.text
    assert "This page shows you nothing about the person" in page.text
    author.page("/people/D1001", status=403)
    author.page("/people/D1001/attempts", status=404)


@pytest.mark.slow
def test_one_sentence_stands_for_every_reason_why_nothing_was_opened(app, author, time_machine):
    make_account("D1002")  # began nothing
    other = another(app)
    learner(other, "D1003")
    take(other, 4)  # passed
    submit_number(author, "D1001")  # has one left from now on
    time_machine.move_to("2026-03-03T09:00:00+00:00", tick=False)
    let_in(author, "D3001")

    for number in ("NOBODY", "D1001", "D1002", "D1003"):
        page = submit_number(author, number)
        assert REFUSED.format(number) in page.text, number

    assert count_extra_attempts() == 1
    assert audit_events("attempt.not_opened") == [
        (make_person_with_number("D3001"), subject, {"module": "protect"})
        for subject in (
            None,
            make_person_with_number("D1001"),
            make_person_with_number("D1002"),
            make_person_with_number("D1003"),
        )
    ]


def test_twice_on_a_day_is_once_and_reads_alike(author):
    first = submit_number(author, "D1001")

    second = submit_number(author, "D1001", reason="other")

    assert page_messages(first).split() == page_messages(second).split() != []
    assert count_extra_attempts() == 1


def test_an_author_opens_none_for_themselves(author):
    page = submit_number(author, "D3001")

    assert "you cannot open one for yourself" in page.text
    assert count_extra_attempts() == 0


def test_a_number_and_a_reason_are_asked_for(author):
    page = author.press(author.page(PAGE), BUTTON)

    assert page.title.startswith("Error: ")
    assert page.links["Enter a staff number"] == "#staff_number"
    assert page.links["Select the reason"] == "#reason"
    assert count_extra_attempts() == 0
    page = author.press(author.page(PAGE), BUTTON, staff_number="D1\x00001", reason="prepared")
    assert "opened today for D1001." in page.text  # what no number can hold is left out


@pytest.mark.slow
def test_numbers_cannot_be_tried_without_end_in_whichever_process(author):
    page = author.page(PAGE)
    token = page.form_with(BUTTON).fields["csrf_token"][0]
    sent = {"csrf_token": token, "staff_number": "NOBODY", "reason": "other"}

    codes = []
    for _ in range(31):
        reset_limits()  # another process remembers nothing of the earlier ones
        codes.append(author.post(PAGE, data=sent).status_code)

    assert codes == [303] * 30 + [429]
    assert author.page(PAGE).h1 == BUTTON  # reading it is not trying


def test_managers_and_publishers_have_no_such_page(app, failed):
    for number, role in (("D2001", "manager"), ("D3002", "publisher"), ("D6001", "auditor")):
        make_grant(make_account(number), role)
        client = another(app)
        let_in(client, number)
        client.page(PAGE, status=403)
    publisher = another(app)
    let_in(publisher, "D3002")
    assert BUTTON not in publisher.page("/authoring/protect").links


def test_an_unpublished_module_has_none(author):
    author.page("/authoring/nothing/attempts", status=404)


def test_the_statistics_lead_there(author):
    page = author.page("/authoring/protect/statistics")

    assert page.links["Open one more attempt for someone who has used all of theirs"] == PAGE
