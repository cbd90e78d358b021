"""Prior learning is recognised, a wrong pass is corrected and counts again, through the pages."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from portal.domain.decisions.models import Decision, DecisionRequest
from portal.domain.people.models import FactNote
from portal.domain.records.models import Record, Revocation, Waiver
from portal.domain.records.services import new_reference
from portal.platform.db import db
from tests.domain.status.facts import make_record
from tests.pages.decisions.desk import count_rows

pytestmark = pytest.mark.slow

EVIDENCE = "Certificate 4711, kept by Learning and Development"
NEVER = {"whole": "yes", "reason": "not_own_work", "evidence": "Report of 4 June, file 12"}


def passed(desk) -> list[str]:
    """D1001 completed both modules on 10 April; their references."""
    made = [new_reference() for _ in desk.activities]
    for activity, reference in zip(desk.activities.values(), made, strict=True):
        make_record(desk.people["D1001"], activity, date(2026, 4, 10), reference=reference)
    return made


def test_prior_learning_counts_from_the_day_of_its_evidence(desk):
    """As the example: a course of 3 February, decided on 9 June."""
    make_record(desk.people["D1001"], desk.activities[1], date(2026, 4, 10))
    desk.move_clock("2026-06-08T09:00:00+00:00")
    choices = (
        desk.browser_of("D2001").page("/people/D1001/ask/waiver").all("input", type="radio", name="about")
    )
    given = {"from_on": "3 Feb 2026", "reason": "equivalent_course", "evidence": EVIDENCE}
    desk.ask("waiver", about=choices[1].get("value"), **given)
    before = datetime(2026, 6, 9, 8, tzinfo=UTC)
    desk.move_clock("2026-06-09T09:00:00+00:00")
    page = desk.browser_of("D4001").page(desk.path_of_waiting_request())
    assert EVIDENCE in page.text
    assert "Overdue becomes Complete" in page.text

    desk.decide("Grant")

    record = db.session.scalars(select(Record).where(Record.source == "waived")).one()
    assert (record.achieved_on, record.recorded_at.date()) == (date(2026, 2, 3), date(2026, 6, 9))
    waiver = db.session.scalars(select(Waiver)).one()
    assert (waiver.record_id, waiver.reason, waiver.decided_by_id) == (
        record.id,
        "equivalent_course",
        desk.people["D4001"],
    )
    notes = select(FactNote.fact_table, FactNote.text).order_by(FactNote.fact_table)
    assert db.session.execute(notes).all() == [("decision_request", EVIDENCE), ("record", EVIDENCE)]
    assert desk.status_of(date(2026, 5, 1)) == "satisfied"
    assert desk.status_of(date(2026, 5, 1), before) == "overdue"
    sources = {(row["source"], row["record_reference"], row["status"]) for row in desk.file_rows()}
    assert ("waived", record.reference, "satisfied") in sources
    mine = desk.browser_of("D1001").page(f"/records/{record.reference}")
    assert "Prior learning recognised" in mine.text
    assert "an equivalent course" in mine.text
    assert "Recorded 10:00 on 9 June 2026, decided by a directive owner" in mine.text
    assert "Certificate" not in mine.text
    assert "Prior learning recognised for" in desk.browser_of("D2001").page("/people/D1001").text


BAD_WAIVERS = [
    ({"from_on": "2 June 2026"}, "The date on the evidence must be in the past"),
    ({"from_on": ""}, "Enter the date on the evidence"),
    ({"evidence": ""}, "Enter what the evidence is and where it is kept"),
    ({"about": "module-none"}, "Select what was learned before"),
]


def test_prior_learning_without_its_day_or_evidence_is_refused(desk):
    page = desk.browser_of("D2001").page("/people/D1001/ask/waiver")
    key = page.all("input", type="radio", name="about")[0].get("value")
    for fields, said in BAD_WAIVERS:
        given = {"about": key, "from_on": "3 Feb 2026", "reason": "other", "evidence": EVIDENCE, **fields}
        assert said in desk.ask("waiver", status=400, **given).links, said
    assert count_rows(DecisionRequest) == 0


def test_a_pass_is_not_counted_from_a_day_and_only_as_known_since(desk):
    """As the example: from 1 June, recorded on 5 June."""
    first, _ = passed(desk)
    desk.move_clock("2026-06-05T09:00:00+00:00")
    given = {"about": first, "whole": "no", "from_on": "1 June 2026", "reason": "assessment_at_fault"}
    desk.ask("revocation", evidence="Report of 4 June, file 12", **given)
    assert "Complete becomes Overdue" in desk.browser_of("D4001").page(desk.path_of_waiting_request()).text

    desk.decide("Grant")

    day = date(2026, 6, 2)
    assert desk.status_of(day, datetime(2026, 6, 3, 22, tzinfo=UTC)) == "satisfied"
    assert desk.status_of(day, datetime(2026, 6, 6, 22, tzinfo=UTC)) == "overdue"
    assert desk.status_of(date(2026, 5, 31)) == "satisfied"


def test_a_wrong_pass_is_corrected_by_two_persons_and_stays_visible(desk):
    first, second = passed(desk)
    page = desk.ask("revocation", "D4001", about=first, **NEVER)
    assert "A second person must decide this." in page.text
    owner = desk.browser_of("D4001")
    assert owner.page("/decisions").h1 == "No request waits for you"
    address = desk.path_of_waiting_request("D4002")
    token = page.form_with("Withdraw the request").fields["csrf_token"][0]
    sent = {"csrf_token": token, "from_on": "10 April 2026", "grant": "y"}
    answer = owner.post(f"{address}/decision", data=sent)
    assert answer.status_code == 409
    assert "You asked for this yourself. A second person must decide it." in answer.get_data(as_text=True)
    learner = desk.browser_of("D1001")
    assert "Stop counting" not in learner.page("/records/decisions").text
    assert "Stop counting" not in desk.browser_of("D2001").page("/people/D1001").text

    desk.decide("Grant", "D4002")

    revoked = db.session.scalars(select(Revocation)).one()
    assert (revoked.from_on, revoked.reason, revoked.decided_by_id) == (
        date(2026, 4, 10),
        "not_own_work",
        desk.people["D4002"],
    )
    assert (desk.status_of(), desk.status_of(date(2026, 4, 20))) == ("overdue", "in_progress")
    rows = [(row["status"], row["record_reference"]) for row in desk.file_rows()]
    assert sorted(rows) == [("overdue", ""), ("satisfied", second)]
    record = learner.page(f"/records/{first}")
    assert "This record does not count from 10 April 2026." in record.text
    said = "Does not count from 10 April 2026: not the person's own work. Decided by a directive owner"
    assert said in record.text
    assert "does not count from 10 April 2026" in learner.page("/records").text
    person = desk.browser_of("D2001").page("/people/D1001")
    assert "no longer counts: not the person's own work" in person.text
    assert ": granted by Priya Shah" in person.text
    assert "file 12" not in record.text + person.text + learner.page("/records/decisions").text
    desk.ask("revocation", about=first, status=400, **NEVER)  # not offered any more


def test_a_correction_is_taken_back_by_two_persons(desk):
    first, _ = passed(desk)
    desk.ask("revocation", about=first, **NEVER)
    desk.decide("Grant")
    assert desk.status_of() == "overdue"
    link = desk.browser_of("D2001").page("/people/D1001").links["Restoring a pass"]
    assert link == "/people/D1001/ask/restore"
    desk.ask("restore", "D4001", about=first, reason="new_evidence", evidence="The clerk mixed up two files")
    assert (
        "Overdue becomes Complete"
        in desk.browser_of("D4002").page(desk.path_of_waiting_request("D4002")).text
    )
    assert desk.browser_of("D4001").page("/decisions").h1 == "No request waits for you"

    desk.decide("Grant", "D4002")

    assert desk.status_of() == "satisfied"
    record = desk.browser_of("D1001").page(f"/records/{first}")
    assert "Passed on 10 April 2026." in record.text
    assert "Counts again: new evidence. Decided by a directive owner" in record.text
    assert (count_rows(Revocation), count_rows(Decision)) == (2, 2)
    desk.ask("revocation", about=first, **NEVER)  # and may be corrected once more


BAD_CORRECTIONS = [
    ({"whole": "no", "from_on": ""}, "Enter the first day it does not count"),
    (
        {"whole": "no", "from_on": "9 April 2026"},
        "Enter a day from 10 April 2026, the day it was passed, to today",
    ),
    (
        {"whole": "no", "from_on": "2 June 2026"},
        "Enter a day from 10 April 2026, the day it was passed, to today",
    ),
    ({"whole": ""}, "Select when it stops counting"),
    ({"evidence": " "}, "Enter what the evidence is and where it is kept"),
]


def test_a_correction_without_a_day_or_evidence_is_refused(desk):
    first, _ = passed(desk)
    for fields, said in BAD_CORRECTIONS:
        page = desk.ask("revocation", about=first, status=400, **{**NEVER, **fields})
        assert said in page.links, said
    assert count_rows(DecisionRequest) == 0


def test_a_correction_that_waits_is_not_asked_for_again(desk):
    first, second = passed(desk)
    desk.ask("revocation", about=first, **NEVER)
    page = desk.ask("revocation", "D4002", about=first, status=409, **NEVER)
    assert "It is waiting for a decision." in page.text
    desk.ask("revocation", "D4002", about=second, **NEVER)
    assert count_rows(DecisionRequest) == 2


def test_a_record_corrected_meanwhile_is_not_revoked(desk):
    first, _ = passed(desk)
    desk.ask("revocation", about=first, **NEVER)
    page = desk.browser_of("D4001").page(desk.path_of_waiting_request())
    old = db.session.scalars(select(Record).where(Record.reference == first)).one()
    make_record(old.person_id, old.activity_id, date(2026, 4, 11), reference=first, replaces_id=old.id)

    shown = desk.browser_of("D4001").page(desk.path_of_waiting_request())
    assert "You cannot grant this as it is. This record has been corrected or removed." in shown.text
    desk.browser_of("D4001").press(page, "Grant", 400, grant="y")
    assert (count_rows(Revocation), count_rows(Decision)) == (0, 0)
    desk.decide("Refuse", comment="The record was corrected.")
