"""Spaced recall: asked a week after a pass, marked at once, and known to nobody but the learner."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import delete, insert, select

from portal.domain.catalogue.models import Item, ModuleVersion
from portal.domain.people.models import PersonName
from portal.domain.records.models import Record, Revocation
from portal.features.recall.models import RecallOptOut, RecallReview
from portal.platform.clock import noon
from portal.platform.db import Base, db, transaction
from tests.domain.status.facts import add
from tests.factories.catalogue import RIGHT, WRONG, make_version
from tests.factories.people import make_grant, make_unit
from tests.page_reading import Page, words
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.learning.asking import ask
from tests.pages.learning.working import begin, learner, take
from tests.pages.monitoring.counting import statements

PASSED = datetime(2026, 6, 1, 12, tzinfo=UTC)
CARD = "Do you still know it?"
RECALL = "/learning/recall/protect"


@contextmanager
def days_later(client, days: int, number: str = "D1001") -> Iterator[None]:
    """So many days after the pass, signed in anew."""
    with time_machine.travel(PASSED + timedelta(days=days), tick=False):
        let_in(client, number)
        yield


@pytest.fixture
def passed(client) -> int:
    """D1001 passed version 1 of Protect on 1 June 2026; returns the person's id."""
    with time_machine.travel(PASSED, tick=False):
        make_version(items=12)
        person = learner(client)
        take(client, 4)
    return person


def items_asked(page: Page) -> list[Item]:
    """The items of the page of questions, in its order."""
    version = db.session.scalar(select(ModuleVersion.id).order_by(ModuleVersion.id.desc()))
    items = db.session.scalars(select(Item).where(Item.module_version_id == version))
    by_number = {str(item.position): item for item in items}
    prompts = [words(element) for element in page.all("legend")]
    return [by_number[text.split("Prompt ")[1].split(" ")[0]] for text in prompts if "Prompt " in text]


def answer(client, page: Page, right: int, status: int = 200) -> Page:
    """Answer the questions, the first ``right`` of them right."""
    fields = {}
    for number, item in enumerate(items_asked(page), 1):
        keys = (RIGHT if number <= right else WRONG)[item.kind]
        texts = {f"Choice {key} & item {item.position}" for key in keys}
        field = f"question-{number}"
        labels = {label.get("for"): words(label) for label in page.all("label")}
        inputs = [box for box in page.all("input") if box.get("name") == field]
        fields[field] = [box.get("value") for box in inputs if labels[box.get("id")] in texts]
    return client.press(page, "Check my answers", status, **fields)


def reviews() -> list[RecallReview]:
    return list(db.session.scalars(select(RecallReview).order_by(RecallReview.id)))


@pytest.mark.slow
def test_three_questions_a_week_after_the_pass_and_again_later(client, passed):
    with days_later(client, 6):
        assert CARD not in client.page("/learning").text
        assert "From 8 June 2026" in client.page("/learning/recall").text
        assert client.page(RECALL).h1 == "Questions to keep what you learnt"

    with days_later(client, 7):
        assert CARD in client.page("/learning").text
        page = client.page(RECALL)
        first = {item.key for item in items_asked(page)}
        result = answer(client, page, 2)
        assert CARD not in client.page("/learning").text

    assert result.h1 == "You knew 2 of 3"
    assert result.text.count("you were right") == 2
    assert result.text.count("not this time") == 1
    assert result.text.count("– your answer") >= 3
    assert "Lesson called 1" in result.links
    rows = reviews()
    assert [(row.person_id, row.number, row.correct) for row in rows] == [
        (passed, 1, True),
        (passed, 1, True),
        (passed, 1, False),
    ]
    assert {row.item_key for row in rows} == first
    due_on = next(word for word in result.text.split("come on ")[1:])[:14].rstrip(".")
    with days_later(client, 90):
        assert date(2026, 6, 15).strftime("%-d %B %Y") <= due_on
        again = client.page(RECALL)
        assert not first & {item.key for item in items_asked(again)}
        assert answer(client, again, 3).h1 == "You knew 3 of 3"
    assert [row.number for row in reviews()] == [1, 1, 1, 2, 2, 2]


def test_a_question_left_out_is_asked_for_and_nothing_is_stored(client, passed):
    with days_later(client, 7):
        page = client.press(client.page(RECALL), "Check my answers", **{"question-1": "c.1"})

        assert "Select an answer to question 2" in page.text
        assert page.links["Select an answer to question 3"] == "#question-3"
        checked = [box.get("name") for box in page.all("input") if box.get("checked") is not None]
        assert checked == ["question-1"]
    assert reviews() == []


def test_a_second_click_and_a_second_window_store_nothing(client, passed):
    with days_later(client, 7):
        page = client.page(RECALL)
        answer(client, page, 3)
        assert answer(client, page, 0).h1 == "You knew 3 of 3"
    assert len(reviews()) == 3


def test_the_version_shown_is_marked_although_another_was_published(client, passed):
    with days_later(client, 7):
        page = client.page(RECALL)
        asked = items_asked(page)
        make_version(items=12, title="Protect: anew")
        fields = {f"question-{n}": "c.1" for n, _ in enumerate(asked, 1)}
        client.press(page, "Check my answers", **fields)
    assert {row.module_version_id for row in reviews()} == {asked[0].module_version_id}
    with days_later(client, 100):
        client.page(RECALL)
        assert (
            "anew"
            in db.session.get_one(ModuleVersion, items_asked(client.page(RECALL))[0].module_version_id).title
        )


def test_off_is_no_card_and_on_again_is_one(client, passed):
    with days_later(client, 7):
        page = client.press(client.page("/learning/recall"), "Turn recall off", choice="off")
        assert "Recall is off" in page.text
        assert "Ready now" not in page.text
        assert CARD not in client.page("/learning").text
        client.press(page, "Turn recall on", choice="on")
        assert CARD in client.page("/learning").text


def test_a_pass_that_does_not_stand_is_not_recalled(client, passed):
    record = db.session.scalars(select(Record)).one()
    revoked = {"reason": "other", "decided_by_id": passed}
    add(Revocation(record_id=record.id, from_on=date(2026, 6, 5), **revoked))
    with days_later(client, 7):
        assert CARD not in client.page("/learning").text
        client.page(RECALL, status=404)


def test_no_answer_is_shown_while_an_attempt_is_open(client, passed):
    with days_later(client, 7):
        answer(client, client.page(RECALL), 3)
        client.press(client.page("/learning/modules/protect"), "Take this module again")
        begin(client)
        for path in (RECALL, f"{RECALL}/answers/1"):
            page = client.page(path)
            assert page.h1 == "Questions to keep what you learnt"
            assert "Explanation" not in page.text
        assert "Submit your attempt at Protect first" in page.text


def test_a_corrected_pass_is_recalled_from_its_corrected_day_until_it_is_revoked(client, passed):
    record = db.session.scalars(select(Record)).one()
    day = date(2026, 5, 20)
    corrected = Record(replaces_id=record.id, achieved_on=day, achieved_at=noon(day))
    for column in ("person_id", "activity_id", "source", "reference"):
        setattr(corrected, column, getattr(record, column))
    with time_machine.travel(PASSED, tick=False):
        add(corrected)
    with days_later(client, 1):
        assert CARD in client.page("/learning").text
        add(Revocation(record_id=record.id, from_on=day, reason="other", decided_by_id=passed))
        assert CARD not in client.page("/learning").text


def all_rows() -> dict[str, list[tuple]]:
    """Every row of every table but recall's own and the sessions."""
    left_out = {"recall_review", "recall_opt_out", "sign_in_session"}
    tables = [table for table in Base.metadata.sorted_tables if table.name not in left_out]
    return {table.name: sorted(map(repr, db.session.execute(select(table)).all())) for table in tables}


@pytest.mark.slow
def test_nobody_else_sees_anything_of_it(app, client):
    """Answering changes no other row, so no report, page, file or feed of other tables can differ."""
    with time_machine.travel(PASSED, tick=False):
        unit = make_unit("Coldmere")
        make_version(items=12)
        ask("protect", due="2026-06-30", effective="2026-01-01")
        make_account("D1001", unit=unit)
        let_in(client)
        take(client, 4)
    others = {}
    with time_machine.travel(PASSED + timedelta(days=7), tick=False):
        for number, role in (("D2001", "manager"), ("D2002", "auditor"), ("D2003", "administrator")):
            make_grant(make_account(number), role, unit)
            others[number] = another(app)
            let_in(others[number], number)
        let_in(client)
        page = client.page(RECALL)
        at = {"as_known_on": (PASSED + timedelta(days=6)).isoformat()}
        report = "/monitoring/directives/OIC-2026/completions.csv"
        files = {number: browser.get(report, query_string=at).data for number, browser in others.items()}
        before = all_rows()

        answer(client, page, 1)
        client.press(client.page("/learning/recall"), "Turn recall off", choice="off")

        assert all_rows() == before
        for number, browser in others.items():
            assert browser.get(report, query_string=at).data == files[number] != b""
            assert "recall" not in browser.get("/people/D1001").get_data(as_text=True).lower()
            assert browser.get(RECALL).status_code in (403, 404)


def test_it_is_erased_with_the_account_and_with_the_name(app, client, passed):
    with days_later(client, 7):
        answer(client, client.page(RECALL), 3)
        make_grant(make_account("D9001"), "administrator")
        desk = another(app)
        let_in(desk, "D9001")
        desk.press(desk.page("/people/D1001/account/close"), "Close the account")
    assert reviews() == []

    with transaction():
        row = {"person_id": passed, "activity_id": 1, "number": 1, "module_version_id": 1}
        row["activity_id"] = db.session.scalar(select(ModuleVersion.activity_id))
        row["module_version_id"] = db.session.scalar(select(ModuleVersion.id))
        db.session.execute(insert(RecallReview).values(item_key="x", correct=True, answered_at=PASSED, **row))
        db.session.execute(insert(RecallOptOut).values(person_id=passed, chosen_at=PASSED))
        db.session.execute(delete(PersonName).where(PersonName.person_id == passed))
    assert reviews() == []
    assert db.session.scalar(select(RecallOptOut.person_id)) is None


def test_a_learner_erases_their_own_answers(client, passed):
    with days_later(client, 7):
        answer(client, client.page(RECALL), 3)
        page = client.press(client.page("/learning/recall"), "Erase my answers", choice="erase")
    assert "Your answers are erased" in page.text
    assert reviews() == []


def test_an_author_sees_outcomes_of_ten_people_or_more_and_no_names(client):
    version = db.session.get_one(ModuleVersion, make_version(items=12))
    people = [make_account(f"D{3000 + n}") for n in range(10)]
    rows = [
        {"person_id": person, "item_key": key, "correct": correct}
        for n, person in enumerate(people)
        for key, correct in (("item-1", n < 3), ("item-2", True))
        if key == "item-1" or n < 9
    ]
    same = {
        "activity_id": version.activity_id,
        "number": 1,
        "module_version_id": version.id,
        "answered_at": PASSED,
    }
    with transaction():
        db.session.execute(insert(RecallReview), [row | same for row in rows])
    make_grant(make_account("D7001"), "author")
    let_in(client, "D7001")

    page = client.page("/authoring/protect/recall")

    assert "Outcome one 10 10 30% Outcome two Fewer than 10 people" in page.text


def test_the_card_costs_one_statement_however_much_was_passed(client, passed):
    with days_later(client, 7):
        client.page("/learning")
        with statements() as run:
            client.page("/learning")
    assert sum("recall_review" in text for text in run) == 1
