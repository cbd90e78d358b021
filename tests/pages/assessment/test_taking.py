"""An assessment as a learner meets it, page by page."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.records.models import PassRecord, Record
from portal.platform.db import db
from tests.factories.catalogue import RIGHT, make_version
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.assessment.choosing import ticked_labels, values_of_keys
from tests.pages.learning.asking import ask
from tests.pages.learning.working import (
    answer_all,
    attempt_base,
    begin,
    items_of,
    learner,
    read_lessons,
    take,
)


def count_rows(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


@pytest.mark.parametrize(
    ("correct", "heading", "passes"),
    [(4, "You passed", 1), (3, "You passed", 1), (2, "You did not pass", 0), (0, "You did not pass", 0)],
)
def test_mastery_decides_the_pass(client, correct, heading, passes):
    make_version(draw=4, mastery="0.75")
    person = learner(client)

    page = take(client, correct)

    assert page.h1 == heading
    assert count_rows(PassRecord) == passes
    assert [r.person_id for r in db.session.scalars(select(Record))] == [person] * passes


def test_a_new_attempt_leads_straight_to_its_first_question_and_one_under_way_to_where_it_stands(client):
    make_version()
    learner(client)
    start = read_lessons(client).form_with("Start assessment")

    first = client.post(start.action, data=start.fields)
    page = client.page(first.location)
    client.press(page, "Save and continue", choice=values_of_keys(page, *_first_item(page)))
    again = client.post(start.action, data=start.fields)

    assert first.location == f"{attempt_base(page)}/items/1"
    assert again.location == attempt_base(page)
    assert client.get(again.location).location == f"{attempt_base(page)}/items/2"


def _first_item(page):
    item = items_of(attempt_base(page))[0]
    return item, RIGHT[item.kind]


def test_a_pass_shows_its_reference_and_leads_to_its_record(client):
    make_version()
    learner(client)

    page = take(client, 3)

    reference = db.session.scalars(select(Record.reference)).one()
    assert re.fullmatch(r"OIC-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]", reference)
    assert reference in page.text
    assert "3 of 4 (75%). The pass mark is 75%." in page.text
    record = client.page(page.links["View or print your record"])
    assert "Priya Shah" in record.h1
    assert reference in record.text


def test_an_item_asks_one_question_and_gives_no_answer_away(client):
    make_version(draw=6)
    learner(client)
    page = begin(client)
    base = attempt_base(page)

    for number, item in enumerate(items_of(base), start=1):
        page = client.page(f"{base}/items/{number}")
        assert page.h1.startswith(f"Prompt {item.position} of")
        assert f"Question {number} of 6" in page.text
        several = item.kind == "multiple"
        assert ("Select all that apply" if several else "Select one") in page.text
        assert len(page.all("input", type="checkbox" if several else "radio")) == 4
        for secret in ("Feedback", "Explanation", "correct", "outcome"):
            assert secret not in page.html


def test_saving_without_a_choice_is_an_error_that_leads_to_the_first_choice(client):
    make_version()
    learner(client)
    page = begin(client)

    page = client.press(page, "Save and continue")

    assert page.title.startswith("Error: ")
    assert page.links["Select an answer"] == "#choice"
    assert count_rows(Response) == 0


def test_choices_that_the_question_does_not_offer_are_refused(client):
    make_version(items=2, draw=1)  # both of kind single
    learner(client)
    page = begin(client)

    for choice in (["c.9"], ["c.1", "c.9"], ["c.1", "c.2"]):
        assert client.press(page, "Save and continue", choice=choice).title.startswith("Error: ")
    assert count_rows(Response) == 0


def test_an_unanswered_question_stands_first_and_stops_the_submission(client):
    make_version()
    learner(client)
    page = begin(client)
    base = attempt_base(page)
    for number in (1, 3, 4):
        item = items_of(base)[number - 1]
        page = client.page(f"{base}/items/{number}")
        client.press(page, "Save and continue", choice=values_of_keys(page, item, RIGHT[item.kind]))

    page = client.page(f"{base}/check")
    assert page.h1 == "Check your answers"
    assert "1 question still to answer" in page.text
    assert page.text.index("Question 2") < page.text.index("Question 1")
    page = client.press(page, "Submit answers")

    assert page.h1 == "Check your answers"
    assert "Still to answer: 2." in page.text
    assert count_rows(Submission) == 0
    assert "All 4 answered" in answer_all(client, page, 4).text


def test_going_back_keeps_the_choice_and_the_last_saving_counts(client):
    make_version()
    learner(client)
    page = answer_all(client, begin(client), correct=4)
    base = attempt_base(page)
    first = client.page(f"{base}/items/1?from=check")
    item = items_of(base)[0]
    right = RIGHT[item.kind]
    assert sorted(text.split()[1] for text in ticked_labels(first)) == right

    page = client.press(first, "Save and continue", choice=values_of_keys(first, item, ["d"]))
    assert page.h1 == "Check your answers"
    client.press(
        client.page(f"{base}/items/1"), "Save and continue", choice=values_of_keys(first, item, right)
    )
    page = client.press(client.page(f"{base}/check"), "Submit answers")

    assert "4 of 4" in page.text
    assert count_rows(Response) == 6  # each saving is a row


def test_saving_the_same_choice_again_writes_nothing(client):
    make_version()
    learner(client)
    page = begin(client)
    item = items_of(attempt_base(page))[0]
    choice = values_of_keys(page, item, RIGHT[item.kind])

    client.press(page, "Save and continue", choice=choice)
    client.press(page, "Save and continue", choice=choice)

    assert count_rows(Response) == 1


def test_two_windows_share_one_attempt(app, client):
    make_version()
    learner(client)
    begin(client)
    second = another(app)
    let_in(second)

    page = second.page("/learning/modules/protect")
    assert "Continue assessment" in page.links
    token = client.page("/learning").all("input", name="csrf_token")[0].get("value")
    for _ in range(2):
        again = client.post("/learning/modules/protect/assessment", data={"csrf_token": token})
        assert again.status_code == 303

    assert count_rows(Attempt) == 1


def test_a_second_submission_shows_the_same_outcome(client):
    make_version()
    learner(client)
    check = answer_all(client, begin(client), correct=4)

    first = client.press(check, "Submit answers")
    second = client.press(check, "Submit answers")

    assert first.h1 == second.h1 == "You passed"
    assert (count_rows(Submission), count_rows(PassRecord), count_rows(Record)) == (1, 1, 1)


def test_an_answer_sent_after_the_submission_is_told_so(client):
    make_version()
    learner(client)
    first_question = begin(client)
    client.press(answer_all(client, first_question, correct=0), "Submit answers")

    page = client.press(first_question, "Save and continue", status=409, choice=["c.1"])

    assert page.h1 == "These answers were already submitted"
    assert client.page(page.links["See the outcome"]).h1 == "You did not pass"
    assert client.page(f"{attempt_base(page)}/items/1").h1 == "You did not pass"


def test_an_attempt_of_someone_else_is_not_there(app, client):
    make_version()
    learner(client)
    base = attempt_base(begin(client))
    other = another(app)
    make_account("D1002")
    let_in(other, "D1002")

    token = other.page("/learning").all("input", name="csrf_token")[0].get("value")
    for path in ("", "/items/1", "/check", "/outcome", "/answers"):
        other.page(f"{base}{path}", status=404)
    for path in ("/items/1", "/submission"):
        assert other.post(f"{base}{path}", data={"csrf_token": token, "choice": "c.1"}).status_code == 404
    other.page(f"/assessment/{uuid4()}/items/1", status=404)
    client.page(f"{base}/items/99", status=404)
    assert count_rows(Response) == 0


def test_a_fail_names_outcomes_and_lessons_and_never_what_was_right(client):
    make_version(draw=6)
    learner(client)

    page = take(client, 0)

    assert page.h1 == "You did not pass"
    assert "Outcome one" in page.text
    assert (
        page.links["Lesson 1, Lesson called 1About 5 minutes"] == "/learning/modules/protect/lessons/lesson-1"
    )
    mine = client.page(page.links["See what you answered"])
    assert "your answer" in mine.text
    for secret in ("Feedback", "Explanation", "– right"):
        assert secret not in mine.html


def test_after_a_pass_the_answers_are_explained(client):
    make_version()
    learner(client)

    page = take(client, 3)
    mine = client.page(page.links["See your answers and why each is right"])

    assert "Explanation" in mine.text
    assert "Feedback" in mine.text
    assert "– right" in mine.text


def test_a_retry_after_a_fail_asks_what_was_not_asked_before(client):
    make_version(items=12, draw=6, at_least=0)
    learner(client)

    page = take(client, 0)
    before = {item.id for item in items_of(attempt_base(page))}
    page = client.press(page, "Try again")

    assert before.isdisjoint(item.id for item in items_of(attempt_base(page)))


def test_the_number_of_attempts_is_a_limit(client):
    make_version(attempts=1)
    ask("protect")
    learner(client)

    page = take(client, 0)

    assert "You have used every attempt" in page.text
    token = page.all("input", name="csrf_token")[0].get("value")
    client.post("/learning/modules/protect/assessment", data={"csrf_token": token})
    assert count_rows(Attempt) == 1
    page = client.page("/learning")
    assert "Every attempt used, your line manager can open one more" in page.text
    assert not any("Take the assessment" in button for form in page.forms() for button in form.buttons)


def test_one_waits_after_a_fail(client, time_machine):
    time_machine.move_to("2026-03-02T09:00:00+00:00", tick=False)
    make_version(wait_minutes=30)
    learner(client)

    page = take(client, 0)

    assert "You can try again from 09:30 on 2 March 2026." in page.text
    token = page.all("input", name="csrf_token")[0].get("value")
    client.post("/learning/modules/protect/assessment", data={"csrf_token": token})
    assert count_rows(Attempt) == 1
    time_machine.move_to("2026-03-02T09:30:01+00:00", tick=False)
    client.press(client.page(f"{attempt_base(page)}/outcome"), "Try again")
    assert count_rows(Attempt) == 2
