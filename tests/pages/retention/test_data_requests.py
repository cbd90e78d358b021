"""People ask to correct or erase data; the answer is a correction, an erasure, or a refusal with a reason."""

import pytest
from sqlalchemy import select

from portal.domain.people.models import FactNote, PersonName
from portal.domain.retention import services
from portal.domain.retention.services import ERASURE
from portal.features.clarity.models import ClarityAnswer
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.domain.retention import aged
from tests.domain.retention.aged import SECRET
from tests.page_reading import Page
from tests.pages.decisions.desk import Desk

CSV = "/monitoring/directives/OIC-2026/completions.csv"


def send(desk: Desk, kind: str, reason: str = "My name is wrong") -> Page:
    """Ask as D1001, from one's own account; the page of the request as D3001 sees it."""
    learner = desk.browser_of("D1001")
    page = learner.page(learner.page("/account").links["Ask to correct or erase data about you"])
    page = learner.press(page, "Send", kind=kind, reason=reason)
    assert "Answer due by 1 July 2026" in page.text
    admin = desk.browser_of("D3001")
    page = admin.page(admin.page("/desk").links["1 request about data to answer"])
    return admin.page(page.links["Priya Shah"])


def test_a_wrong_name_and_address_are_corrected_and_the_answer_is_read(desk):
    page = send(desk, "correction")

    page = desk.browser_of("D3001").press(
        page,
        "Answer as done",
        surname="Sharma",
        email="P.Sharma@westshire.example",
        where="here",
        answer="Your surname is corrected.",
    )

    assert "Done by Priya Shah" in page.text
    name = db.session.get_one(PersonName, desk.people["D1001"], populate_existing=True)
    assert (name.surname, name.email) == ("Sharma", "p.sharma@westshire.example")
    assert "Your surname is corrected." in desk.browser_of("D1001").page("/retention/own").text
    (event,) = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "person.names_corrected"))
    assert event.detail == {"parts": ["surname", "email"]}
    assert "Sharma" in desk.browser_of("D2001").get(CSV).get_data(as_text=True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"staff_number": "D1002"}, "Another person already has the staff number D1002."),
        ({"email": "nobody"}, "email 'nobody' is not an email address."),
        ({"staff_number": "a/b"}, "cannot be part of a page's address"),
        ({}, "These are the names, number and address that the portal has already"),
        ({"surname": "Sharma", "answer": ""}, "Enter what was done"),
    ],
    ids=["number of another", "no address", "no number", "nothing new", "no answer"],
)
def test_a_correction_that_cannot_be_made_is_refused_in_words_and_stays_open(desk, fields, words):
    page = send(desk, "correction")

    page = desk.browser_of("D3001").press(
        page, "Answer as done", 400, **{"where": "here", "answer": "Done.", **fields}
    )

    assert words in page.text
    assert "1 request about data to answer" in desk.browser_of("D3001").page("/desk").links


def test_a_date_is_corrected_elsewhere_and_the_request_says_so(desk):
    page = send(desk, "correction", "I joined on 3 March")

    page = desk.browser_of("D3001").press(
        page, "Answer as done", where="elsewhere", answer="The roster of today has the day."
    )

    assert "The roster of today has the day." in page.text


def test_an_erasure_erases_all_that_was_typed_and_no_file_changes(desk):
    with transaction():
        aged.write_texts(desk.people["D1001"], desk.people["D2001"], clock.now())
        aged.write_texts(desk.people["D1002"], desk.people["D2001"], clock.now())
    manager = desk.browser_of("D2001")
    before = manager.get(CSV).data
    page = send(desk, "erasure", "Everything that I wrote")
    assert "This erases 3 texts that they typed in exercises" in page.text

    page = desk.browser_of("D3001").press(
        page, "Erase, and answer as done", answer="What you wrote is erased. Passes stay."
    )

    assert "Erased: 3 texts of exercises." in page.text
    left = db.session.scalars(select(FactNote.text).where(FactNote.text == SECRET)).all()
    assert len(left) == 5  # of D1002: an answer, a case, a copy, and ticks of two
    assert set(db.session.scalars(select(ClarityAnswer.person_id))) == {desk.people["D1002"]}
    assert manager.get(CSV).data == before
    assert "What you wrote is erased." in desk.browser_of("D1001").page("/retention/own").text


def test_a_refusal_has_a_reason_that_the_person_reads(desk):
    page = send(desk, "erasure", "Erase my passes")
    admin = desk.browser_of("D3001")
    assert "Enter why it is refused" in admin.press(page, "Refuse", 400).text

    page = admin.press(page, "Refuse", refusal="The force has to keep the record of training.")

    assert "Refused by Priya Shah" in page.text
    assert "has to keep" in desk.browser_of("D1001").page("/retention/own").text
    assert "Waiting" not in admin.page("/retention/requests").text


def test_a_letter_is_noted_with_the_day_on_which_it_came(desk):
    admin = desk.browser_of("D3001")
    fields = {"staff_number": "D1002", "kind": "erasure", "reason": "By letter"}
    page = admin.page("/retention/requests")
    assert (
        "must not be in the future"
        in admin.press(page, "Note the request", 400, received="2 June 2026", **fields).text
    )
    assert (
        "Nobody has"
        in admin.press(
            page, "Note the request", 400, received="1 June 2026", **fields | {"staff_number": "Z"}
        ).text
    )

    page = admin.press(page, "Note the request", received="30 April 2026", **fields)

    assert "Answer due by 30 May 2026, which has passed." in page.text
    assert "Overdue" in admin.page("/retention/requests").text


def test_a_learner_sees_own_requests_alone_and_no_list(desk):
    send(desk, "correction", "Mine alone")

    other = desk.browser_of("D1002")
    assert "Mine alone" not in other.page("/retention/own").text
    assert other.get("/retention/requests").status_code == 403


def test_an_erasure_takes_its_turn_before_it_looks_for_holds(desk, monkeypatch):
    """Or one that is placed meanwhile stands when the data is erased."""
    with transaction():
        uuid = services.note_request(
            ERASURE, desk.people["D1001"], clock.today(), "All", by=desk.people["D3001"], at=clock.now()
        )
    steps = []
    monkeypatch.setattr(services, "take_turn", lambda: steps.append("turn"))
    monkeypatch.setattr(services, "is_person_held", lambda *_: steps.append("holds"))

    with transaction():
        services.erase_data(uuid, "All is erased", by=desk.people["D3001"], at=clock.now())

    assert steps == ["turn", "holds"]
