"""“Was this clear?”: said under a lesson or question, answered by authors, and nobody learns by whom."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import delete, func, select, update

from portal.domain.accounts import services as accounts
from portal.domain.people.models import PersonName
from portal.domain.people.queries import viewer_of
from portal.domain.reminders.models import Message, MessageKind
from portal.domain.reminders.queries import list_outbox
from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.sending import SendingSettings, list_own_messages, send_due_messages
from portal.domain.retention import stores
from portal.features.clarity.models import ClarityAnswer, ClarityReply, ClarityWords
from portal.platform.audit import AuditEvent
from portal.platform.db import Base, db, transaction
from portal.platform.mail import Relay
from tests.domain.reminders.post_office import open_office
from tests.factories.catalogue import make_version
from tests.pages.account.browsing import make_account
from tests.pages.authoring.desk import make_person_with, signed_in_client
from tests.pages.learning.working import answer_all, attempt_base, begin, learner
from tests.pages.monitoring.counting import statements

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday, in the hours of mail
LESSON = "/learning/modules/protect/lessons/lesson-1"
DESK = "/authoring/protect/clear"
YES, NO = "Yes, it was clear", "No, it was not clear"
WORDS = "What is a referral?\nAnd to whom?"


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


def count(table: type[Base]) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def say(client, button: str = NO, words: str = WORDS, path: str = LESSON):
    values = {"clear": "yes" if button == YES else "no", "words": words}
    return client.press(client.page(path), button, **values)


def test_an_author_answers_without_a_name_and_the_learner_reads_it(client, app):
    make_version()
    person = learner(client)
    with transaction():
        email = update(PersonName).where(PersonName.person_id == person)
        db.session.execute(email.values(email="d1001@westshire.example"))
    assert "Thank you. The authors see it without your name." in say(client).text
    make_person_with("D3001", "author")
    author = signed_in_client(app, "D3001")

    desk = author.page(DESK)

    assert "1 note from learners waits for an answer" in desk.text
    assert "Fewer than 10 people said whether it was clear" in desk.text
    assert "D1001" not in desk.html
    assert "What is a referral?" in desk.text
    sent = author.press(desk, "Send answer", text="It is explained in lesson 2.")
    assert "No note from a learner waits" in sent.text

    assert "1 answer to what you found unclear" in client.page("/learning").links
    own = client.page("/learning/clear")
    assert "It is explained in lesson 2." in own.text
    assert "D3001" not in own.html
    assert "Lesson called 1" in own.links
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "clarity.replied")).one()
    assert (event.subject_id, event.detail) == (None, {"module": "protect", "place": "lesson:lesson-1"})
    with open_office() as office:
        relay = Relay("127.0.0.1", office.port, sender="Portal <learning@westshire.example>", tls="none")
        send_due_messages(
            SendingSettings(relay, SendWindow(), "https://learning.westshire.example", "Westshire")
        )
        ((_, letter),) = office.taken
    text = letter.get_body(("plain",)).get_content()
    assert re.findall(r"https://\S+", text) == ["https://learning.westshire.example/learning/clear"]
    assert "referral" not in text
    viewer = viewer_of(make_person_with("D9001", "administrator", "directive-owner", "auditor"))
    own_viewer = viewer_of(person)
    assert viewer
    assert own_viewer
    assert list_outbox(viewer, None, 0, 50) == []
    assert [message.kind for message in list_own_messages(own_viewer, NOW)] == [MessageKind.CLARITY]


def test_one_answer_stands_and_its_words_replace_those_before(client):
    make_version()
    learner(client)

    say(client)
    say(client)  # the same again
    assert (count(ClarityAnswer), count(ClarityWords)) == (1, 1)
    say(client, YES, "")

    assert count(ClarityAnswer) == 2
    assert count(ClarityWords) == 0
    page = client.page("/learning/clear")
    assert page.text.count("you said on") == 1
    assert "referral" not in page.text
    client.press(page, "Erase this: Lesson called 1")
    assert count(ClarityAnswer) == 0


def test_a_question_is_asked_about_after_submission_only(client):
    make_version(items=4)
    learner(client)
    question = begin(client)
    base = attempt_base(question)
    token = question.form_with("Save and continue").fields["csrf_token"]
    client.post(f"{base}/answers/1/clear", data={"clear": "no", "csrf_token": token})
    assert count(ClarityAnswer) == 0
    assert "clear?" not in question.text
    client.press(answer_all(client, question, 1), "Submit answers")

    page = client.page(f"{base}/answers")
    assert page.text.count("Was question") == 4
    client.press(page, NO, clear="no", words="Two answers fit.")

    answer = db.session.scalars(select(ClarityAnswer)).one()
    assert answer.place.startswith("item:item-")
    assert "A question: Prompt" in client.page("/learning/clear").text


def test_too_many_words_are_refused(client):
    make_version()
    learner(client)

    assert "Write 500 characters or fewer" in say(client, NO, "a" * 501).text
    assert count(ClarityAnswer) == 0
    say(client, NO, "a\r\n" * 250)  # 499 as they are counted
    assert count(ClarityWords) == 1


def test_counts_are_shown_from_ten_people_on(client, app):
    version = make_version()
    people = [make_account(f"D10{n}") for n in range(10, 20)]
    learner(client)
    say(client, YES, "")
    activity = db.session.scalar(select(ClarityAnswer.activity_id))
    make_person_with("D3001", "author")
    author = signed_in_client(app, "D3001")
    with transaction():
        for person in people[:8]:
            db.session.add(_unclear(person, activity, version))
    assert "Fewer than 10 people" in author.page(DESK).text
    with statements() as few:
        author.page(DESK)
    with transaction():
        for person in people[8:]:
            db.session.add(_unclear(person, activity, version))

    with statements() as more:
        page = author.page(DESK)

    assert "Clear to 1 of 11 people who said." in page.text
    assert len(more) == len(few)


def _unclear(person: int, activity: int | None, version: int) -> ClarityAnswer:
    return ClarityAnswer(
        person_id=person,
        activity_id=activity,
        module_version_id=version,
        place="lesson:lesson-1",
        number=1,
        clear=False,
        answered_at=NOW,
    )


def test_words_are_answered_once_and_not_after_they_were_erased(client, app):
    make_version()
    learner(client)
    say(client)
    make_person_with("D3001", "author")
    author = signed_in_client(app, "D3001")
    desk = author.page(DESK)
    empty = author.press(desk, "Send answer", 400, text=" ")
    assert "Write your answer" in empty.text
    client.press(client.page("/learning/clear"), "Erase this: Lesson called 1")

    gone = author.press(desk, "Send answer", 409, text="Too late.")

    assert "has changed or erased it" in gone.text
    assert count(ClarityReply) == count(Message) == 0


@pytest.mark.parametrize("how", ["closed", "erased"])
def test_it_goes_with_the_account_and_with_the_name(client, app, how):
    make_version()
    person = learner(client)
    say(client)
    make_person_with("D3001", "author")
    author = signed_in_client(app, "D3001")
    author.press(author.page(DESK), "Send answer", text="In lesson 2.")

    with transaction():
        if how == "closed":
            accounts.close_account(person, by=make_account("D9001"), at=NOW)
        else:
            db.session.execute(delete(PersonName).where(PersonName.person_id == person))

    assert [count(table) for table in (ClarityAnswer, ClarityWords, ClarityReply)] == [0, 0, 0]


@pytest.mark.parametrize("scope", [stores.PERSON, stores.CLASS])
def test_it_stays_under_a_legal_hold_though_the_account_is_closed(client, scope):
    make_version()
    person = learner(client)
    say(client)
    by = make_account("D9001")
    with transaction():
        subject = person if scope == stores.PERSON else "clarity"
        stores.place_hold(scope, subject, "Case 7", by=by, at=NOW)
    with transaction():
        accounts.close_account(person, by=by, at=NOW)

    assert [count(table) for table in (ClarityAnswer, ClarityWords)] == [1, 1]
