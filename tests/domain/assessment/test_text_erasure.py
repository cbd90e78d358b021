"""What a learner wrote is erased by one command, everywhere, and every attempt can still be read."""

import pytest
from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.people.models import FactNote
from portal.domain.records.models import Registration
from portal.domain.retention import stores
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.pages.account.browsing import another
from tests.pages.assessment.choosing import values_of_labels
from tests.pages.assessment.published import first_question, publish
from tests.pages.learning.working import attempt_base, learner

TEXT = "At 02:10 a driver named Zbigniew reported voices."
REPORT = {"answer-1": "c.2", "answer-2": "c.1", "answer-3": TEXT}
STAYS = "Answers, marks and passes stay as they are. Backups made before still hold the texts.\n"


def run_erasure(app, *options, number="D1001"):
    return app.test_cli_runner().invoke(args=["people", "erase-texts", number, *options])


def dump_database() -> str:
    """Every value of every table."""
    tables = db.metadata.sorted_tables
    return " ".join(str(row) for table in tables for row in db.session.execute(select(table)))


def submit_item(client, page):
    """Both reports, the first written anew once, and submitted."""
    client.press(page, "Save and continue", **REPORT | {"answer-3": "Zbigniew, in haste."})
    for _ in range(2):
        page = client.press(page, "Save and continue", **REPORT)
    return client.press(page, "Submit answers")


@pytest.fixture
def asked(client, tmp_path, request):
    publish(tmp_path, getattr(request, "param", "report"))
    learner(client)
    return first_question(client)


@pytest.mark.slow
def test_after_it_nothing_of_the_text_is_in_the_database_and_the_attempt_is_displayed(app, client, asked):
    base = attempt_base(asked)
    assert submit_item(client, asked).h1 == "You passed"
    assert client.page(f"{base}/answers").text.count("Zbigniew") == 2
    facts = [tuple(row) for row in db.session.execute(select(Response.id, Response.choices))]
    marks = db.session.scalars(select(Submission.marks)).one()
    assert "Zbigniew" in dump_database()

    result = run_erasure(app)

    assert (result.exit_code, result.output) == (0, f"D1001: 3 texts in 3 answers erased.\n{STAYS}")
    assert "Zbigniew" not in dump_database()
    page = client.page(f"{base}/answers")
    assert page.text.count("Nothing is stored.") == 2
    assert "Zbigniew" not in page.text
    assert [tuple(row) for row in db.session.execute(select(Response.id, Response.choices))] == facts
    assert db.session.scalars(select(Submission.marks)).one() == marks
    (event,) = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "notes.erased"))
    person = db.session.scalars(select(Registration.person_id)).one()
    assert (event.actor_id, event.subject_id) == (None, person)
    assert event.detail == {"fact_table": "response", "facts": [fact for fact, _ in facts]}


@pytest.mark.parametrize("asked", ["scenario"], indirect=True)
def test_reasons_of_an_attempt_under_way_are_erased_and_it_goes_on(app, client, asked):
    page = client.press(
        asked, "Save and continue", choice=values_of_labels(asked, "Listen"), reason="Because of Zbigniew"
    )
    assert "Because of Zbigniew" in page.text

    assert run_erasure(app).exit_code == 0

    page = client.page(f"{attempt_base(page)}/items/1")
    assert "Zbigniew" not in dump_database() + page.text
    page = client.press(
        page, "Save and continue", choice=values_of_labels(page, "Call for"), reason="Now written anew"
    )
    assert "Now written anew" in page.text


def test_a_dry_run_says_how_much_and_erases_nothing(app, client, asked):
    client.press(asked, "Save and continue", **REPORT)

    result = run_erasure(app, "--dry-run")

    assert (result.exit_code, result.output) == (0, f"D1001: 1 text in 1 answer would be erased.\n{STAYS}")
    assert "Zbigniew" in dump_database()
    assert db.session.scalars(select(AuditEvent).where(AuditEvent.action == "notes.erased")).all() == []


def test_twice_is_once_and_another_persons_words_stay(app, client, asked):
    client.press(asked, "Save and continue", **REPORT)
    other = another(app)
    learner(other, "D1002")
    other.press(first_question(other), "Save and continue", **REPORT | {"answer-3": "Not mine."})

    assert "1 text in 1 answer erased" in run_erasure(app).output
    assert run_erasure(app).output == "D1001: there is no text to erase.\n"

    assert db.session.scalars(select(FactNote.text)).all() == ["Not mine."]
    assert len(db.session.scalars(select(Attempt)).all()) == 2
    assert len(db.session.scalars(select(AuditEvent).where(AuditEvent.action == "notes.erased")).all()) == 1


@pytest.mark.parametrize("scope", [stores.PERSON, stores.CLASS])
def test_a_legal_hold_refuses_it(app, client, asked, scope):
    client.press(asked, "Save and continue", **REPORT)
    person = db.session.scalars(select(Registration.person_id)).one()
    with transaction():
        subject = person if scope == stores.PERSON else "texts"
        stores.place_hold(scope, subject, "Case 7", by=person, at=clock.now())

    result = run_erasure(app)

    assert (result.exit_code, "A legal hold stands" in result.output) == (1, True)
    assert "Zbigniew" in dump_database()
    assert run_erasure(app, "--dry-run").exit_code == 0


def test_a_number_that_nobody_has_is_refused(app, database):
    result = run_erasure(app, number="D0000")

    assert (result.exit_code, "Nobody has the staff number D0000." in result.output) == (1, True)
